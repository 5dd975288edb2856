/** Walks over a value and its schema: which fields it sets, how two values merge, what differs. */
import { unreachable } from "../../../../proto/kit/unreachable.ts";
import { goText, goType, goValue } from "../go-text.ts";
import { isList, isMap, sameJson, type Json, type JsonMap } from "../json.ts";
import { any, fieldSchema, type ListSchema, type Schema } from "../schema/schema.ts";
import {
  below,
  childrenOf,
  emptySet,
  fieldElement,
  hasChildren,
  hasElement,
  isMember,
  keyElement,
  nodeOf,
  valueElement,
  type FieldSet,
} from "./field-set.ts";

type Nodes = Record<string, FieldSet>;

const put = (nodes: Nodes, element: string, node: FieldSet | undefined): void => {
  if (node !== undefined) nodes[element] = node;
};

const isAtomic = (schema: Schema): boolean =>
  schema.kind === "struct" || schema.kind === "map" ? schema.atomic : false;

/** A field no schema declares is merged by its shape. */
const schemaOf = (schema: Schema, field: string): Schema => fieldSchema(schema, field) ?? any;

const isDeclared = (schema: Schema, field: string): boolean =>
  schema.kind === "struct" && Object.hasOwn(schema.fields, field);

const mergesByItem = (schema: Schema): schema is ListSchema =>
  schema.kind === "list" && schema.relation !== "atomic";

/** The element that identifies a list item among its siblings. */
export function itemElement(schema: ListSchema, item: Json): string {
  if (schema.relation === "set") return valueElement(item);
  const keys: Record<string, Json> = {};
  if (isMap(item)) {
    for (const key of schema.keys) {
      const value = item[key] ?? schema.keyDefaults[key];
      if (value !== undefined) keys[key] = value;
    }
  }
  return keyElement(keys);
}

/** Every field an author names: what an apply owns. */
export function fieldSetOf(value: Json, schema: Schema): FieldSet {
  return ownedBelow(value, schema) ?? emptySet;
}

function ownedBelow(value: Json, schema: Schema): FieldSet | undefined {
  if (isMap(value)) {
    if (isAtomic(schema)) return nodeOf(true, {});
    const nodes: Nodes = {};
    for (const [field, inner] of Object.entries(value)) {
      const found = ownedBelow(inner, schemaOf(schema, field));
      const isLeaf = inner === null || (isMap(inner) && Object.keys(inner).length === 0);
      const isOwned = isLeaf || !isDeclared(schema, field) || isMember(found);
      put(nodes, fieldElement(field), nodeOf(isOwned, childrenOf(found)));
    }
    return nodeOf(false, nodes);
  }
  if (isList(value) && mergesByItem(schema)) {
    const nodes: Nodes = {};
    for (const item of value)
      put(
        nodes,
        itemElement(schema, item),
        nodeOf(true, childrenOf(ownedBelow(item, schema.items))),
      );
    return nodeOf(false, nodes);
  }
  return nodeOf(true, {});
}

/** `live` with everything `applied` says: maps and keyed lists merge, the rest is replaced. */
export function merge(live: Json | undefined, applied: Json, schema: Schema): Json {
  if (live === undefined || live === applied) return applied;
  if (isMap(live) && isMap(applied) && !isAtomic(schema)) {
    if (Object.keys(applied).length === 0) return Object.keys(live).length === 0 ? applied : live;
    const merged: Record<string, Json> = { ...live };
    for (const [field, value] of Object.entries(applied))
      merged[field] = merge(live[field], value, schemaOf(schema, field));
    return merged;
  }
  if (isList(live) && isList(applied) && mergesByItem(schema))
    return mergeLists(live, applied, schema);
  return applied;
}

/** Items keep the order of both lists where that is possible, and the applied one's where it is not. */
function mergeLists(live: readonly Json[], applied: readonly Json[], schema: ListSchema): Json {
  const liveElements = live.map((item) => itemElement(schema, item));
  const appliedElements = new Set(applied.map((item) => itemElement(schema, item)));
  const positions = new Map(liveElements.map((element, index) => [element, index]));
  const merged: Json[] = [];
  let next = 0;
  const takeLiveOnly = (end: number): void => {
    for (; next < end; next += 1) {
      const item = live[next];
      if (item !== undefined && !appliedElements.has(liveElements[next] ?? "")) merged.push(item);
    }
  };
  for (const item of applied) {
    const position = positions.get(itemElement(schema, item));
    if (position === undefined) {
      // What follows the last shared item in the live list comes before what is new.
      while (next < live.length && !appliedElements.has(liveElements[next] ?? ""))
        takeLiveOnly(next + 1);
      merged.push(item);
      continue;
    }
    takeLiveOnly(position);
    next = Math.max(next, position + 1);
    merged.push(merge(live[position], item, schema.items));
  }
  takeLiveOnly(live.length);
  return merged;
}

