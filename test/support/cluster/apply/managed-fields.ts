/** Who owns which fields of an object: what applying and updating do to an object and to `managedFields`. */
import { isMap, sameJson, type Json, type JsonMap } from "../json.ts";
import { withMeta, type KubeObject, type ManagedEntry } from "../object.ts";
import type { Schema } from "../schema/schema.ts";
import {
  below,
  childrenOf,
  difference,
  emptySet,
  fieldElement,
  intersection,
  isEmptySet,
  isSubset,
  nodeOf,
  parseFieldSet,
  pathsOf,
  sameSet,
  sortedSet,
  union,
  withoutBelow,
  type FieldSet,
} from "./field-set.ts";
import { compare, fieldSetOf, merge, removeItems, withNamedFields } from "./walk.ts";

/** Who writes, how, and when. */
export type Author = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly time: string;
};

type Claim = Author & {
  readonly set: FieldSet;
  /** The record it was read from. */
  readonly entry?: ManagedEntry;
};

export type ApplyConflict = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly path: readonly string[];
};

export type Applied =
  | { readonly kind: "applied"; readonly object: KubeObject }
  | { readonly kind: "conflict"; readonly conflicts: readonly ApplyConflict[] };

/** Fields of an object that this endpoint never writes, so that nobody owns them through it. */
export type Unowned = readonly string[];

const unownedMetadata = [
  "name",
  "namespace",
  "creationTimestamp",
  "selfLink",
  "uid",
  "generation",
  "managedFields",
  "resourceVersion",
].map(fieldElement);

/**
 * `live` after `author` applied `config`: what it says is set, what it said before and no longer does goes
 * unless somebody else owns it, and fields of others are only taken by force.
 *
 * `live` is undefined when the object is being created. Nothing is defaulted here.
 */
export function applied(
  live: KubeObject | undefined,
  config: KubeObject,
  schema: Schema,
  author: Author,
  options: { readonly force: boolean; readonly unowned: Unowned },
): Applied {
  const base = live === undefined ? undefined : bare(live);
  const claims = live === undefined ? [] : claimsBeforeApply(live, schema, author);
  const mine = claims.find((claim) => isSameManager(claim, author));
  const others = claims.filter((claim) => claim !== mine);
  const named = fieldSetOf(config, schema);
  const set = ownable(named, options.unowned);

  const merged = base === undefined ? config : merge(base, config, schema);
  const pruned =
    mine === undefined || isSubset(mine.set, set)
      ? merged
      : // What nobody can own keeps its place while an author names it: metadata has a name in it.
        prune(merged, mine.set, [named, ...others.map((claim) => claim.set)], schema);
  const object = asObject(pruned, config);
  const { added, modified, removed } =
    base === undefined ? nothingChanged : compare(base, object, schema);

  const changed = union(added, modified);
  const conflicts = others.flatMap((claim) =>
    pathsOf(intersection(claim.set, changed)).map((path): ApplyConflict => ({
      manager: claim.manager,
      operation: claim.operation,
      apiVersion: claim.apiVersion,
      subresource: claim.subresource,
      path,
    })),
  );
  if (conflicts.length > 0 && !options.force) return { kind: "conflict", conflicts };
  const left = others.map((claim) => ({
    ...claim,
    set: difference(difference(claim.set, changed), removed),
  }));
  // Only an apply that changed the object is dated: agreeing with what is there leaves no time behind.
  const isChange = base === undefined || !sameJson(base, object);
  const time = isChange ? author.time : (mine?.time ?? "");
  const own: Claim =
    mine !== undefined &&
    mine.time === time &&
    mine.apiVersion === author.apiVersion &&
    sameSet(mine.set, set)
      ? mine
      : { ...author, time, set };
  return { kind: "applied", object: withClaims(object, [...left, own]) };
}

const nothingChanged = { added: emptySet, modified: emptySet, removed: emptySet };

/**
 * `next` after `author` wrote it over `live`: what changed is the author's now, and no longer anybody
 * else's. An object that nobody ever claimed stays unclaimed.
 */
export function updated(
  live: KubeObject | undefined,
  next: KubeObject,
  schema: Schema,
  author: Author,
  unowned: Unowned,
): KubeObject {
  const given = author.subresource === "" ? next.metadata.managedFields : undefined;
  if (live !== undefined && isReset(given)) return withMeta(next, { managedFields: undefined });
  const kept =
    given === undefined || given.length === 0 || !given.every(isReadable)
      ? live?.metadata.managedFields
      : given;
  if (live !== undefined && (kept === undefined || kept.length === 0))
    return withMeta(next, { managedFields: undefined });

  const was = live === undefined ? emptyObject : bare(live);
  const { added, modified, removed } = compare(was, bare(next), schema);
  const changed = ownable(union(added, modified), unowned);
  if (isEmptySet(changed) && isEmptySet(removed) && kept !== undefined)
    return next.metadata.managedFields === kept ? next : withMeta(next, { managedFields: kept });

  const claims = (kept ?? []).flatMap(claimOfEntry).map((claim) => ({
    ...claim,
    set: difference(difference(claim.set, changed), removed),
  }));
  const mine = claims.find((claim) => isSameManager(claim, author));
  const rest = claims.filter((claim) => claim !== mine);
  if (isEmptySet(changed) && mine !== undefined) return withClaims(next, [...rest, mine]);
  return withClaims(next, [...rest, { ...author, set: union(mine?.set ?? emptySet, changed) }]);
}

const emptyObject: JsonMap = {};

