import { printValue } from "./template/print.ts";
import {
  isGoList,
  isGoMap,
  sortedKeys,
  StringMap,
  TypedList,
  type GoMap,
  type GoValue,
} from "./template/value.ts";

/** What one run of a generator knows: nested values for Go templates, flat text for `{{name}}`. */
export type Params = GoMap;

/** A map of a Go type of its own: to a selector it is one value, and has nothing in it. */
export class OpaqueMap extends Map<string, GoValue> {}

/**
 * Params with nested names joined by dots and list items by their number, every value as text.
 * Empty maps and lists vanish, null is `<nil>`. A list of one type, such as the segments of a path, is one text.
 */
export function flattened(params: Params): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  for (const key of sortedKeys(params)) flattenInto(flat, key, params.get(key));
  return flat;
}

function flattenInto(flat: Map<string, string>, name: string, value: GoValue): void {
  if (isGoMap(value) && !(value instanceof OpaqueMap)) {
    for (const key of sortedKeys(value)) flattenInto(flat, `${name}.${key}`, value.get(key));
  } else if (isGoList(value) && !(value instanceof TypedList)) {
    value.forEach((item, index) => flattenInto(flat, `${name}.${index}`, item));
  } else {
    flat.set(name, printValue(value));
  }
}

/**
 * `over` onto `base`: maps are merged, everything else is replaced, by empty values and null too. Two maps of one Go
 * type become one of that type.
 */
export function deepMerged(base: Params, over: Params): Params {
  const merged = copyOfOneType(base, over);
  for (const [key, value] of over) {
    const before = merged.get(key);
    // Values may be shared, since nothing ever changes one: a merged map is a new map.
    merged.set(key, isGoMap(before) && isGoMap(value) ? deepMerged(before, value) : value);
  }
  return merged;
}

function copyOfOneType(base: GoMap, over: GoMap): Map<string, GoValue> {
  if (base instanceof StringMap && over instanceof StringMap) return new StringMap(base);
  if (base instanceof OpaqueMap && over instanceof OpaqueMap) return new OpaqueMap(base);
  return new Map(base);
}

/** Flat params, every value as text. */
export type Texts = ReadonlyMap<string, string>;

export function textsOf(params: Params): Texts {
  return isTexts(params)
    ? params
    : new Map([...params].map(([key, value]) => [key, printValue(value)]));
}

function isTexts(params: Params): params is Texts {
  for (const value of params.values()) if (typeof value !== "string") return false;
  return true;
}

/** Two sets of flat params as one. Fails on a key they disagree about. */
export type Combined =
  | { readonly ok: true; readonly params: Params }
  | { readonly ok: false; readonly key: string; readonly a: string; readonly b: string };

/** `shared` holds all names that both have, and others may be among them. */
export function combinedTexts(a: Texts, b: Texts, shared: readonly string[]): Combined {
  let both = 0;
  for (const key of shared) {
    const [ofA, ofB] = [a.get(key), b.get(key)];
    if (ofA === undefined || ofB === undefined) continue;
    if (ofA !== ofB) return { ok: false, key, a: ofA, b: ofB };
    both += 1;
  }
  return { ok: true, params: new TextsOfBoth(a, b, both) };
}

/**
 * What two maps say that agree where both say something. It looks into them rather than copy them: a matrix
 * makes a pair of every row and column, and a map of twenty texts costs as much as a whole Application.
 */
class TextsOfBoth extends Map<string, string> {
  readonly #a: Texts;
  readonly #b: Texts;
  readonly #shared: number;

  constructor(a: Texts, b: Texts, shared: number) {
    super();
    this.#a = a;
    this.#b = b;
    this.#shared = shared;
  }

  override get size(): number {
    return this.#a.size + this.#b.size - this.#shared;
  }

  override get(key: string): string | undefined {
    return this.#b.get(key) ?? this.#a.get(key);
  }

  override has(key: string): boolean {
    return this.#b.has(key) || this.#a.has(key);
  }

  override *entries(): MapIterator<[string, string]> {
    yield* this.#a.entries();
    for (const entry of this.#b) if (!this.#a.has(entry[0])) yield entry;
  }

  override [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  override *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  override *values(): MapIterator<string> {
    for (const [, text] of this.entries()) yield text;
  }

  override forEach(call: (text: string, key: string, map: Map<string, string>) => void): void {
    for (const [key, text] of this.entries()) call(text, key, this);
  }
}
