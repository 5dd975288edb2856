import { isStray, strayByte } from "./bytes.ts";
import { printFloat } from "./floats.ts";
import { GoInteger, GoObject, isGoMap, NamedInteger, sortedKeys, type GoValue } from "./value.ts";

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
  if (value instanceof NamedInteger || value instanceof GoObject) return value.text;
  if (value instanceof GoInteger) return value.value.toString();
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

/** strconv.IsPrint. */
export const isPrintable = (character: string): boolean => printable.test(character);

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

/** Text that stands between any quotes as it is. */
const plain = /^[ !#-&(-[\]-~]*$/;

/** strconv.Quote; with another `quote`, the form of a rune literal. */
export function goQuote(text: string, quote = '"', isShown = isPrintable): string {
  if (plain.test(text)) return quote + text + quote;
  let result = quote;
  for (const character of text) {
    if (character === quote) result += `\\${quote}`;
    else result += escapes.get(character) ?? (isShown(character) ? character : escaped(character));
  }
  return result + quote;
}

/** strconv.QuoteToASCII. */
export const goQuoteAscii = (text: string, quote = '"'): string =>
  goQuote(text, quote, (character) => character >= " " && character <= "~");

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (isStray(code)) return `\\x${hex(strayByte(code), 2)}`;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

export const hex = (value: number, width: number): string =>
  value.toString(16).padStart(width, "0");
