import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import { applicationFields, type Shape } from "./application-fields.ts";
import {
  copyOf,
  emptyObject,
  field,
  isList,
  isObject,
  objectOf,
  type JsonObject,
} from "./document.ts";
import { printValue } from "./template/print.ts";
import { goValueOf } from "./template/value.ts";

/**
 * Kubernetes' strategic merge patch over Argo CD's types: mappings merge, null deletes, lists replace each other
 * whole, but for finalizers, which keep each other. The directives `$patch`, `$retainKeys`, `$setElementOrder/` and
 * `$deleteFromPrimitiveList/` do what they do there. Fails with a sentence.
 *
 * What mappings inside Helm's `valuesObject` hold is merged as well, where Argo CD gives up.
 */
export function strategicallyMerged(
  base: JsonObject,
  patch: JsonObject,
): Result<JsonObject, string> {
  try {
    const merged = mergedMapping(base, patch, applicationFields);
    const application = decoded(merged, applicationFields);
    return ok(isObject(application) ? application : emptyObject());
  } catch (error) {
    if (error instanceof BadPatch) return fail(error.message);
    throw error;
  }
}

class BadPatch extends Error {}

type Mapping = { [key: string]: Json };

const directive = "$patch";
const retainKeys = "$retainKeys";
const elementOrder = "$setElementOrder";
const deletion = "$deleteFromPrimitiveList";

const anything: Shape = { kind: "any" };

const shapeInside = (shape: Shape, key: string): Shape =>
  shape.kind === "struct" ? (shape.fields.get(key) ?? anything) : anything;

function mergedMapping(base: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  const rest = copyOf(patch);
  if (Object.hasOwn(patch, directive)) {
    delete rest[directive];
    if (patch[directive] === "replace") return rest;
    if (patch[directive] === "delete") return emptyObject();
    const named = printValue(goValueOf(patch[directive] ?? null));
    throw new BadPatch(`unknown patch type: ${named} in map: ${printValue(goValueOf(patch))}`);
  }
  const merged = copyOf(base);
  keepRetained(merged, rest);
  for (const key of Object.keys(rest))
    if (key.startsWith(elementOrder)) putInOrder(merged, rest, key, shape);
  for (const key of Object.keys(rest)) {
    const deletes = key.startsWith(deletion);
    const name = deletes ? listNamed(key, deletion, "primitive list") : key;
    const value = field(rest, key) ?? null;
    const before = field(merged, name);
    if (value === null) delete merged[name];
    else if (!deletes)
      setOrDrop(merged, name, mergedValue(before, value, shapeInside(shape, name)));
    else if (isList(before) && isList(value)) merged[name] = withoutItems(before, value);
  }
  return merged;
}

/** `undefined`: there is to be nothing. */
function mergedValue(before: Json | undefined, value: Json, shape: Shape): Json | undefined {
  if (isObject(before) && isObject(value)) return mergedMapping(before, value, shape);
  if (isList(before) && isList(value)) return mergedList(before, value, shape);
  return added(value);
}

/** What a patch says where there was nothing of its kind: mappings with a directive, and nulls in mappings, are gone. */
function added(value: Json): Json | undefined {
  if (isList(value))
    return value.flatMap((item) => {
      const kept = added(item);
      return kept === undefined ? [] : [kept];
    });
  if (!isObject(value)) return value;
  if ((field(value, directive) ?? null) !== null) return undefined;
  const kept = emptyObject();
  for (const key of Object.keys(value)) {
    const inner = field(value, key) ?? null;
    if (inner !== null) setOrDrop(kept, key, added(inner));
  }
  return kept;
}

function mergedList(
  before: readonly Json[],
  items: readonly Json[],
  shape: Shape,
): readonly Json[] {
  if (shape.kind !== "list" || !shape.merges) return items;
  if (items.includes(null))
    throw new BadPatch(`list element types are not identical: ${printed([before, items])}`);
  return ordered([...new Set([...before, ...items])], items, before);
}

function withoutItems(before: readonly Json[], items: readonly Json[]): readonly Json[] {
  if ([...before, ...items].some(isObject))
    throw new BadPatch("cannot merge lists without merge key for struct");
  const gone = new Set(items);
  return before.filter((item) => !gone.has(item));
}

/** `$retainKeys`: whatever it does not name goes. */
function keepRetained(merged: Mapping, rest: Mapping): void {
  const retained = field(rest, retainKeys);
  if (retained === undefined) return;
  delete rest[retainKeys];
  const bad = new BadPatch("invalid patch format of retainKeys");
  if (!isList(retained)) throw bad;
  const names = new Set(retained);
  for (const key of Object.keys(rest)) {
    if (rest[key] === null || key.startsWith(deletion) || key.startsWith(elementOrder)) continue;
    if (!names.has(key)) throw bad;
  }
  for (const key of Object.keys(merged)) if (!names.has(key)) delete merged[key];
}

