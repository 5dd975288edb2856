import type { Json } from "../../proto/words/digest.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/**
 * A generator's `template` over the set's: field by field, what the generator says wins where it says
 * something. Empty text, zero, false and empty lists say nothing, so a field cannot be cleared; lists
 * and `valuesObject` of Helm replace each other whole; other mappings are merged by key.
 */
export function overriddenTemplate(
  generator: JsonObject | undefined,
  spec: JsonObject,
): JsonObject {
  if (generator === undefined) return spec;
  const merged = emptyObject();
  for (const key of new Set([...Object.keys(spec), ...Object.keys(generator)])) {
    const value = chosen(key, field(generator, key), field(spec, key));
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function chosen(key: string, over: Json | undefined, base: Json | undefined): Json | undefined {
  if (isAbsent(over)) return base;
  // Even false and zero are something over a field that has no value.
  if (isAbsent(base) || key === "valuesObject") return over;
  if (isObject(over) && isObject(base)) return overriddenTemplate(over, base);
  return saysNothingOver(base, over) ? base : over;
}

const isAbsent = (value: Json | undefined): value is null | undefined =>
  value === undefined || value === null;

// A `no` over a text says something: it wins, so that whoever reads it can complain.
function saysNothingOver(base: Json, over: Json): boolean {
  if (isList(over)) return isList(base) && over.length === 0;
  if (over === 0 || over === 0n) return typeof base === "number" || typeof base === "bigint";
  return (over === "" || over === false) && typeof over === typeof base;
}
