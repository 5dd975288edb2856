import { byteLength, wellFormed } from "./bytes.ts";
import { printFloat } from "./floats.ts";
import { FunctionError, type CallContext } from "./function.ts";
import {
  GoInteger,
  GoObject,
  goValueOf,
  isGoMap,
  NilList,
  NilMap,
  type GoMap,
  type GoValue,
} from "./value.ts";

/**
 * YAML as Go's yaml.v2 writes it: keys sorted naturally, list items not indented under their key, plain
 * style where it is safe, double quotes around what would be read as another type, long plain text folded
 * at spaces beyond column 80. Pays for each text in it, and for the blanks in front of lines.
 */
export function encodeYaml(value: GoValue, charge: CallContext["charge"]): string {
  const writer = new Writer(charge);
  writer.document(value);
  return writer.text;
}

const widthMost = 80;

/** Where a node stands. `indent` is that of the surrounding block, -1 for none. */
type Place = {
  readonly indent: number;
  /** Directly under a mapping's key, where a list needs no indent of its own. */
  readonly inMapping: boolean;
  /** After `- ` or `? `, where the first line of a block goes on behind the mark. */
  readonly afterMark: boolean;
};

class Writer {
  text = "";
  /** The last character of the text. To ask the text itself would put all its pieces together. */
  #last = "";
  #column = 0;
  readonly #charge: CallContext["charge"];

  constructor(charge: CallContext["charge"]) {
    this.#charge = charge;
  }

  document(value: GoValue): void {
    this.#node(value, { indent: -1, inMapping: false, afterMark: false });
    this.#newLine(0);
  }

  #put(text: string): void {
    if (text === "") return;
    this.text += text;
    this.#last = text.slice(-1);
    this.#column += text.length === 1 ? 1 : Array.from(text).length;
  }

  /** Ends the line unless nothing stands on it, and indents the next. */
  #newLine(indent: number): void {
    if (this.#column > 0 && this.#last !== "") this.#breakLine();
    this.#blanks(indent);
  }

  #blanks(count: number): void {
    this.#charge(count);
    this.#put(" ".repeat(count));
  }

  #node(value: GoValue, place: Place): void {
    if (value instanceof GoObject) return this.#node(jsonValue(value), place);
    if (isGoMap(value) && !(value instanceof NilMap)) return this.#mapping(value, place);
    if (Array.isArray(value) && !(value instanceof NilList)) return this.#sequence(value, place);
    this.#separate();
    this.#scalar(value, place.indent === -1 ? 2 : place.indent + 2, false);
  }

  /** A space after a mark or a key. */
  #separate(): void {
    if (this.#column > 0 && this.#last !== " " && this.#last !== "\n") this.#put(" ");
  }

  #mapping(map: GoMap, place: Place): void {
    if (map.size === 0) {
      this.#separate();
      return this.#put("{}");
    }
    const indent = place.indent === -1 ? 0 : place.indent + 2;
    let first = true;
    for (const key of naturallySorted(map.keys())) {
      if (!(first && place.afterMark)) this.#newLine(indent);
      first = false;
      this.#entry(key, map.get(key), indent);
    }
  }

  #entry(key: string, value: GoValue, indent: number): void {
    const inside: Place = { indent, inMapping: true, afterMark: false };
    if (isSimpleKey(key)) {
      this.#scalar(key, indent, true);
      this.#put(":");
      return this.#node(value, inside);
    }
    this.#put("?");
    this.#separate();
    this.#scalar(key, indent + 2, false);
    this.#newLine(indent);
    this.#put(":");
    this.#separate();
    this.#node(value, { ...inside, inMapping: false, afterMark: true });
  }

  #sequence(items: readonly GoValue[], place: Place): void {
    if (items.length === 0) {
      this.#separate();
      return this.#put("[]");
    }
    const indent = place.indent === -1 ? 0 : place.inMapping ? place.indent : place.indent + 2;
    items.forEach((item, index) => {
      if (!(index === 0 && place.afterMark)) this.#newLine(indent);
      this.#put("-");
      this.#separate();
      this.#node(item, { indent, inMapping: false, afterMark: true });
    });
  }

  #scalar(scalar: GoValue, indent: number, isKey: boolean): void {
    if (typeof scalar !== "string") return this.#put(plainScalar(scalar));
    this.#charge(scalar.length);
    const value = wellFormed(scalar);
    const flags = analyze(value);
    const multiLine = value.includes("\n");
    if (multiLine && flags.blockAllowed && !isKey) return this.#literal(value, indent);
    const plain = !multiLine && !resolvesElsewhere(value);
    if (plain && flags.plainAllowed && value !== "") return this.#plain(value, indent, !isKey);
    if (plain && flags.quotedAllowed) return this.#singleQuoted(value, indent, !isKey);
    this.#doubleQuoted(value, indent, !isKey);
  }

  #plain(value: string, indent: number, mayFold: boolean): void {
    this.#folded(value, indent, mayFold, (character) => character, 0);
  }

  #singleQuoted(value: string, indent: number, mayFold: boolean): void {
    this.#put("'");
    this.#folded(value, indent, mayFold, (character) => (character === "'" ? "''" : character), 1);
    this.#put("'");
  }

  /** Writes characters, breaking the line at single spaces once it is too long. */
  #folded(
    value: string,
    indent: number,
    mayFold: boolean,
    written: (character: string) => string,
    keptAtEnds: number,
  ): void {
    const characters = Array.from(value);
    let afterSpace = false;
    characters.forEach((character, index) => {
      const breaks =
        character === " " &&
        mayFold &&
        !afterSpace &&
        this.#column > widthMost &&
        characters[index + 1] !== " " &&
        index >= keptAtEnds &&
        index < characters.length - keptAtEnds;
      if (breaks) this.#foldLine(indent);
      else this.#put(written(character));
      afterSpace = character === " ";
    });
  }

  #foldLine(indent: number): void {
    this.#breakLine();
    this.#blanks(indent);
  }

  #breakLine(): void {
    this.text += "\n";
    this.#last = "\n";
    this.#column = 0;
  }

  #doubleQuoted(value: string, indent: number, mayFold: boolean): void {
    this.#put('"');
    const characters = Array.from(value);
    let afterSpace = false;
    characters.forEach((character, index) => {
      const escaped = doubleQuotedEscape(character);
      if (escaped !== undefined) {
        this.#put(escaped);
        afterSpace = false;
      } else if (character === " ") {
        const breaks =
          mayFold &&
          !afterSpace &&
          this.#column > widthMost &&
          index > 0 &&
          index < characters.length - 1;
        if (breaks) {
          this.#foldLine(indent);
          if (characters[index + 1] === " ") this.#put("\\");
        } else this.#put(" ");
        afterSpace = true;
      } else {
        this.#put(character);
        afterSpace = false;
      }
    });
    this.#put('"');
  }

  #literal(value: string, indent: number): void {
    this.#put("|");
    if (/^[ \n]/.test(value)) this.#put("2");
    if (!value.endsWith("\n")) this.#put("-");
    else if (value === "\n" || value.endsWith("\n\n")) this.#put("+");
    // Every break of the text is one here, so a text that ends with one leaves an empty line open.
    for (const [index, line] of `\n${value}`.split("\n").entries()) {
      if (index > 0) this.#breakLine();
      if (line === "") continue;
      this.#blanks(indent);
      this.#put(line);
    }
  }
}