/** `$setElementOrder/name`: merges that list, and puts it in this order. */
function putInOrder(merged: Mapping, rest: Mapping, key: string, shape: Shape): void {
  const name = listNamed(key, elementOrder, "setElementOrder list");
  const bad = new BadPatch("invalid patch format of setElementOrder list");
  const order = field(rest, key);
  const before = field(merged, name);
  const items = field(rest, name);
  delete rest[key];
  if (!isList(order)) throw bad;
  if (before === undefined && items === undefined) return;
  if (before !== undefined && !isList(before)) throw bad;
  if (items !== undefined && !isList(items)) throw bad;
  if (items !== undefined && order.length > 0 && !isWithin(items, order))
    throw new BadPatch(
      `The order in patch list:\n${printed(items)}\n doesn't match ${elementOrder} list:\n${printed(order)}\n`,
    );
  if ((before ?? []).length + (items ?? []).length === 0)
    throw new BadPatch("no elements in any of the given slices");
  const list =
    items === undefined
      ? (before ?? [])
      : before === undefined
        ? items
        : mergedList(before, items, shapeInside(shape, name));
  // Mappings have no place without a key to know them by.
  if ([...list, ...order].some((item) => typeof item === "object")) throw bad;
  merged[name] = ordered(list, order, before ?? []);
  delete rest[name];
}

const printed = (list: readonly Json[]): string => printValue(goValueOf(list));

/** Whether the items come in that order, others between them. */
function isWithin(items: readonly Json[], order: readonly Json[]): boolean {
  let next = 0;
  for (const item of order) if (item === items[next]) next += 1;
  return next >= items.length;
}

/** `finalizers` of `$setElementOrder/finalizers`. */
function listNamed(key: string, prefix: string, what: string): string {
  if (!key.startsWith(`${prefix}/`)) throw new BadPatch(`invalid patch format of ${what}`);
  return key.slice(prefix.length + 1);
}

/**
 * Items that `first` has come in its order, the others in that of `then`. Two of both kinds that `then` knows stay in
 * its order as well, as far as that goes.
 */
function ordered(
  items: readonly Json[],
  first: readonly Json[],
  then: readonly Json[],
): readonly Json[] {
  const [inFirst, inThen] = [placesOf(first), placesOf(then)];
  const named = items.filter((item) => inFirst.has(item)).toSorted(byPlace(inFirst));
  const others = items.filter((item) => !inFirst.has(item)).toSorted(byPlace(inThen));
  const result: Json[] = [];
  let next = 0;
  for (const item of named) {
    const place = inThen.get(item) ?? nowhere;
    while (next < others.length && (inThen.get(others[next] ?? null) ?? Infinity) < place)
      result.push(others[next++] ?? null);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

type Places = ReadonlyMap<Json, number>;

const nowhere = -1;

function placesOf(list: readonly Json[]): Places {
  const places = new Map<Json, number>();
  for (const [place, item] of list.entries()) if (!places.has(item)) places.set(item, place);
  return places;
}

const byPlace = (places: Places) => (a: Json, b: Json) =>
  (places.get(a) ?? nowhere) - (places.get(b) ?? nowhere);

/** As it decodes into an Application: directives are no fields, and what 64 bits cannot hold is a float. */
function decoded(value: Json, shape: Shape): Json {
  if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) return Number(value);
  if (isList(value)) {
    const inner = shape.kind === "list" ? shape.of : anything;
    return value.map((item) => decodedEntry(item, inner));
  }
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  if (shape.kind === "map")
    return objectOf(keys.map((key) => [key, decodedEntry(field(value, key) ?? null, shape.of)]));
  const fields = shape.kind === "struct" ? keys.filter((key) => !key.startsWith("$")) : keys;
  return objectOf(
    fields.map((key) => [key, decoded(field(value, key) ?? null, shapeInside(shape, key))]),
  );
}

/** Nothing in a list or a mapping is what its type has for nothing. */
function decodedEntry(value: Json, shape: Shape): Json {
  if (value !== null) return decoded(value, shape);
  return shape.kind === "text" ? "" : shape.kind === "flag" ? false : null;
}

function setOrDrop(object: Mapping, key: string, value: Json | undefined): void {
  if (value === undefined) delete object[key];
  else object[key] = value;
}
