import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  GoInteger,
  GoObject,
  byteLength,
  bytesOf,
  elementTypeOf,
  goInfinity,
  integerOf,
  isGoList,
  isGoMap,
  overBytes,
  sortedKeys,
  StringMap,
  typeName,
  type GoValue,
} from "./value.ts";

/** How Go prints values: fmt's Sprint, Sprintf and the numbers of strconv. */

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

/** A float64 as `%v` prints it: shortest digits that round-trip, with an exponent below -4 and from 6 on. */
export function printFloat(value: number): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  // Whole numbers below a million are what nearly every template prints.
  if (value < 1e6 && value > -1e6 && Number.isInteger(value) && !Object.is(value, -0))
    return String(value);
  const { negative, digits, exponent } = shortest(value);
  const sign = negative ? "-" : "";
  return exponent < -4 || exponent >= 6
    ? sign + withExponent(digits, exponent)
    : sign + plain(digits, exponent);
}

type Decimal = {
  readonly negative: boolean;
  /** Without leading zeros; the point stands after the first. */
  readonly digits: string;
  readonly exponent: number;
};

function shortest(value: number): Decimal {
  const negative = value < 0 || Object.is(value, -0);
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return { negative, digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

const withExponent = (digits: string, exponent: number, letter = "e"): string => {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0] ?? "0"}${fraction}${letter}${exponent < 0 ? "-" : "+"}${power}`;
};

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, "0");
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** `value × 10^places`, rounded to a whole number, ties to even, without any error of its own. */
function scaled(value: number, places: number): bigint {
  const [numerator, denominator] = fractionOf(Math.abs(value));
  const top = places >= 0 ? numerator * 10n ** BigInt(places) : numerator;
  const bottom = places >= 0 ? denominator : denominator * 10n ** BigInt(-places);
  const whole = top / bottom;
  const rest = (top % bottom) * 2n;
  return rest > bottom || (rest === bottom && whole % 2n === 1n) ? whole + 1n : whole;
}

/** A finite float64 as an exact fraction. */
function fractionOf(value: number): readonly [bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const power = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = power === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = Math.max(power, 1) - 1075;
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
}

/** strconv.FormatFloat with a precision; the verbs of printf. */
export function formatFloat(value: number, verb: "e" | "f" | "g", precision: number): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  switch (verb) {
    case "f": {
      const digits = scaled(value, precision)
        .toString()
        .padStart(precision + 1, "0");
      const point = digits.length - precision;
      return sign + digits.slice(0, point) + (precision > 0 ? `.${digits.slice(point)}` : "");
    }
    case "e": {
      const { digits, exponent } = rounded(value, precision + 1);
      return sign + withExponent(digits.padEnd(precision + 1, "0"), exponent);
    }
    case "g": {
      const wanted = precision === 0 ? 1 : precision;
      const { digits, exponent } = rounded(value, wanted);
      const trimmed = digits.replace(/0+$/, "") || "0";
      return exponent < -4 || exponent >= wanted
        ? sign + withExponent(trimmed, exponent)
        : sign + plain(trimmed, exponent);
    }
    default:
      return unreachable(verb, "verb");
  }
}

function rounded(value: number, count: number): Decimal {
  if (value === 0) return { negative: false, digits: "0".repeat(count), exponent: 0 };
  let { exponent } = shortest(value);
  let digits = scaled(value, count - 1 - exponent).toString();
  if (digits.length > count) {
    exponent += 1;
    digits = digits.slice(0, count);
  }
  return { negative: value < 0, digits, exponent };
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

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

const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

type Flags = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
};

/** Wider fields and finer fractions than this are refused, as Go refuses absurd ones. */
const widthMost = 10_000;

/** `printf`: fmt.Sprintf, its complaints about wrong verbs and operands included. */
export function sprintf(format: string, operands: readonly GoValue[]): string {
  let output = "";
  let at = 0;
  let next = 0;
  let reordered = false;
  const characters = Array.from(format);

  const integerOperand = (): number | undefined => {
    const value = integerOf(operands[next]);
    next += 1;
    return value === undefined || value > BigInt(widthMost) || value < BigInt(-widthMost)
      ? undefined
      : Number(value);
  };
  const number = (): number | undefined => {
    let digits = "";
    while (/^[0-9]$/.test(characters[at] ?? "")) {
      digits += characters[at] ?? "";
      at += 1;
    }
    return digits === "" ? undefined : Math.min(Number(digits), widthMost + 1);
  };
  /** `[n]` picks the next operand. Returns false for a bad one. */
  const index = (): boolean => {
    if (characters[at] !== "[") return true;
    reordered = true;
    const close = characters.indexOf("]", at);
    if (close === -1) {
      at += 1;
      return false;
    }
    const text = characters.slice(at + 1, close).join("");
    at = close + 1;
    const wanted = /^[0-9]+$/.test(text) ? Number(text) : 0;
    if (wanted < 1 || wanted > operands.length) return false;
    next = wanted - 1;
    return true;
  };

  while (at < characters.length) {
    const character = characters[at] ?? "";
    at += 1;
    if (character !== "%") {
      output += character;
      continue;
    }
    const flags = { minus: false, plus: false, sharp: false, space: false, zero: false };
    for (; ; at += 1) {
      const flag = characters[at];
      if (flag === "-") flags.minus = true;
      else if (flag === "+") flags.plus = true;
      else if (flag === "#") flags.sharp = true;
      else if (flag === " ") flags.space = true;
      else if (flag === "0") flags.zero = true;
      else break;
    }
    let goodIndex = index();
    let width: number | undefined;
    let precision: number | undefined;
    if (characters[at] === "*") {
      at += 1;
      width = integerOperand();
      if (width === undefined) output += "%!(BADWIDTH)";
      else if (width < 0) {
        width = -width;
        flags.minus = true;
      }
    } else {
      width = number();
      if (width !== undefined && width > widthMost) {
        width = undefined;
        output += "%!(BADWIDTH)";
      }
    }
    if (characters[at] === ".") {
      at += 1;
      goodIndex = index() && goodIndex;
      if (characters[at] === "*") {
        at += 1;
        precision = integerOperand();
        if (precision === undefined || precision < 0) {
          precision = undefined;
          output += "%!(BADPREC)";
        }
      } else precision = number() ?? 0;
      if (precision !== undefined && precision > widthMost) {
        precision = undefined;
        output += "%!(BADPREC)";
      }
    }
    goodIndex = index() && goodIndex;
    const verb = characters[at];
    at += 1;
    if (verb === undefined) {
      output += "%!(NOVERB)";
      break;
    }
    if (verb === "%") {
      output += "%";
      continue;
    }
    if (!goodIndex) {
      output += `%!${verb}(BADINDEX)`;
      continue;
    }
    if (next >= operands.length) {
      output += `%!${verb}(MISSING)`;
      continue;
    }
    output += formatOperand(operands[next], verb, { ...flags, width, precision });
    next += 1;
  }
  if (!reordered && next < operands.length) {
    const extra = operands
      .slice(next)
      .map((value) =>
        (value ?? null) === null ? "<nil>" : `${typeName(value)}=${printValue(value)}`,
      );
    output += `%!(EXTRA ${extra.join(", ")})`;
  }
  return output;
}

function formatOperand(value: GoValue, verb: string, flags: Flags): string {
  if (value === undefined || value === null)
    return verb === "T" || verb === "v" ? padded("<nil>", flags) : `%!${verb}(<nil>)`;
  if (verb === "T") return padded(typeName(value), flags);
  if (verb === "v" && flags.sharp) return goSyntax(value);
  if (typeof value === "string") return formatText(value, verb, flags);
  if (typeof value === "boolean")
    return verb === "t" || verb === "v" ? padded(String(value), flags) : badVerb(value, verb);
  if (typeof value === "number") return formatNumber(value, verb, flags);
  const integer = integerOf(value);
  if (integer !== undefined) return formatInteger(value, integer, verb, flags);
  if (isGoList(value))
    return `[${value.map((item) => formatOperand(item, verb, flags)).join(" ")}]`;
  if (isGoMap(value))
    return `map[${sortedKeys(value)
      .map(
        (key) => `${formatOperand(key, verb, flags)}:${formatOperand(value.get(key), verb, flags)}`,
      )
      .join(" ")}]`;
  return formatText(printValue(value), verb, flags);
}

const badVerb = (value: GoValue, verb: string): string =>
  `%!${verb}(${typeName(value)}=${printValue(value)})`;

function formatText(value: string, verb: string, flags: Flags): string {
  const cut =
    flags.precision === undefined ? value : Array.from(value).slice(0, flags.precision).join("");
  switch (verb) {
    case "s":
    case "v":
      return padded(cut, flags);
    case "q":
      return padded(
        flags.sharp && !/[`\x00-\x08\x0a-\x1f\x7f\uFEFF]/.test(cut) ? `\`${cut}\`` : goQuote(cut),
        flags,
      );
    case "x":
    case "X": {
      const separator = flags.space ? " " : "";
      const bytes = bytesOf(value).slice(0, flags.precision);
      const text = Array.from(bytes)
        .map((byte) => hex(byte.charCodeAt(0), 2))
        .join(separator);
      return padded(verb === "X" ? text.toUpperCase() : text, flags);
    }
    default:
      return badVerb(value, verb);
  }
}