/** Go comes to YAML by way of JSON. */
function jsonValue(object: GoObject): GoValue {
  if (object.json !== undefined) return goValueOf(object.json);
  throw new FunctionError(`error marshaling into JSON: ${object.text} has no JSON`);
}

function plainScalar(value: Exclude<GoValue, string>): string {
  if (value === undefined || value === null) return "null";
  if (value instanceof NilList || value instanceof NilMap) return "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof GoInteger) return value.value.toString();
  if (typeof value !== "number") return "";
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  if (!Number.isInteger(value) || Object.is(value, -0) || Math.abs(value) >= 1e21)
    return printFloat(value);
  // Go goes by way of JSON, which has the shortest digits of the number and zeros after them.
  const whole = BigInt(String(value));
  return whole >= -(1n << 63n) && whole < 1n << 64n ? whole.toString() : printFloat(value);
}

const isSimpleKey = (key: string): boolean =>
  byteLength(key) <= 128 && !/[\n\r\u0085\u2028\u2029]/.test(key);

const specials: ReadonlyMap<string, string> = new Map([
  ["\0", "\\0"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\x1b", "\\e"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\u0085", "\\N"],
  ["\u00a0", "\\_"],
  ["\u2028", "\\L"],
  ["\u2029", "\\P"],
]);

