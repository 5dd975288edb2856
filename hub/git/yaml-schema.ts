import {
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  Schema,
  strTag,
} from "js-yaml";
import type { Json } from "../../proto/words/digest.ts";
import { printFloat } from "../domain/template/floats.ts";

/**
 * What Go's readers make of tags, keys and merges. Everything it makes is Json, but for a value that stands
 * alone in its document: that one goes through `plainValue`.
 *
 * One schema reads one text: it counts what its merges copy.
 */
export function goSchema(mergedKeysMost: number): Schema {
  let mergedKeys = 0;
  /** Keys that a merge brought and nobody wrote: to write one of them is no duplicate. */
  const brought = new WeakMap<JsonMap, Set<string>>();

  const merge = (map: JsonMap, source: unknown): string => {
    // Go sets one after the other, so the first of a list comes last and wins.
    for (const item of Array.isArray(source) ? source.toReversed() : [source]) {
      const merged = plainValue(item);
      if (typeof merged !== "object" || merged === null || Array.isArray(merged))
        return "cannot merge mappings: << takes a mapping, or a list of mappings";
      const keys = Object.entries<Json>(merged);
      mergedKeys += keys.length + 1;
      if (mergedKeys > mergedKeysMost) return `merge keys exceeded their limit (${mergedKeysMost})`;
      const names = brought.get(map) ?? new Set();
      brought.set(map, names);
      for (const [key, value] of keys) {
        if (!Object.hasOwn(map, key)) names.add(key);
        map[key] = value;
      }
    }
    return "";
  };

  const addPair = (map: JsonMap, key: unknown, value: unknown): string => {
    if (key === mergeMark) return merge(map, value);
    const text = keyText(key);
    if (text === undefined)
      return `a key must be text, a number or a boolean, got ${key === null ? "null" : typeof key}`;
    // An own `__proto__` is harmless here and poison in whatever copies it by assignment.
    if (text === "__proto__") return 'the key "__proto__" is refused';
    const plain = plainValue(value);
    if (plain === undefined) return noPlaceInJson;
    map[text] = plain;
    brought.get(map)?.delete(text);
    return "";
  };

  const mapping = (tagName: string, matchByTagPrefix: boolean) =>
    defineMappingTag<JsonMap>(tagName, {
      matchByTagPrefix,
      create: () => ({}),
      addPair,
      has: (map, key) => {
        const text = keyText(key);
        return (
          text !== undefined && Object.hasOwn(map, text) && brought.get(map)?.has(text) !== true
        );
      },
      keys: (map) => Object.keys(map),
      get: (map, key) => map[keyText(key) ?? ""],
      identify: () => false,
    });

  return new Schema([
    ...scalarTags,
    mapping("tag:yaml.org,2002:map", false),
    mapping(anyTag, true),
    sequence("tag:yaml.org,2002:seq", false),
    sequence(anyTag, true),
  ]);
}

type JsonMap = { [key: string]: Json };

/** As a prefix of tag names: every tag. Go reads what it does not know as if the tag were not there. */
const anyTag = "";

export const noPlaceInJson =
  "infinity and NaN have no place in JSON, which is what Kubernetes reads";

/** A float as long as it may still become a key, which Go spells otherwise than whole numbers. */
class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** What an unquoted `<<` is, until it turns out to be no key. */
const mergeMark = Symbol("<<");

/** The Json of a constructed value; `undefined` for infinity and NaN. */
export function plainValue(value: unknown): Json | undefined {
  if (value === mergeMark) return "<<";
  // The tags here make nothing but what Json names.
  if (!(value instanceof Float)) return value as Json;
  return Number.isFinite(value.value) ? value.value : undefined;
}

function keyText(key: unknown): string | undefined {
  switch (typeof key) {
    case "string":
      return key;
    case "number":
    case "bigint":
    case "boolean":
      return String(key);
    case "object":
      return key instanceof Float ? floatKey(key.value) : undefined;
    default:
      return undefined;
  }
}

/** As Go's JSON conversion spells a float that is a key: with the digits of single precision. */
function floatKey(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return ".nan";
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf";
  let digits = 0;
  while (digits < 8 && Math.fround(Number(single.toExponential(digits))) !== single) digits += 1;
  return printFloat(Number(single.toExponential(digits)));
}

