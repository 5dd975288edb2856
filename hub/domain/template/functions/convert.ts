import { FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { byteLength } from "../bytes.ts";
import { GoDuration } from "../time/go-duration.ts";
import { parseGoFloat, parseGoInteger, sizeOf } from "../parse.ts";
import { printValue, sprint } from "../print.ts";
import {
  GoInteger,
  GoObject,
  int,
  int64,
  isGoList,
  isGoMap,
  kindName,
  typeName,
  type GoList,
  type GoMap,
  type GoValue,
} from "../value.ts";

/** The conversions that sprig's functions share, and the functions that are nothing else. */

/** sprig's text of a value: itself, or what `%v` prints. */
export const textOf = (value: GoValue): string =>
  typeof value === "string" ? value : printValue(value);

/** Whether sprig calls a value empty: nil, zero, false, and what has no elements. */
export function isEmpty(value: GoValue): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  if (typeof value === "number") return value === 0;
  if (typeof value === "bigint") return value === 0n;
  if (value instanceof GoInteger) return value.value === 0n;
  if (isGoMap(value)) return value.size === 0;
  if (isGoList(value)) return value.length === 0;
  return false;
}

/** An int64 as spf13/cast makes it: numeric text counts, anything else is 0. */
export function toInteger(value: GoValue): bigint {
  if (typeof value === "bigint") return value;
  // A duration is an int64 and still counts for nothing, as spf13/cast has it.
  if (value instanceof GoInteger)
    return value instanceof GoDuration ? 0n : BigInt.asIntN(64, value.value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number") {
    const whole = Math.trunc(value);
    // Go leaves this conversion to the processor; we do not guess.
    if (!(whole >= -(2 ** 63) && whole < 2 ** 63))
      throw new FunctionError(`${printValue(value)} does not fit an int64`);
    return BigInt(whole);
  }
  if (typeof value !== "string") return 0n;
  const found = parseGoInteger(withoutZeroDecimals(value));
  return found === undefined || BigInt.asIntN(64, found) !== found ? 0n : found;
}

/** `12.0` counts as 12, as does `12.0.`, but `12.5` and `12.` are no integers at all. */
const withoutZeroDecimals = (text: string): string => text.replace(/\.0+\.*$/, "");

export function toFloat(value: GoValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "string") return parseGoFloat(value) ?? 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "bigint") return Number(value);
  // Unlike an int64, a float holds any uint64.
  if (value instanceof GoInteger) return value instanceof GoDuration ? 0 : Number(value.value);
  return 0;
}

/** Go's panic about a value that is something else than the code took for granted. */
export const wrongInterface = (value: GoValue, wanted: string): FunctionError =>
  new FunctionError(
    (value ?? null) === null
      ? `interface conversion: interface {} is nil, not ${wanted}`
      : `interface conversion: interface {} is ${typeName(value)}, not ${wanted}`,
  );

export function asText(value: GoValue): string {
  if (typeof value === "string") return value;
  throw wrongInterface(value, "string");
}

export function asMap(value: GoValue): GoMap {
  if (isGoMap(value) && typeName(value) === "map[string]interface {}") return value;
  throw wrongInterface(value, "map[string]interface {}");
}

/** The list a function works on; `verb` is for the complaint about everything else. */
export function asList(value: GoValue, verb: string): GoList {
  if (isGoList(value)) return value;
  throw new FunctionError(`Cannot ${verb} type ${kindOf(value)}`);
}

/** The kind of a value whose type Go asks for, which nil has none of. */
export function kindOf(value: GoValue): string {
  if ((value ?? null) === null)
    throw new FunctionError("runtime error: invalid memory address or nil pointer dereference");
  return kindName(value);
}

/** The index a slice expression takes; out of it Go panics. */
export function asIndex(value: bigint | number, length: number): number {
  const index = Number(value);
  if (index < 0 || index > length)
    throw new FunctionError(
      `runtime error: slice bounds out of range [${index < 0 ? "" : ":"}${index}${index < 0 ? ":" : `] with length ${length}`}${index < 0 ? "]" : ""}`,
    );
  return index;
}

export const present = (value: GoValue): boolean => value !== undefined && value !== null;

export const conversionFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["toString", takes(["any"], ([value]) => textOf(value))],
  ["atoi", takes(["string"], ([text]) => decimalOr0(text))],
  ["int", takes(["any"], ([value]) => int(toInteger(value)))],
  ["int64", takes(["any"], ([value]) => int64(toInteger(value)))],
  ["float64", takes(["any"], ([value]) => toFloat(value))],
  [
    "toDecimal",
    takes(["any"], ([value]) => {
      const read = signed(sprint([value]), /^[+-]?[0-7]+$/, "0o");
      return int64(fitted(read) === read ? read : 0n);
    }),
  ],
  ["typeOf", takes(["any"], ([value]) => typeName(value))],
  ["typeIs", takes(["string", "any"], ([wanted, value]) => typeName(value) === wanted)],
  [
    "typeIsLike",
    takes(["string", "any"], ([wanted, value]) => {
      const name = typeName(value);
      return name === wanted || name === `*${wanted}`;
    }),
  ],
  ["print", takesMany([], "any", (_, values) => sprint(values))],
  ["len", takes(["any"], ([value]) => lengthOf(value))],
];

function lengthOf(value: GoValue): GoValue {
  if (typeof value === "string") return BigInt(byteLength(value));
  if (isGoList(value)) return BigInt(value.length);
  if (isGoMap(value)) return BigInt(value.size);
  if ((value ?? null) === null) throw new FunctionError("len of nil pointer");
  throw new FunctionError(
    `len of type ${value instanceof GoObject ? value.type : typeName(value)}`,
  );
}

/** The integer a text of this form is, or 0. */
function signed(text: string, form: RegExp, prefix: "" | "0o"): bigint {
  if (!form.test(text)) return 0n;
  const size = sizeOf(prefix, text.replace(/^[+-]/, ""));
  return text.startsWith("-") ? -size : size;
}

/** The int64 that is nearest. */
const fitted = (value: bigint): bigint => {
  if (int(value) === value) return value;
  return value > 0n ? (1n << 63n) - 1n : -(1n << 63n);
};

/** strconv.Atoi, with 0 for what is no number. */
const decimalOr0 = (text: string): bigint => fitted(signed(text, /^[+-]?[0-9]+$/, ""));