/** `value` without the items and fields in `set`, and everything below them. */
export function removeItems(value: Json, set: FieldSet, schema: Schema): Json {
  if (isMap(value)) {
    if (isAtomic(schema)) return value;
    const kept: Record<string, Json> = {};
    for (const [field, inner] of Object.entries(value)) {
      const element = fieldElement(field);
      if (hasElement(set, element)) continue;
      const subset = below(set, element);
      const left =
        subset !== undefined && hasChildren(subset)
          ? removeItems(inner, subset, schemaOf(schema, field))
          : inner;
      // A container that lost all its content stays as nothing: whoever owns it as such still does.
      kept[field] = left === inner || !isEmpty(left) ? left : null;
    }
    return kept;
  }
  if (isList(value) && mergesByItem(schema)) {
    const kept: Json[] = [];
    for (const item of value) {
      const element = itemElement(schema, item);
      if (hasElement(set, element)) continue;
      const subset = below(set, element);
      kept.push(
        subset !== undefined && hasChildren(subset)
          ? removeItems(item, subset, schema.items)
          : item,
      );
    }
    return kept;
  }
  return value;
}

const isEmpty = (value: Json): boolean =>
  isList(value) ? value.length === 0 : isMap(value) && Object.keys(value).length === 0;

export type Comparison = {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
};

const same: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };

/** What an update did, path by path. Parts that are shared are not looked at. */
export function compare(was: Json, is: Json, schema: Schema): Comparison {
  if (was === is) return same;
  const found = compareNodes(was, is, schema);
  return {
    added: found.added ?? emptySet,
    modified: found.modified ?? emptySet,
    removed: found.removed ?? emptySet,
  };
}

type Found = {
  readonly added?: FieldSet | undefined;
  readonly modified?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
};

const leaf: FieldSet = {};

function compareNodes(was: Json | undefined, is: Json | undefined, schema: Schema): Found {
  if (was === is) return {};
  const wasMap = isMap(was) ? was : undefined;
  const isMapNow = isMap(is) ? is : undefined;
  if (
    (wasMap ?? isMapNow) !== undefined &&
    (was === undefined || was === null || wasMap !== undefined) &&
    (is === undefined || is === null || isMapNow !== undefined) &&
    !isAtomic(schema) &&
    !(isEmptyOrNone(was) && isEmptyOrNone(is))
  )
    return around(was, is, compareMaps(was, is, schema));
  const wasList = isList(was) ? was : undefined;
  const isListNow = isList(is) ? is : undefined;
  if (
    mergesByItem(schema) &&
    (wasList ?? isListNow) !== undefined &&
    !(isEmptyOrNone(was) && isEmptyOrNone(is))
  )
    return around(was, is, compareLists(wasList ?? [], isListNow ?? [], schema));
  if (was === undefined) return { added: leaf };
  if (is === undefined) return { removed: leaf };
  return sameJson(was, is) ? {} : { modified: leaf };
}

const isEmptyOrNone = (value: Json | undefined): boolean =>
  value === undefined || value === null || isEmpty(value);

/** A map or list that came or went whole is itself in the set, beside what it holds. */
function around(was: Json | undefined, is: Json | undefined, inner: Found): Found {
  return {
    added: nodeOf(was === undefined, childrenOf(inner.added)),
    modified: inner.modified,
    removed: nodeOf(is === undefined, childrenOf(inner.removed)),
  };
}

function compareMaps(was: Json | undefined, is: Json | undefined, schema: Schema): Found {
  const all = new Collected();
  const before = isMap(was) ? was : {};
  const after = isMap(is) ? is : {};
  const visit = (field: string): void => {
    const inner = schemaOf(schema, field);
    // An object that is there has these already, if empty: filling them adds only their content.
    const blank = blankOf(schema, field, inner);
    const held = (fields: JsonMap, whole: Json | undefined): Json | undefined =>
      fields[field] === undefined && whole !== undefined ? blank : fields[field];
    all.add(fieldElement(field), compareNodes(held(before, was), held(after, is), inner));
  };
  for (const field of Object.keys(after)) if (before[field] !== after[field]) visit(field);
  for (const field of Object.keys(before)) if (!Object.hasOwn(after, field)) visit(field);
  return all.found();
}

/** What an empty object holds in a field that it always has; `undefined` for any other field. */
function blankOf(schema: Schema, field: string, inner: Schema): Json | undefined {
  if (schema.kind !== "struct" || !schema.inline.has(field) || inner.kind === "scalar")
    return undefined;
  return inner.kind === "list" ? [] : {};
}

