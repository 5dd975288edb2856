import { printValue } from "./template/print.ts";
import { isGoList, isGoMap, sortedKeys, type GoMap, type GoValue } from "./template/value.ts";

/** What one run of a generator knows: nested values for Go templates, flat text for `{{name}}`. */
export type Params = GoMap;

/**
 * Params with nested names joined by dots and list items by their number, every value as text.
 * Empty maps and lists vanish, null is `<nil>`.
 */
export function flattened(params: Params): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  flattenInto(flat, "", params);
  return flat;
}

function flattenInto(flat: Map<string, string>, prefix: string, value: GoValue): void {
  const under = (key: string): string => (prefix === "" ? key : `${prefix}.${key}`);
  if (isGoMap(value)) {
    for (const key of sortedKeys(value)) flattenInto(flat, under(key), value.get(key));
  } else if (isGoList(value)) {
    value.forEach((item, index) => flattenInto(flat, under(String(index)), item));
  } else {
    flat.set(prefix, printValue(value));
  }
}

/** `over` onto `base`: maps are merged, everything else is replaced, by empty values and null too. */
export function deepMerged(base: Params, over: Params): Params {
  const merged = new Map<string, GoValue>(base);
  for (const [key, value] of over) {
    const before = merged.get(key);
    // Values may be shared, since nothing ever changes one: a merged map is a new map.
    merged.set(key, isGoMap(before) && isGoMap(value) ? deepMerged(before, value) : value);
  }
  return merged;
}

/** Two sets of flat params as one, all values as text. Fails on a key they disagree about. */
export type Combined =
  | { readonly ok: true; readonly params: Params }
  | { readonly ok: false; readonly key: string; readonly a: string; readonly b: string };

export function combinedText(a: Params, b: Params): Combined {
  const combined = new Map<string, GoValue>();
  for (const [key, value] of a) combined.set(key, printValue(value));
  for (const [key, value] of b) {
    const text = printValue(value);
    const before = combined.get(key);
    if (typeof before === "string" && before !== text)
      return { ok: false, key, a: before, b: text };
    combined.set(key, text);
  }
  return { ok: true, params: combined };
}
