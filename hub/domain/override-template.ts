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
  return saysNothing(over) ? base : over;
}

const isAbsent = (value: Json | undefined): value is null | undefined =>
  value === undefined || value === null;

const saysNothing = (value: Json): boolean =>
  value === "" ||
  value === 0 ||
  value === 0n ||
  value === false ||
  (isList(value) && value.length === 0);