function compareLists(was: readonly Json[], is: readonly Json[], schema: ListSchema): Found {
  const all = new Collected();
  const before = new Map(was.map((item) => [itemElement(schema, item), item]));
  const after = new Map(is.map((item) => [itemElement(schema, item), item]));
  for (const [element, item] of after)
    all.add(element, compareNodes(before.get(element), item, schema.items));
  for (const [element, item] of before)
    if (!after.has(element)) all.add(element, compareNodes(item, undefined, schema.items));
  return all.found();
}

class Collected {
  readonly #added: Nodes = {};
  readonly #modified: Nodes = {};
  readonly #removed: Nodes = {};

  add(element: string, found: Found): void {
    put(this.#added, element, found.added);
    put(this.#modified, element, found.modified);
    put(this.#removed, element, found.removed);
  }

  found(): Found {
    return {
      added: nodeOf(false, this.#added),
      modified: nodeOf(false, this.#modified),
      removed: nodeOf(false, this.#removed),
    };
  }
}

/** Declared fields that hold something in the set become members: removing their content removes them. */
export function withNamedFields(set: FieldSet, schema: Schema): FieldSet {
  return namedBelow(set, schema);
}

function namedBelow(node: FieldSet, schema: Schema): FieldSet {
  const nodes: Nodes = {};
  for (const [element, child] of Object.entries(node)) {
    if (element === ".") continue;
    const isField = element.startsWith("f:");
    const field = element.slice(2);
    const inner = isField ? schemaOf(schema, field) : schema.kind === "list" ? schema.items : any;
    const isNamed = isField && isDeclared(schema, field);
    put(nodes, element, nodeOf(isNamed || isMember(child), childrenOf(namedBelow(child, inner))));
  }
  return nodes;
}

/** Values that do not fit the schema, as the API names them: `.spec.foo: field not declared in schema`. */
export function schemaProblems(value: Json, schema: Schema, path = ""): readonly string[] {
  if (value === null) return [];
  switch (schema.kind) {
    case "any":
      return [];
    case "scalar":
      return scalarProblem(value, schema.type, path);
    case "map":
      if (!isMap(value)) return [`${path}: expected map, got &{${goText(value)}}`];
      return Object.entries(value).flatMap(([field, inner]) =>
        schemaProblems(inner, schema.values, `${path}.${field}`),
      );
    case "struct":
      if (!isMap(value)) return [`${path}: expected map, got &{${goText(value)}}`];
      return Object.entries(value).flatMap(([field, inner]) => {
        const known = fieldSchema(schema, field);
        return known === undefined
          ? [`${path}.${field}: field not declared in schema`]
          : schemaProblems(inner, known, `${path}.${field}`);
      });
    case "list":
      return listProblems(value, schema, path);
    default:
      return unreachable(schema, "schema");
  }
}

function listProblems(value: Json, schema: ListSchema, path: string): readonly string[] {
  if (!isList(value)) return [`${path}: expected list, got &{${goText(value)}}`];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    let here = `${path}[${index}]`;
    if (schema.relation === "map") {
      const missing = schema.keys.find(
        (key) => !isMap(item) || (item[key] ?? schema.keyDefaults[key]) === undefined,
      );
      if (missing !== undefined) {
        problems.push(
          `${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`,
        );
        continue;
      }
      const element = itemElement(schema, item);
      const keys = JSON.parse(element.slice(2)) as JsonMap;
      const text = Object.entries(keys).map(([key, part]) => `${key}=${JSON.stringify(part)}`);
      here = `${path}[${text.join(",")}]`;
      if (seen.has(element))
        problems.push(`${path}: duplicate entries for key [${text.join(",")}]`);
      seen.add(element);
    } else if (schema.relation === "set") {
      const element = itemElement(schema, item);
      here = `${path}[=${JSON.stringify(item)}]`;
      if (seen.has(element))
        problems.push(`${path}: duplicate entries for key [=${JSON.stringify(item)}]`);
      seen.add(element);
    }
    problems.push(...schemaProblems(item, schema.items, here));
  }
  return problems;
}

function scalarProblem(value: Json, type: string, path: string): readonly string[] {
  const shape = shapeOf(value);
  const said = `&value.valueUnstructured{Value:${goValue(value)}}`;
  switch (type) {
    case "string":
      return shape === "string" ? [] : [`${path}: expected string, got ${said}`];
    case "bool":
      return shape === "boolean" ? [] : [`${path}: expected boolean, got &{${goText(value)}}`];
    case "int32":
    case "int64":
    case "number":
      return shape === "number"
        ? []
        : [`${path}: expected numeric (int or float), got ${goType(value)}`];
    default:
      return shape === "number" || shape === "string"
        ? []
        : [`${path}: expected string, got ${said}`];
  }
}

const shapeOf = (value: Json): string =>
  value === null ? "null" : isList(value) ? "list" : isMap(value) ? "map" : typeof value;