function doubleQuotedEscape(character: string): string | undefined {
  const isPlain =
    isYamlPrintable(character) && !/[\uFEFF\n\r\u0085\u2028\u2029"\\]/.test(character);
  if (isPlain) return undefined;
  const known = specials.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

// To the emitter neither a tab nor anything beyond the basic plane is printable.
const isYamlPrintable = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0;
  return (
    code === 0x0a ||
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  );
};

type Flags = {
  readonly plainAllowed: boolean;
  readonly quotedAllowed: boolean;
  readonly blockAllowed: boolean;
};

/** Which styles can hold a text, outside of flow collections. */
function analyze(value: string): Flags {
  const characters = Array.from(value);
  let indicator = value.startsWith("---") || value.startsWith("...");
  let special = false;
  let spaceThenBreak = false;
  let breakThenSpace = false;
  let leadingBlank = false;
  let trailingSpace = false;
  let trailingBreak = false;
  let hasBreak = false;
  characters.forEach((character, index) => {
    const before = characters[index - 1];
    const after = characters[index + 1];
    const followedByBlank = after === undefined || isBlank(after);
    const isLast = index === characters.length - 1;
    if (index === 0) {
      if (/^[#,[\]{}&*!|>'"%@`]$/.test(character)) indicator = true;
      if (/^[?:-]$/.test(character) && followedByBlank) indicator = true;
    } else if (character === ":" && followedByBlank) indicator = true;
    else if (character === "#" && before !== undefined && isBlank(before)) indicator = true;
    if (!isYamlPrintable(character)) special = true;
    if (character === " ") {
      if (index === 0) leadingBlank = true;
      if (isLast) trailingSpace = true;
      if (before !== undefined && isBreak(before)) breakThenSpace = true;
    } else if (isBreak(character)) {
      hasBreak = true;
      if (index === 0) leadingBlank = true;
      if (isLast) trailingBreak = true;
      if (before === " ") spaceThenBreak = true;
    }
  });
  const anyPlain = !(
    leadingBlank ||
    trailingSpace ||
    trailingBreak ||
    breakThenSpace ||
    spaceThenBreak ||
    special ||
    hasBreak ||
    indicator
  );
  return {
    plainAllowed: anyPlain,
    quotedAllowed: !(breakThenSpace || spaceThenBreak || special),
    blockAllowed: !(trailingSpace || spaceThenBreak || special),
  };
}

const lineBreaks = new Set(["\r", "\n", "\u0085", "\u2028", "\u2029"]);
const isBreak = (character: string): boolean => lineBreaks.has(character);
const isBlank = (character: string): boolean =>
  character === " " || character === "\t" || isBreak(character);

const otherWords = new Set([
  "",
  "~",
  ...["y", "yes", "on", "n", "no", "off", "true", "false", "null"].flatMap((word) => [
    word,
    word.toUpperCase(),
    word.slice(0, 1).toUpperCase() + word.slice(1),
  ]),
  ".nan",
  ".NaN",
  ".NAN",
  ...[".inf", ".Inf", ".INF"].flatMap((word) => [word, `+${word}`, `-${word}`]),
]);

/** Whether a plain scalar would be read as something else than text by YAML 1.1. */
function resolvesElsewhere(value: string): boolean {
  if (otherWords.has(value)) return true;
  if (value.startsWith(".")) return /^\.[0-9]+(_?[0-9])*([eE][-+]?[0-9]+)?$/.test(value);
  if (!/^[-+0-9]/.test(value)) return false;
  const plain = value.replaceAll("_", "");
  return (
    isTimestamp(value) ||
    /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/.test(plain) ||
    /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain) ||
    /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/.test(value)
  );
}

function isTimestamp(value: string): boolean {
  const found =
    /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))|(?: ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?))?$/.exec(
      value,
    );
  if (found === null) return false;
  const [year, month, day] = found.slice(1, 4).map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
  const real = date.getUTCMonth() === (month ?? 0) - 1 && date.getUTCDate() === day;
  const [hour = 0, minute = 0, second = 0] = [
    found[4] ?? found[7],
    found[5] ?? found[8],
    found[6] ?? found[9],
  ].map((part) => Number(part ?? 0));
  return real && hour < 24 && minute < 60 && second < 60;
}

/** yaml.v2 sorts keys as people count: `a2` before `a10`, letters after everything else. */
export const naturallySorted = (keys: Iterable<string>): readonly string[] =>
  Array.from(keys, (key) => ({ key, characters: Array.from(key) }))
    .toSorted((left, right) => compareNaturally(left.characters, right.characters))
    .map(({ key }) => key);

function compareNaturally(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < a.length && index < b.length; index += 1) {
    const x = a[index] ?? "";
    const y = b[index] ?? "";
    if (x === y) continue;
    const letterX = isLetter(x);
    const letterY = isLetter(y);
    if (letterX && letterY) return codeOf(x) - codeOf(y);
    if (letterX || letterY) return letterX ? 1 : -1;
    return compareDigits(a, b, index);
  }
  return a.length - b.length;
}

function compareDigits(a: readonly string[], b: readonly string[], at: number): number {
  let start = 0n;
  // Digits that both share in front make a zero here significant.
  if (a[at] === "0" || b[at] === "0")
    for (let index = at - 1; index >= 0 && isDigit(a[index] ?? ""); index -= 1)
      if (a[index] !== "0") {
        start = 1n;
        break;
      }
  const x = digitsFrom(a, at, start);
  const y = digitsFrom(b, at, start);
  if (x.value !== y.value) return x.value < y.value ? -1 : 1;
  if (x.end !== y.end) return x.end - y.end;
  return codeOf(a[at] ?? "") - codeOf(b[at] ?? "");
}

function digitsFrom(
  characters: readonly string[],
  from: number,
  start: bigint,
): { readonly value: bigint; readonly end: number } {
  let value = start;
  let end = from;
  for (; end < characters.length && isDigit(characters[end] ?? ""); end += 1)
    value = BigInt.asIntN(64, value * 10n + BigInt(codeOf(characters[end] ?? "0") - 48));
  return { value, end };
}

const isDigit = (character: string): boolean => /^\p{Nd}$/u.test(character);
const isLetter = (character: string): boolean => /^\p{L}$/u.test(character);
const codeOf = (character: string): number => character.codePointAt(0) ?? 0;