function formatNumber(value: number, verb: string, flags: Flags): string {
  const { precision } = flags;
  let text: string;
  switch (verb) {
    case "v":
    case "g":
    case "G":
      text = precision === undefined ? printFloat(value) : formatFloat(value, "g", precision);
      break;
    case "e":
    case "E":
      text = formatFloat(value, "e", precision ?? 6);
      break;
    case "f":
    case "F":
      text = formatFloat(value, "f", precision ?? 6);
      break;
    default:
      return badVerb(value, verb);
  }
  if (verb === "E" || verb === "G") text = text.toUpperCase().replace("INF", "Inf");
  if (!text.startsWith("-") && !text.startsWith("+"))
    text = (flags.plus ? "+" : flags.space ? " " : "") + text;
  // Infinity and NaN are not filled with zeros.
  return Number.isFinite(value) ? zeroPadded(text, flags) : padded(text, flags);
}

function formatInteger(value: GoValue, integer: bigint, verb: string, flags: Flags): string {
  const sign = integer < 0n ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const magnitude = integer < 0n ? -integer : integer;
  const inBase = (base: number, prefix: string): string => {
    const digits = magnitude.toString(base).padStart(flags.precision ?? 0, "0");
    const text = sign + prefix + (flags.precision === 0 && magnitude === 0n ? "" : digits);
    return flags.precision === undefined ? zeroPadded(text, flags) : padded(text, flags);
  };
  const character = (): string =>
    integer >= 0n && integer <= 0x10ffffn && !(integer >= 0xd800n && integer <= 0xdfffn)
      ? String.fromCodePoint(Number(integer))
      : "\uFFFD";
  switch (verb) {
    case "v":
    case "d":
      return inBase(10, "");
    case "b":
      return inBase(2, flags.sharp ? "0b" : "");
    case "o":
      return inBase(8, flags.sharp ? "0" : "");
    case "O":
      return inBase(8, "0o");
    case "x":
      return inBase(16, flags.sharp ? "0x" : "");
    case "X":
      return inBase(16, flags.sharp ? "0X" : "").toUpperCase();
    case "c":
      return padded(character(), flags);
    case "q":
      return padded(goQuote(character(), "'"), flags);
    case "U":
      return padded(`U+${magnitude.toString(16).toUpperCase().padStart(4, "0")}`, flags);
    default:
      return badVerb(value, verb);
  }
}