const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
const floatForm = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const infinityForm = /^[-+]?\.(?:inf|Inf|INF)$/;
const nanForm = /^\.(?:nan|NaN|NAN)$/;
const integerForm =
  /^(?<sign>[-+]?)(?:(?<zero>0)|0[xX](?<hex>[0-9a-fA-F]+)|0[bB](?<binary>[01]+)|0[oO]?(?<octal>[0-7]+)|(?<decimal>[1-9][0-9]*))$/;
const signedBinaryForm = /^0b(?<sign>[-+])(?<binary>[01]+)$/;
const uint64Most = 2n ** 64n - 1n;
const int64Least = -(2n ** 63n);

/** Go's integer, or `undefined` when the text is none or does not fit 64 bits (Go then tries a float). */
function goInteger(plain: string): number | bigint | undefined {
  const groups = (integerForm.exec(plain) ?? signedBinaryForm.exec(plain))?.groups;
  if (groups === undefined) return undefined;
  const { sign, hex, binary, octal, decimal } = groups;
  let magnitude = 0n;
  if (hex !== undefined) magnitude = BigInt(`0x${hex}`);
  else if (binary !== undefined) magnitude = BigInt(`0b${binary}`);
  else if (octal !== undefined) magnitude = BigInt(`0o${octal}`);
  else if (decimal !== undefined) magnitude = BigInt(decimal);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value > uint64Most || value < int64Least) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const intTag = defineScalarTag<number | bigint>("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: ["-", "+", ...digits],
  resolve: (source) => goInteger(source.replaceAll("_", "")) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag<Float>("tag:yaml.org,2002:float", {
  implicit: true,
  implicitFirstChars: ["-", "+", ".", ...digits],
  resolve: (source, isExplicit) => {
    if (infinityForm.test(source)) return new Float(source.startsWith("-") ? -Infinity : Infinity);
    if (nanForm.test(source)) return new Float(NaN);
    // Go drops underscores only from what begins like a number; `.5_0` stays text.
    const plain = source.startsWith(".") ? source : source.replaceAll("_", "");
    const integer = isExplicit ? goInteger(plain) : undefined;
    if (integer !== undefined) return new Float(Number(integer));
    if (!floatForm.test(plain)) return NOT_RESOLVED;
    const value = Number(plain);
    return Number.isFinite(value) ? new Float(value) : NOT_RESOLVED;
  },
  identify: () => false,
});

/** Under a name of its own: the library would merge by its own rules what has the name of the merge tag. */
const mergeTag = defineScalarTag("tag:yaml.org,2002:merge-mark", {
  implicit: true,
  implicitFirstChars: ["<"],
  resolve: (source) => (source === "<<" ? mergeMark : NOT_RESOLVED),
  identify: () => false,
});

const binaryForm = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Text, however its bytes read: Go puts them into a string as they are. */
const binaryTag = defineScalarTag("tag:yaml.org,2002:binary", {
  resolve: (source) => {
    const base64 = source.replaceAll(/[\r\n]/g, "");
    return binaryForm.test(base64) ? Buffer.from(base64, "base64").toString("utf8") : NOT_RESOLVED;
  },
  identify: () => false,
});

const otherTag = defineScalarTag(anyTag, {
  matchByTagPrefix: true,
  resolve: (source, _isExplicit, tagName) =>
    source === "<<" && tagName === "tag:yaml.org,2002:merge" ? mergeMark : source,
  identify: () => false,
});

const scalarTags = [
  strTag,
  nullYaml11Tag,
  boolYaml11Tag,
  intTag,
  floatTag,
  mergeTag,
  binaryTag,
  otherTag,
];

const sequence = (tagName: string, matchByTagPrefix: boolean) =>
  defineSequenceTag<Json[]>(tagName, {
    matchByTagPrefix,
    create: () => [],
    addItem: (list, item) => {
      const plain = plainValue(item);
      if (plain === undefined) return noPlaceInJson;
      list.push(plain);
      return "";
    },
    identify: () => false,
  });
