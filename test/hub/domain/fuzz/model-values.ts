import type { Json } from "../../../../proto/words/digest.ts";

/** What a generator knows in the model: JSON with maps, and maps of text apart from others as Go has them. */
export type ModelValue = null | boolean | number | string | readonly ModelValue[] | ModelMap;

export type ModelMap = ReadonlyMap<string, ModelValue>;

/** `map[string]string`. */
export class Texts extends Map<string, string> {}

/** `[]string`. */
export class Words extends Array<string> {}

/** An element, generator or text that can come to nothing. */
export class ModelFailure extends Error {}

type JsonMap = { readonly [key: string]: Json };

export const isJsonMap = (value: Json | undefined): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function entriesOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isJsonMap(value) ? Object.entries(value) : [];
}

export const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

export const own = (value: Json | undefined, key: string): Json | undefined =>
  isJsonMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;

export const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

export function modelValue(value: Json): ModelValue {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map(modelValue);
  if (isJsonMap(value))
    return new Map(entriesOf(value).map(([key, item]) => [key, modelValue(item)]));
  return value as ModelValue;
}

/** A map as JSON, whose keys may be called anything. */
export function jsonValue(value: ModelValue): Json {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [key, jsonValue(item)]));
  if (Array.isArray(value)) return (value as readonly ModelValue[]).map(jsonValue);
  return value as Json;
}

export function copyOf(value: ModelValue): ModelValue {
  if (value instanceof Texts) return new Texts(value);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, copyOf(item)]));
  return Array.isArray(value) ? (value as readonly ModelValue[]).map(copyOf) : value;
}

const sortedKeys = (map: ModelMap): readonly string[] =>
  [...map.keys()].toSorted((a, b) => (a < b ? -1 : 1));

/** `%v`, for numbers that are small. */
export function printed(value: ModelValue): string {
  if (value === null) return "<nil>";
  if (value instanceof Map)
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${printed(value.get(key) ?? null)}`)
      .join(" ")}]`;
  if (Array.isArray(value)) return `[${(value as readonly ModelValue[]).map(printed).join(" ")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Names joined by dots, every leaf as text. A list of texts is one. */
export function flatTexts(params: ModelMap): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  const walk = (prefix: string, value: ModelValue): void => {
    if (value instanceof Map) {
      for (const key of sortedKeys(value))
        walk(prefix === "" ? key : `${prefix}.${key}`, value.get(key) ?? null);
    } else if (Array.isArray(value) && !(value instanceof Words))
      (value as readonly ModelValue[]).forEach((item, index) => {
        walk(prefix === "" ? String(index) : `${prefix}.${index}`, item);
      });
    else flat.set(prefix, printed(value));
  };
  walk("", params);
  return flat;
}
