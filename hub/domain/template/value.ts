import type { Json } from "../../../proto/words/digest.ts";
import { isList, isObject } from "../document.ts";
import { bytesOf, wellFormed } from "./bytes.ts";
import type { TemplateFunction } from "./function.ts";

/**
 * A value as Go's text/template has it.
 *
 * `undefined` is no value at all (a missing key), `null` is nil. A JavaScript number is a float64 and a
 * bigint an int, because templates can tell them apart: `eq 1 1.0` is an error. Other integer types are a
 * GoInteger. Params come from JSON, so every number in them is a float64.
 */
export type GoValue =
  | undefined
  | null
  | boolean
  | string
  | number
  | bigint
  | GoInteger
  | GoObject
  | GoList
  | GoMap;

/** `[]interface {}`, or `[]string` and the like when it is a TypedList. */
export type GoList = readonly GoValue[];

/** `map[string]interface {}`, or `map[string]string` when it is a StringMap. */
export type GoMap = ReadonlyMap<string, GoValue>;

type IntegerType = "int64" | "uint64" | "uint8" | "int32" | `time.${string}`;

/** An integer that is not an `int`. Arithmetic functions of sprig give int64. */
export class GoInteger {
  readonly type: IntegerType;
  readonly value: bigint;

  constructor(type: IntegerType, value: bigint) {
    this.type = type;
    this.value = value;
  }

  /** How reflect names its kind. */
  get kind(): string {
    return this.type;
  }

  /** Another one of its type. */
  like(value: bigint): GoInteger {
    return new GoInteger(this.type, value);
  }

  get isUnsigned(): boolean {
    return this.type.startsWith("uint");
  }
}

/** An integer with a name for its type, with methods, and printed as a text: a month, a duration. */
export abstract class NamedInteger extends GoInteger {
  abstract override get kind(): "int" | "int64";
  abstract readonly text: string;
  /** `undefined`: there is no such method. */
  abstract method(name: string): TemplateFunction | undefined;
}

/** One field of a struct, which only printing shows. */
export type StructField = { readonly name: string } & (
  | { readonly kind: "unsigned" | "signed"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: string }
  /** A pointer that points to nothing. */
  | { readonly kind: "nowhere"; readonly type: string }
  /** A pointer: where it points to is another place every time. */
  | { readonly kind: "somewhere" }
);

/** A Go struct, or a pointer to one, with methods a template may call. It prints as its text. */
export abstract class GoObject {
  /** A star in front makes it a pointer. */
  abstract readonly type: string;
  abstract readonly text: string;
  /** What stands for it in JSON; `undefined` when JSON cannot hold it. */
  abstract readonly json: Json | undefined;
  /** Its fields in order; `undefined` when they are not known here. */
  abstract readonly fields: readonly StructField[] | undefined;
  /** `undefined`: there is no such method. */
  abstract method(name: string): TemplateFunction | undefined;
  /** Go's `==` with a value of the same type. */
  abstract equals(other: GoObject): boolean;
  /** reflect.DeepEqual with a value of the same type. */
  abstract deepEquals(other: GoObject): boolean;

  get isPointer(): boolean {
    return this.type.startsWith("*");
  }
}

export const hasMethods = (value: GoValue): value is GoObject | NamedInteger =>
  value instanceof GoObject || value instanceof NamedInteger;

/** A list whose elements have one Go type. Only its name, and what nothing is, differ from other lists. */
export class TypedList<T extends GoValue = GoValue> extends Array<T> {
  elementType = "interface {}";

