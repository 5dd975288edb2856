import type { Json } from "../../proto/words/digest.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";

/**
 * A generator's `template` over the set's: field by field, what the generator says wins where it says
 * something. Empty text, zero, false and empty lists say nothing, so a field cannot be cleared; lists
 * replace each other whole; mappings are merged by key.
 */
export function overriddenTemplate(
  generator: JsonObject | undefined,
  spec: JsonObject,
): JsonObject {
  if (generator === undefined) return spec;
  const merged = emptyObject();
  for (const key of new Set([...Object.keys(spec), ...Object.keys(generator)])) {
    const value = chosen(field(generator, key), field(spec, key));
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function chosen(over: Json | undefined, base: Json | undefined): Json | undefined {
  if (over === undefined || base === undefined) return over ?? base;
  if (isObject(over) && isObject(base)) return overriddenTemplate(over, base);
  return saysNothing(over) ? base : over;
}

const saysNothing = (value: Json): boolean =>
  value === null ||
  value === "" ||
  value === 0 ||
  value === 0n ||
  value === false ||
  (isList(value) && value.length === 0);
