import { printFloat } from "./floats.ts";
import {
  GoInteger,
  GoObject,
  byteLength,
  isGoMap,
  overBytes,
  sortedKeys,
  type GoValue,
} from "./value.ts";

/** How Go prints values: fmt's Sprint and strconv's quotes. */

/** What an action writes. Nothing at all and nil are both `<no value>`. */
export const printAction = (value: GoValue): string =>
  typeof value === "string"
    ? value
    : value === undefined || value === null
      ? "<no value>"
      : printValue(value);

/** `%v`. */
export function printValue(value: GoValue): string {
  switch (typeof value) {
    case "string":
      return value;
    case "undefined":
      return "<nil>";
    case "boolean":
      return value ? "true" : "false";
    case "number":
      return printFloat(value);
    case "bigint":
      return value.toString();
    default:
      break;
  }
  if (value === null) return "<nil>";
  if (value instanceof GoInteger) return value.value.toString();
  if (value instanceof GoObject) return value.text;
  if (isGoMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${printValue(value.get(key))}`)
      .join(" ")}]`;
  return `[${value.map(printValue).join(" ")}]`;
}

/** `print`: a space between two operands when neither is text. */
export function sprint(values: readonly GoValue[]): string {
  let text = "";
  values.forEach((value, index) => {
    const before = values[index - 1];
    if (index > 0 && typeof value !== "string" && typeof before !== "string") text += " ";
    text += printValue(value);
  });
  return text;
}

/** `println`: a space between all operands, and a line end. */
export const sprintln = (values: readonly GoValue[]): string =>
  `${values.map(printValue).join(" ")}\n`;

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

const isPrintable = (character: string): boolean => printable.test(character);

const escapes: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
]);

/** strconv.Quote; with another `quote`, the form of a rune literal. */
export function goQuote(text: string, quote = '"'): string {
  let result = quote;
  for (const character of text) {
    if (character === quote) result += `\\${quote}`;
    else result += escapes.get(character) ?? escapedRune(character);
  }
  return result + quote;
}

function escapedRune(character: string): string {
  if (isPrintable(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

export const hex = (value: number, width: number): string =>
  value.toString(16).padStart(width, "0");

/** The first `count` bytes of a text. */
export const firstBytes = (text: string, count: number): string =>
  byteLength(text) <= count ? text : overBytes(text, (bytes) => bytes.slice(0, count));
