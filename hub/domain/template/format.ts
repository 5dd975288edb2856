import { unreachable } from "../../../proto/kit/unreachable.ts";
import { bytesOf } from "./bytes.ts";
import { binaryFloat, formatFloat, hexFloat, printFloat } from "./floats.ts";
import { FunctionError, type CallContext } from "./function.ts";
import { goQuote, goQuoteAscii, hex, isPrintable } from "./print.ts";
import { GoTime } from "./time/go-time.ts";
import {
  GoInteger,
  GoObject,
  NilList,
  NilMap,
  hasMethods,
  integerOf,
  isGoList,
  isGoMap,
  sortedKeys,
  typeName,
  type GoList,
  type GoMap,
  type GoValue,
  type StructField,
} from "./value.ts";

/** One operand of fmt.Sprintf by one verb. */

export type Flags = {
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%#v`: as it would be written in Go. */
  readonly syntax: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  /** Pays for what is looked at and made: the same operand may be picked over and over. */
  readonly charge: CallContext["charge"];
};

/** What Go says of a verb that does not fit. */
type BadVerb = () => string;

/** Where a value stands, and whether methods may speak for it: they may not where Go complains of a verb. */
type Place = { readonly inside: boolean; readonly bare: boolean };

/** Throws FunctionError for what would be another text every time: places in memory. */
export const formatOperand = (value: GoValue, verb: string, flags: Flags): string =>
  formatted(value, verb, flags, { inside: false, bare: false });

function formatted(value: GoValue, verb: string, flags: Flags, place: Place): string {
  if (typeof value === "string") flags.charge(value.length);
  const text = written(value, verb, flags, place);
  flags.charge(text.length);
  return text;
}

function written(value: GoValue, verb: string, flags: Flags, place: Place): string {
  if (value === undefined || value === null) return formatNil(verb, flags, place);
  const bad = (): string => badVerb(value, verb, flags);
  if (!place.inside) {
    if (verb === "T") return padded(typeName(value), flags);
    if (verb === "p" && isPointer(value)) throw placeInMemory();
    if (verb === "p") return bad();
  }
  if (verb === "w") return bad();
  if (hasMethods(value) && !place.bare) {
    if (flags.syntax) {
      if (value instanceof GoTime) return formatText(value.goSyntax, "s", flags, bad);
    } else if ("vsqxX".includes(verb)) {
      const { text } = value;
      flags.charge(text.length);
      return formatText(text, verb, flags, bad);
    }
  }
  if (typeof value === "string") return formatText(value, flags.syntax ? "q" : verb, flags, bad);
  if (typeof value === "boolean")
    return verb === "t" || verb === "v" ? padded(String(value), flags) : bad();
  if (typeof value === "number") return formatNumber(value, verb, flags, bad);
  const integer = integerOf(value);
  if (integer !== undefined) {
    const isUnsigned = value instanceof GoInteger && value.isUnsigned;
    return flags.syntax && isUnsigned
      ? formatUnsignedSyntax(integer, flags, bad)
      : formatInteger(integer, verb, flags, bad);
  }
  const element = (item: GoValue): string =>
    formatted(item, verb, flags, { ...place, inside: true });
  if (isGoList(value)) return formatList(value, element, flags);
  if (isGoMap(value)) return formatMap(value, element, flags);
  if (value instanceof GoObject) return formatStruct(value, verb, flags, place);
  return bad();
}

function formatNil(verb: string, flags: Flags, { inside }: Place): string {
  if (inside) return flags.syntax ? "interface {}(nil)" : "<nil>";
  return verb === "T" || verb === "v" ? padded("<nil>", flags) : `%!${verb}(<nil>)`;
}

const placeInMemory = (): FunctionError =>
  new FunctionError("it would print a place in memory, which is another one every time");

const isPointer = (value: GoValue): boolean =>
  isGoList(value) || isGoMap(value) || (value instanceof GoObject && value.isPointer);

/** The value as `%v` would print it without its methods, with the flags of the verb that does not fit. */
const badVerb = (value: GoValue, verb: string, flags: Flags): string =>
  `%!${verb}(${typeName(value)}=${formatted(value, "v", flags, { inside: false, bare: true })})`;