  // What is made of it by map, filter and slice is an ordinary list.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

export function typedList<T extends GoValue>(
  elementType: string,
  items: readonly T[],
): TypedList<T> {
  const list = new TypedList<T>();
  list.elementType = elementType;
  for (const item of items) list.push(item);
  return list;
}

/** A slice that was never made: printed as an empty one, and null in JSON. */
export class NilList extends TypedList<never> {}

export function nilList(elementType: string): GoList {
  const list = new NilList();
  list.elementType = elementType;
  return list;
}

export const stringList = (items: readonly string[]): GoList => typedList("string", items);

/** `map[string]string`: what is missing in it is empty text rather than nil. */
export class StringMap extends Map<string, string> {}

/** A map that was never made: empty, and nothing can be put into it. */
export class NilMap extends Map<string, GoValue> {}

export const int64 = (value: bigint): GoInteger => new GoInteger("int64", BigInt.asIntN(64, value));

/** An `int` of Go, which has 64 bits and wraps around. */
export const int = (value: bigint | number): bigint => BigInt.asIntN(64, BigInt(value));

export const isGoMap = (value: GoValue): value is GoMap => value instanceof Map;

// Array.isArray does not narrow readonly arrays.
export const isGoList = (value: GoValue): value is GoList => Array.isArray(value);

/** The value of any integer type; `undefined` for everything else. */
export const integerOf = (value: GoValue): bigint | undefined =>
  typeof value === "bigint" ? value : value instanceof GoInteger ? value.value : undefined;

/** How `%T` names its type. */
export function typeName(value: GoValue): string {
  switch (typeof value) {
    case "undefined":
      return "<nil>";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "number":
      return "float64";
    case "bigint":
      return "int";
    default:
      break;
  }
  if (value === null) return "<nil>";
  if (value instanceof GoInteger) return value.type;
  if (value instanceof GoObject) return value.type;
  if (value instanceof StringMap) return "map[string]string";
  if (isGoMap(value)) return "map[string]interface {}";
  return `[]${elementTypeOf(value)}`;
}

const elementTypeOf = (list: GoList): string =>
  list instanceof TypedList ? list.elementType : "interface {}";

/** How reflect names its kind. */
export function kindName(value: GoValue): string {
  if (value === undefined || value === null) return "invalid";
  if (isGoMap(value)) return "map";
  if (isGoList(value)) return "slice";
  if (value instanceof GoObject) return value.isPointer ? "ptr" : "struct";
  if (value instanceof GoInteger) return value.kind;
  return typeName(value);
}

/** What `if`, `with`, `and`, `or` and `not` take for true. */
export function isTruthy(value: GoValue): boolean {
  switch (typeof value) {
    case "undefined":
      return false;
    case "boolean":
      return value;
    case "string":
      return value !== "";
    case "number":
      return value !== 0;
    case "bigint":
      return value !== 0n;
    default:
      break;
  }
  if (value === null) return false;
  if (value instanceof GoInteger) return value.value !== 0n;
  if (value instanceof GoObject) return true;
  return isGoMap(value) ? value.size > 0 : value.length > 0;
}

/** Order of the bytes of two texts in UTF-8, which is how Go sorts keys. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const surrogateX = x >= 0xd800 && x <= 0xdfff;
    const surrogateY = y >= 0xd800 && y <= 0xdfff;
    if (!surrogateX && !surrogateY) return x - y;
    if (!a.isWellFormed() || !b.isWellFormed()) return bytesOf(a) < bytesOf(b) ? -1 : 1;
    // Surrogates stand for characters above the rest of the basic plane.
    return surrogateX === surrogateY ? x - y : surrogateX ? 1 : -1;
  }
  return a.length - b.length;
}

export const sortedKeys = (map: GoMap): readonly string[] => [...map.keys()].toSorted(compareBytes);

/** A JSON value as Go decodes it into an interface: every number a float64, every text well-formed. */
export function goValueOf(value: Json): GoValue {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "bigint") return Number(value);
  if (isList(value)) return value.map(goValueOf);
  if (isObject(value))
    return new Map(
      Object.keys(value).map((key) => [wellFormed(key), goValueOf(value[key] ?? null)]),
    );
  return value;
}

/** The JSON value Go would encode. Throws TypeError for what JSON cannot hold: NaN, infinities. */
export function jsonOf(value: GoValue): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`json: unsupported value: ${goInfinity(value)}`);
  if (value instanceof GoInteger) return value.value;
  if (value instanceof GoObject) return value.json ?? value.text;
  if (isGoMap(value)) {
    const object = Object.create(null) as { [key: string]: Json };
    for (const [key, item] of value) object[key] = jsonOf(item);
    return object;
  }
  if (value instanceof NilList) return null;
  if (isGoList(value)) return value.map(jsonOf);
  return value;
}

export const goInfinity = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";

/** A copy that shares nothing that can change. */
export function deepCopyOf(value: GoValue): GoValue {
  if (value instanceof StringMap) return new StringMap(value);
  // Nothing can be put into what was never made, and a copy of it would be made.
  if (value instanceof NilList || value instanceof NilMap) return value;
  if (isGoMap(value)) return new Map([...value].map(([key, item]) => [key, deepCopyOf(item)]));
  if (value instanceof TypedList) return typedList(value.elementType, value.map(deepCopyOf));
  if (isGoList(value)) return value.map(deepCopyOf);
  return value;
}

/** reflect.DeepEqual: types count, so 1 and 1.0 differ. */
export function deepEqual(a: GoValue, b: GoValue): boolean {
  if (typeName(a) !== typeName(b) || a instanceof NilList !== b instanceof NilList) return false;
  if (a instanceof GoInteger && b instanceof GoInteger) return a.value === b.value;
  if (a instanceof GoObject && b instanceof GoObject) return a.deepEquals(b);
  if (isGoMap(a) && isGoMap(b)) {
    if (a.size !== b.size) return false;
    for (const [key, item] of a) if (!b.has(key) || !deepEqual(item, b.get(key))) return false;
    return true;
  }
  if (isGoList(a) && isGoList(b))
    return a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  // undefined and null are one nil.
  return (a ?? null) === (b ?? null);
}