/** Fills with spaces to the width, counted in characters. */
function padded(text: string, flags: Flags): string {
  const missing = (flags.width ?? 0) - Array.from(text).length;
  if (missing <= 0) return text;
  return flags.minus ? text + " ".repeat(missing) : " ".repeat(missing) + text;
}

function zeroPadded(text: string, flags: Flags): string {
  if (!flags.zero || flags.minus) return padded(text, flags);
  const sign = /^[-+ ]/.test(text) ? (text[0] ?? "") : "";
  return sign + text.slice(sign.length).padStart((flags.width ?? 0) - sign.length, "0");
}

/** `%#v`. */
function goSyntax(value: GoValue): string {
  if (value === undefined || value === null) return "interface {}(nil)";
  if (typeof value === "string") return goQuote(value);
  if (value instanceof GoInteger && value.type === "uint8") return `0x${value.value.toString(16)}`;
  if (isGoList(value)) return `[]${elementTypeOf(value)}{${value.map(goSyntax).join(", ")}}`;
  if (isGoMap(value)) {
    const element = value instanceof StringMap ? "string" : "interface {}";
    const entries = sortedKeys(value).map((key) => `${goQuote(key)}:${goSyntax(value.get(key))}`);
    return `map[string]${element}{${entries.join(", ")}}`;
  }
  return printValue(value);
}

/** The first `count` bytes of a text. */
export const firstBytes = (text: string, count: number): string =>
  byteLength(text) <= count ? text : overBytes(text, (bytes) => bytes.slice(0, count));