function formatList(list: GoList, element: (item: GoValue) => string, flags: Flags): string {
  if (!flags.syntax) return `[${list.map(element).join(" ")}]`;
  const type = typeName(list);
  return list instanceof NilList ? `${type}(nil)` : `${type}{${list.map(element).join(", ")}}`;
}

function formatMap(map: GoMap, element: (item: GoValue) => string, flags: Flags): string {
  const entries = sortedKeys(map).map((key) => `${element(key)}:${element(map.get(key))}`);
  if (!flags.syntax) return `map[${entries.join(" ")}]`;
  const type = typeName(map);
  return map instanceof NilMap ? `${type}(nil)` : `${type}{${entries.join(", ")}}`;
}

function formatStruct(object: GoObject, verb: string, flags: Flags, { inside }: Place): string {
  const { fields, isPointer: points } = object;
  // Only at the top is a pointer followed.
  if (fields === undefined || (points && inside)) throw placeInMemory();
  const values = fields.map((field) => {
    const text = formatField(field, verb, flags);
    return flags.syntax ? `${field.name}:${text}` : text;
  });
  const type = flags.syntax ? object.type.replace(/^\*/, "") : "";
  return `${points ? "&" : ""}${type}{${values.join(flags.syntax ? ", " : " ")}}`;
}

function formatField(field: StructField, verb: string, flags: Flags): string {
  const bad =
    (type: string): BadVerb =>
    () =>
      `%!${verb}(${type}=${formatField(field, "v", flags)})`;
  switch (field.kind) {
    case "unsigned":
      if (flags.syntax) return formatUnsignedSyntax(field.value, flags, bad("uint64"));
      return formatInteger(field.value, verb, flags, bad("uint64"));
    case "signed":
      return formatInteger(field.value, verb, flags, bad("int64"));
    case "string":
      return formatText(field.value, flags.syntax ? "q" : verb, flags, bad("string"));
    case "nowhere":
      if (verb === "v") return padded("<nil>", flags);
      return "bodxX".includes(verb)
        ? formatInteger(0n, verb, flags, bad(field.type))
        : bad(field.type)();
    case "somewhere":
      throw placeInMemory();
    default:
      return unreachable(field, "field");
  }
}

function formatText(value: string, verb: string, flags: Flags, bad: BadVerb): string {
  const cut = flags.precision === undefined ? value : firstCharacters(value, flags.precision);
  switch (verb) {
    case "s":
    case "v":
      return padded(cut, flags);
    case "q":
      return padded(
        flags.sharp && canBackquote(cut) ? `\`${cut}\`` : quoted(cut, '"', flags),
        flags,
      );
    case "x":
    case "X": {
      const mark = flags.sharp ? "0x" : "";
      const separator = flags.space ? ` ${mark}` : "";
      const bytes = bytesOf(value).slice(0, flags.precision);
      const text = Array.from(bytes)
        .map((byte) => hex(byte.charCodeAt(0), 2))
        .join(separator);
      const marked = text === "" ? "" : mark + text;
      return padded(verb === "X" ? marked.toUpperCase() : marked, flags);
    }
    default:
      return bad();
  }
}

/** A character is two units of the text at most. */
const firstCharacters = (text: string, count: number): string =>
  Array.from(text.slice(0, 2 * count))
    .slice(0, count)
    .join("");

const quoted = (text: string, quote: string, flags: Flags): string =>
  flags.plus ? goQuoteAscii(text, quote) : goQuote(text, quote);

