/** Plain JSON that is never changed in place: a changed document shares every part that did not change. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap;

export type JsonMap = { readonly [key: string]: Json };

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// Array.isArray does not narrow readonly arrays.
export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

const nothing: JsonMap = {};
const none: readonly Json[] = [];

/** The value at the end of a path of field names, or `undefined` when any step is missing. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let here = value;
  for (const step of path) {
    if (!isMap(here)) return undefined;
    here = here[step];
  }
  return here;
}

/** Like `at`, but a missing or unfitting value reads as an empty map. */
export function mapAt(value: Json | undefined, ...path: readonly string[]): JsonMap {
  const found = at(value, ...path);
  return isMap(found) ? found : nothing;
}

export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : none;
}

/** The items that are maps; anything else in the list is passed over. */
export const mapsAt = (value: Json | undefined, ...path: readonly string[]): readonly JsonMap[] =>
  listAt(value, ...path).filter(isMap);

export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export function numberAt(value: Json | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** A copy with `value` at the end of the path, making maps on the way; `undefined` removes the field. */
export function withAt(
  map: JsonMap,
  path: readonly [string, ...string[]],
  value: Json | undefined,
): JsonMap {
  const [field, ...rest] = path;
  const next = rest[0];
  if (next !== undefined) {
    const inner = mapAt(map, field);
    const changed = withAt(inner, [next, ...rest.slice(1)], value);
    return changed === inner && isMap(map[field]) ? map : { ...map, [field]: changed };
  }
  if (value === undefined) return field in map ? without(map, field) : map;
  return map[field] === value ? map : { ...map, [field]: value };
}

/** A copy without some fields. */
export function without(map: JsonMap, ...fields: readonly string[]): JsonMap {
  return Object.fromEntries(Object.entries(map).filter(([field]) => !fields.includes(field)));
}

/** A copy without fields that are `undefined`, so that optional parts can be written in place. */
export function compact(fields: { readonly [key: string]: Json | undefined }): JsonMap {
  const kept: Record<string, Json> = {};
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) kept[field] = value;
  }
  return kept;
}

/** Deep equality; the order of fields does not matter. Shared parts cost nothing. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a))
    return isList(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  if (!isMap(a) || !isMap(b)) return false;
  const fields = Object.keys(a);
  return (
    fields.length === Object.keys(b).length &&
    fields.every((field) => field in b && sameJson(a[field], b[field]))
  );
}