/** A client takes all ownership records away by sending one empty entry, or an empty list on purpose. */
const isReset = (given: readonly ManagedEntry[] | undefined): boolean =>
  given !== undefined &&
  (given.length === 0 || (given.length === 1 && Object.keys(given[0] ?? {}).length === 0));

/** Records that make no sense are passed over as a whole: those of the live object stay. */
const isReadable = (entry: ManagedEntry): boolean =>
  ["Apply", "Update"].includes(entry.operation) &&
  entry.apiVersion !== undefined &&
  entry.apiVersion !== "" &&
  entry.fieldsType === "FieldsV1" &&
  parseFieldSet(entry.fieldsV1) !== undefined;

/** Removes what the author owned and no longer names, except what others own or what never was its own. */
function prune(merged: Json, last: FieldSet, claims: readonly FieldSet[], schema: Schema): Json {
  const lastNamed = withNamedFields(last, schema);
  const withoutLast = removeItems(merged, lastNamed, schema);
  const everything = withNamedFields(fieldSetOf(merged, schema), schema);
  const owned = withNamedFields(claims.reduce(union, emptySet), schema);
  const afterRemoval = withNamedFields(fieldSetOf(withoutLast, schema), schema);
  const withOwned = removeItems(merged, difference(everything, union(afterRemoval, owned)), schema);
  const left = withNamedFields(fieldSetOf(withOwned, schema), schema);
  return removeItems(merged, intersection(difference(everything, left), lastNamed), schema);
}

/** An object made before anybody kept records belongs to `before-first-apply` from its first apply on. */
function claimsBeforeApply(live: KubeObject, schema: Schema, author: Author): readonly Claim[] {
  const entries = live.metadata.managedFields ?? [];
  if (entries.length > 0) return entries.flatMap(claimOfEntry);
  return [
    {
      manager: "before-first-apply",
      operation: "Update",
      apiVersion: live.apiVersion,
      subresource: "",
      time: author.time,
      set: ownable(compare(emptyObject, bare(live), schema).added, ["status"]),
    },
  ];
}

function claimOfEntry(entry: ManagedEntry): readonly Claim[] {
  const set = parseFieldSet(entry.fieldsV1);
  if (set === undefined) return [];
  return [
    {
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      subresource: entry.subresource ?? "",
      time: entry.time ?? "",
      set,
      entry,
    },
  ];
}

/** An applier keeps its record across versions; an updater has one for each. */
const isSameManager = (a: Author, b: Author): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === "Apply" || a.apiVersion === b.apiVersion);

function withClaims(object: KubeObject, claims: readonly Claim[]): KubeObject {
  const entries = claims
    .filter((claim) => !isEmptySet(claim.set))
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time, b.time) ||
        compareText(a.manager, b.manager) ||
        compareText(a.subresource, b.subresource),
    )
    .map(entryOf);
  return withMeta(object, { managedFields: entries.length === 0 ? undefined : entries });
}

/** A claim that is as it was read keeps its record: versions of an object share it. */
function entryOf(claim: Claim): ManagedEntry {
  if (claim.entry?.fieldsV1 === claim.set && (claim.entry.time ?? "") === claim.time)
    return claim.entry;
  return {
    manager: claim.manager,
    operation: claim.operation,
    apiVersion: claim.apiVersion,
    ...(claim.time === "" ? {} : { time: claim.time }),
    fieldsType: "FieldsV1",
    fieldsV1: sortedSet(claim.set),
    ...(claim.subresource === "" ? {} : { subresource: claim.subresource }),
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The object without ownership records, for comparing and merging. */
const bare = (object: KubeObject): KubeObject =>
  object.metadata.managedFields === undefined
    ? object
    : withMeta(object, { managedFields: undefined });

/** A set without what nobody can own: identity, bookkeeping, and what this endpoint does not write. */
function ownable(set: FieldSet, unowned: Unowned): FieldSet {
  let left = withoutBelow(withoutBelow(set, "f:apiVersion"), "f:kind");
  for (const field of unowned) left = withoutBelow(left, fieldElement(field));
  const metadata = below(left, "f:metadata");
  if (metadata === undefined) return left;
  let owned = childrenOf(metadata);
  for (const element of unownedMetadata) owned = withoutBelow(owned, element);
  const node = nodeOf(false, owned);
  const rest = withoutBelow(left, "f:metadata");
  return node === undefined ? rest : { ...rest, "f:metadata": node };
}

/** Merging and removing keep what makes an object one; identity is the config's. */
function asObject(value: Json, config: KubeObject): KubeObject {
  if (!isMap(value)) return config;
  const metadata = isMap(value["metadata"]) ? value["metadata"] : {};
  return {
    ...value,
    apiVersion: config.apiVersion,
    kind: config.kind,
    metadata: { ...metadata, name: config.metadata.name },
  };
}

/** Whether two objects differ in nothing but the times of their ownership records. */
export function sameButTimes(a: KubeObject, b: KubeObject): boolean {
  return sameJson(bare(a), bare(b)) && sameClaims(a, b);
}

function sameClaims(a: KubeObject, b: KubeObject): boolean {
  const left = a.metadata.managedFields ?? [];
  const right = b.metadata.managedFields ?? [];
  if (left === right) return true;
  if (left.length !== right.length) return false;
  const withoutTime = (entry: ManagedEntry): Json => ({ ...entry, time: "" });
  const texts = (entries: readonly ManagedEntry[]): readonly string[] =>
    entries.map((entry) => JSON.stringify(withoutTime(entry))).toSorted();
  return sameJson(texts(left), texts(right));
}