/** Whether text can stand between backquotes as it is. */
const canBackquote = (text: string): boolean =>
  !/[`\x00-\x08\x0a-\x1f\x7f\uFEFF]/.test(text) && text.isWellFormed();

function formatNumber(value: number, verb: string, flags: Flags, bad: BadVerb): string {
  const { precision } = flags;
  // Digits are worked out even where they turn out to be zeros that nobody writes.
  flags.charge(precision ?? 0);
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
      return bad();
  }
  if (flags.sharp && verb !== "b" && Number.isFinite(value))
    text = withPoint(text, verb, precision);
  if (verb === "X") text = text.toUpperCase().replace("INF", "Inf").replace("NAN", "NaN");
  if (verb === "E" || verb === "G") text = text.toUpperCase().replace("INF", "Inf");
  if (!text.startsWith("-") && !text.startsWith("+"))
    text = (flags.plus ? "+" : flags.space ? " " : "") + text;
  // Infinity and NaN are not filled with zeros.
  return Number.isFinite(value) ? zeroPadded(text, flags) : spacePadded(text, flags);
}

/**
 * What a sharp asks of a number: a point in any case, and zeros at its end, for `%g` and `%x` as many as the precision
 * wants. Of hexadecimal numbers Go counts the `x` as a digit, and so do we.
 */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const [, sign = "", number = "", exponent = ""] =
    (/x/.test(text) ? /^(-?)(.*?)(p.*)?$/ : /^(-?)(.*?)(e.*)?$/).exec(text) ?? [];
  const significant = number.replace(".", "").replace(/^0+/, "");
  const counted = significant === "" && number === "0" ? 1 : significant.length;
  const wanted = "gGxv".includes(verb) ? (precision ?? 6) : 0;
  const point = number.includes(".") ? "" : ".";
  return sign + number + point + "0".repeat(Math.max(wanted - counted, 0)) + exponent;
}

function formatInteger(integer: bigint, verb: string, flags: Flags, bad: BadVerb): string {
  const sign = integer < 0n ? "-" : flags.plus ? "+" : flags.space ? " " : "";
  const magnitude = integer < 0n ? -integer : integer;
  const inBase = (base: number, prefix: string): string => {
    if (flags.precision === 0 && magnitude === 0n) return spacePadded("", flags);
    // Zeros in front are digits to Go: it counts the sign as one of the width, but not the prefix.
    const fills = flags.zero && !flags.minus;
    const least = flags.precision ?? (fills ? (flags.width ?? 0) - sign.length : 0);
    const digits = magnitude.toString(base).padStart(least, "0");
    const octal = flags.sharp && base === 8 && !digits.startsWith("0") ? "0" : "";
    return spacePadded(sign + prefix + octal + digits, flags);
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
      return inBase(8, "");
    case "O":
      return inBase(8, "0o");
    case "x":
      return inBase(16, flags.sharp ? "0x" : "");
    case "X":
      return inBase(16, flags.sharp ? "0X" : "").toUpperCase();
    case "c":
      return padded(character(), flags);
    case "q":
      return padded(quoted(character(), "'", flags), flags);
    case "U":
      return spacePadded(formatUnicode(BigInt.asUintN(64, integer), flags), flags);
    default:
      return bad();
  }
}

/** `U+0061`, and with a sharp the character behind it, if it is one to be seen. */
function formatUnicode(code: bigint, flags: Flags): string {
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 0, 4), "0");
  if (!flags.sharp || code > 0x10ffffn) return `U+${digits}`;
  const character = String.fromCodePoint(Number(code));
  return isPrintable(character) ? `U+${digits} '${character}'` : `U+${digits}`;
}

/** In Go's syntax numbers without a sign are hexadecimal. */
const formatUnsignedSyntax = (integer: bigint, flags: Flags, bad: BadVerb): string =>
  formatInteger(integer, "x", { ...flags, sharp: true }, bad);

/** Fills to the width, counted in characters: with zeros on the left when the flag asks, as Go does even for text. */
const padded = (text: string, flags: Flags): string =>
  filled(text, flags, flags.zero && !flags.minus ? "0" : " ");

const spacePadded = (text: string, flags: Flags): string => filled(text, flags, " ");

function filled(text: string, flags: Flags, filling: string): string {
  const width = flags.width ?? 0;
  // A character is two units of the text at most.
  const missing = text.length >= 2 * width ? 0 : width - Array.from(text).length;
  if (missing <= 0) return text;
  return flags.minus ? text + filling.repeat(missing) : filling.repeat(missing) + text;
}

/** Zeros between the sign and the digits. */
function zeroPadded(text: string, flags: Flags): string {
  if (!flags.zero || flags.minus) return spacePadded(text, flags);
  const sign = /^[-+ ]/.test(text) ? (text[0] ?? "") : "";
  return sign + text.slice(sign.length).padStart((flags.width ?? 0) - sign.length, "0");
}
