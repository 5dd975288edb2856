import { FunctionError, mutating, takes, takesMany, type TemplateFunction } from "../function.ts";
import {
  deepCopyOf,
  deepEqual,
  isGoMap,
  kindName,
  NilMap,
  sortedKeys,
  stringList,
  StringMap,
  type GoMap,
  type GoValue,
} from "../value.ts";
import { chargeForEntries, chargeForItems } from "../measure.ts";
import { asMap, asText, isEmpty, present, textOf } from "./convert.ts";

/** The map that a mutating function changes: a copy of the params, or one the template made. */
function changeable(map: GoMap): Map<string, GoValue> {
  if (map instanceof NilMap) throw new FunctionError("assignment to entry in nil map");
  if (map instanceof Map) return map as Map<string, GoValue>;
  throw new TypeError("a map that is no Map");
}

const deep = takes(["any"], ([value]) => {
  if (!present(value)) throw new FunctionError("reflect: call of reflect.Value.Type on zero Value");
  return deepCopyOf(value);
});

const merge = (overwrites: boolean): TemplateFunction =>
  mutating(
    takesMany(["map"], "map", ([target], sources) => {
      if (sources.length === 0) return target;
      const merged = target instanceof NilMap ? new Map<string, GoValue>() : changeable(target);
      for (const source of sources) mergeInto(merged, source, overwrites);
      return merged;
    }),
  );

export const dictFunctions: readonly (readonly [string, TemplateFunction])[] = [
  [
    "dict",
    takesMany([], "any", (_, values, context) => {
      chargeForEntries(values.length / 2, context.charge);
      const map = new Map<string, GoValue>();
      for (let index = 0; index < values.length; index += 2) {
        const value = index + 1 < values.length ? values[index + 1] : "";
        map.set(textOf(values[index]), value);
      }
      return map;
    }),
  ],
  ["get", takes(["map", "string"], ([map, key]) => (map.has(key) ? map.get(key) : ""))],
  [
    "set",
    mutating(
      takes(["map", "string", "any"], ([map, key, value], context) => {
        chargeForEntries(1, context.charge);
        return changeable(map).set(key, value);
      }),
    ),
  ],
  [
    "unset",
    mutating(
      takes(["map", "string"], ([map, key]) => {
        if (!(map instanceof NilMap)) changeable(map).delete(key);
        return map;
      }),
    ),
  ],
  ["hasKey", takes(["map", "string"], ([map, key]) => map.has(key))],
  [
    "pluck",
    takesMany(["string"], "map", ([key], maps, context) => {
      chargeForItems(maps.length, context.charge);
      return maps.flatMap((map) => (map.has(key) ? [map.get(key)] : []));
    }),
  ],
  // Go gives keys and values in any order; sorted is one of them, and always the same.
  [
    "keys",
    takesMany([], "map", (_, maps) => stringList(maps.flatMap((map) => [...sortedKeys(map)]))),
  ],
  ["values", takes(["map"], ([map]) => sortedKeys(map).map((key) => map.get(key)))],
  [
    "pick",
    takesMany(["map"], "string", ([map], keys, context) => {
      chargeForEntries(keys.length, context.charge);
      return new Map(keys.flatMap((key) => (map.has(key) ? [[key, map.get(key)] as const] : [])));
    }),
  ],
  [
    "omit",
    takesMany(["map"], "string", ([map], keys) => {
      const omitted = new Set(keys);
      return new Map([...map].filter(([key]) => !omitted.has(key)));
    }),
  ],
  ["merge", merge(false)],
  ["mustMerge", merge(false)],
  ["mergeOverwrite", merge(true)],
  ["mustMergeOverwrite", merge(true)],
  ["dig", takesMany([], "any", (_, values) => dig(values))],
  ["deepCopy", deep],
  ["mustDeepCopy", deep],
  ["deepEqual", takes(["any", "any"], ([a, b]) => deepEqual(a, b))],
  ["kindOf", takes(["any"], ([value]) => kindName(value))],
  ["kindIs", takes(["string", "any"], ([wanted, value]) => kindName(value) === wanted)],
];

function dig(values: readonly GoValue[]): GoValue {
  if (values.length < 3) throw new FunctionError("dig needs at least three arguments");
  let map = asMap(values.at(-1));
  const fallback = values.at(-2);
  const keys = values.slice(0, -2).map(asText);
  for (const [index, key] of keys.entries()) {
    if (!map.has(key)) return fallback;
    const value = map.get(key);
    if (index === keys.length - 1) return value;
    map = asMap(value);
  }
  return fallback;
}

/** mergo's merge: maps are merged, anything else is set where it was empty (nil is left out then), or always when overwriting. */
function mergeInto(target: Map<string, GoValue>, source: GoMap, overwrites: boolean): void {
  for (const key of sortedKeys(source)) {
    const value = source.get(key);
    if (!overwrites && (value === undefined || value === null)) continue;
    const before = target.get(key);
    if (isOpenMap(before) && isOpenMap(value)) mergeInto(changeable(before), value, overwrites);
    else if (overwrites || !target.has(key) || isEmpty(before)) target.set(key, value);
  }
}

const isOpenMap = (value: GoValue): value is GoMap =>
  isGoMap(value) && !(value instanceof StringMap);
