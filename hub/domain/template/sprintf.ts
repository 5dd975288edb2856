import { FunctionError } from "./function.ts";
import { GoTime } from "./time/go-time.ts";
import { binaryFloat, formatFloat, hexFloat, printFloat } from "./floats.ts";
import { goQuote, hex, printValue } from "./print.ts";
import {
  GoInteger,
  StringMap,
  bytesOf,
  elementTypeOf,
  integerOf,
  isGoList,
  isGoMap,
  sortedKeys,
  typeName,
  type GoValue,
} from "./value.ts";

/** Go's fmt.Sprintf: verbs, flags, widths, picked operands, and what it says of those that do not fit. */

type Flags = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
};

/** Wider fields and finer fractions are refused; Go goes on to a million and then misreads the verb. */
const widthMost = 10_000;

function bounded(width: number): number {
  if (width <= widthMost) return width;
  throw new FunctionError(`a width or precision of more than ${widthMost}`);
}

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
    if (value === undefined) return undefined;
    bounded(Math.abs(Number(value)));
    return Number(value);
  };
  const number = (): number | undefined => {
    let digits = "";
    while (/^[0-9]$/.test(characters[at] ?? "")) {
      digits += characters[at] ?? "";
      at += 1;
    }
    return digits === "" ? undefined : bounded(Number(digits));
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
    } else width = number();
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
    // For `%v` a plus asks for field names, not for signs.
    const plus = flags.plus && verb !== "v";
    output += formatOperand(operands[next], verb, { ...flags, plus, width, precision });
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
  if (value instanceof GoTime && (!"vsqxX".includes(verb) || (verb === "v" && flags.sharp)))
    throw new FunctionError(`%${verb} would print the insides of a time, which are Go's own`);
  if (verb === "v" && flags.sharp) return goSyntax(value);
  if (typeof value === "string") return formatText(value, verb, flags);
  if (typeof value === "boolean")
    return verb === "t" || verb === "v"
      ? padded(String(value), flags)
      : badVerb(value, verb, flags);
  if (typeof value === "number") return formatNumber(value, verb, flags);
  const integer = integerOf(value);
  if (integer !== undefined) return formatInteger(value, integer, verb, flags);
  if (isGoList(value))
    return `[${value.map((item) => formatElement(item, verb, flags)).join(" ")}]`;
  if (isGoMap(value))
    return `map[${sortedKeys(value)
      .map(
        (key) => `${formatOperand(key, verb, flags)}:${formatElement(value.get(key), verb, flags)}`,
      )
      .join(" ")}]`;
  return formatText(printValue(value), verb, flags);
}

/** Inside of a list or map nil is `<nil>` whatever the verb. */
const formatElement = (value: GoValue, verb: string, flags: Flags): string =>
  value === undefined || value === null ? "<nil>" : formatOperand(value, verb, flags);

/** The value as `%v` would print it, with the flags of the verb that does not fit. */
const badVerb = (value: GoValue, verb: string, flags: Flags): string =>
  `%!${verb}(${typeName(value)}=${formatOperand(value, "v", flags)})`;

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
      return badVerb(value, verb, flags);
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
    case "b":
      text = binaryFloat(value);
      break;
    case "x":
    case "X":
      text = hexFloat(value, precision);
      break;
    default:
      return badVerb(value, verb, flags);
  }
  if (verb === "X") text = text.toUpperCase().replace("INF", "Inf").replace("NAN", "NaN");
  if (verb === "E" || verb === "G") text = text.toUpperCase().replace("INF", "Inf");
  if (!text.startsWith("-") && !text.startsWith("+"))
    text = (flags.plus ? "+" : flags.space ? " " : "") + text;
  // Infinity and NaN are not filled with zeros.
  return Number.isFinite(value) ? zeroPadded(text, flags) : spacePadded(text, flags);
}

function formatInteger(value: GoValue, integer: bigint, verb: string, flags: Flags): string {
  const sign = integer < 0n ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const magnitude = integer < 0n ? -integer : integer;
  const inBase = (base: number, prefix: string): string => {
    const digits = magnitude.toString(base).padStart(flags.precision ?? 0, "0");
    const text = sign + prefix + (flags.precision === 0 && magnitude === 0n ? "" : digits);
    return flags.precision === undefined ? zeroPadded(text, flags) : spacePadded(text, flags);
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
      return spacePadded(
        `U+${BigInt.asUintN(64, integer).toString(16).toUpperCase().padStart(4, "0")}`,
        flags,
      );
    default:
      return badVerb(value, verb, flags);
  }
}

/** Fills to the width, counted in characters: with zeros on the left when the flag asks, as Go does even for text. */
const padded = (text: string, flags: Flags): string =>
  filled(text, flags, flags.zero && !flags.minus ? "0" : " ");

const spacePadded = (text: string, flags: Flags): string => filled(text, flags, " ");

function filled(text: string, flags: Flags, filling: string): string {
  const missing = (flags.width ?? 0) - Array.from(text).length;
  if (missing <= 0) return text;
  return flags.minus ? text + filling.repeat(missing) : filling.repeat(missing) + text;
}

/** Zeros between the sign and the digits. */
function zeroPadded(text: string, flags: Flags): string {
  if (!flags.zero || flags.minus) return spacePadded(text, flags);
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
