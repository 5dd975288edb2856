import { cutting, FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { goQuote, printValue, sprint, sprintln } from "../print.ts";
import { sprintf } from "../sprintf.ts";
import {
  bytesOf,
  isStray,
  joined,
  overBytes,
  splitText,
  textOfBytes,
  wellFormed,
} from "../bytes.ts";
import { inCase } from "../case.ts";
import { goSpace, goSpaces, trimSpace } from "../space.ts";
import type { GoValue } from "../value.ts";
import { normalize, slugify } from "../normalize.ts";
import { asIndex, present, textOf, wrongInterface } from "./convert.ts";

/** Functions from text to text: sprig's, Go's own, and Argo CD's `normalize` and `slugify`. */
export const stringFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["hello", takes([], () => "Hello!")],
  ["upper", takes(["string"], ([text]) => inCase(text, "upper"))],
  ["lower", takes(["string"], ([text]) => inCase(text, "lower"))],
  ["title", takes(["string"], ([text]) => title(wellFormed(text)))],
  [
    "untitle",
    takes(["string"], ([text]) => eachWord(wellFormed(text), (letter) => inCase(letter, "lower"))),
  ],
  ["swapcase", takes(["string"], ([text]) => swapCase(wellFormed(text)))],
  ["trim", takes(["string"], ([text]) => trimSpace(text))],
  ["trimAll", takes(["string", "string"], ([cut, text]) => trimSet(text, cut))],
  ["trimall", takes(["string", "string"], ([cut, text]) => trimSet(text, cut))],
  [
    "trimSuffix",
    takes(["string", "string"], ([end, text]) =>
      end.isWellFormed()
        ? withoutEnd(text, end)
        : textOfBytes(withoutEnd(bytesOf(text), bytesOf(end))),
    ),
  ],
  [
    "trimPrefix",
    takes(["string", "string"], ([start, text]) =>
      start.isWellFormed()
        ? withoutStart(text, start)
        : textOfBytes(withoutStart(bytesOf(text), bytesOf(start))),
    ),
  ],
  // Upstream takes every byte for a character here and in `initials`, and so do we.
  ["nospace", takes(["string"], ([text]) => withoutSpaces(text))],
  ["initials", takes(["string"], ([text]) => initials(bytesOf(text)))],
  [
    "abbrev",
    cutting(takes(["int", "string"], ([width, text]) => abbreviate(text, 0, Number(width)))),
  ],
  [
    "abbrevboth",
    cutting(
      takes(["int", "int", "string"], ([offset, width, text]) =>
        width < 4n || (offset > 0n && width < 7n)
          ? text
          : abbreviate(text, Number(offset), Number(width)),
      ),
    ),
  ],
  ["trunc", cutting(takes(["int", "string"], ([count, text]) => truncate(text, Number(count))))],
  [
    "substr",
    cutting(
      takes(["int", "int", "string"], ([start, end, text]) =>
        overBytes(text, (bytes) => substring(bytes, start, end)),
      ),
    ),
  ],
  [
    "repeat",
    takes(["int", "string"], ([count, text], context) => {
      if (count < 0n) throw new FunctionError("strings: negative Repeat count");
      context.charge(text === "" ? 0 : Number(count) * text.length);
      return text === "" ? "" : text.repeat(Number(count));
    }),
  ],
  ["contains", takes(["string", "string"], ([part, text]) => holds(text, part, "includes"))],
  ["hasPrefix", takes(["string", "string"], ([start, text]) => holds(text, start, "startsWith"))],
  ["hasSuffix", takes(["string", "string"], ([end, text]) => holds(text, end, "endsWith"))],
  [
    "replace",
    takes(["string", "string", "string"], ([old, by, text], context) => {
      const parts = splitText(text, old);
      context.charge(text.length + (parts.length + 1) * by.length);
      // Before every character and at the end, as Go has it.
      return old === "" ? by + parts.map((it) => it + by).join("") : parts.join(by);
    }),
  ],
  ["quote", takesMany([], "any", (_, values) => quoted(values, (it) => goQuote(textOf(it))))],
  ["squote", takesMany([], "any", (_, values) => quoted(values, (it) => `'${printValue(it)}'`))],
  ["cat", takesMany([], "any", (_, values) => values.filter(present).map(printValue).join(" "))],
  [
    "indent",
    takes(["int", "string"], ([width, text], context) => indent(width, text, context.charge)),
  ],
  [
    "nindent",
    takes(
      ["int", "string"],
      ([width, text], context) => `\n${indent(width, text, context.charge)}`,
    ),
  ],
  [
    "plural",
    takes(["string", "string", "int"], ([one, many, count]) => (count === 1n ? one : many)),
  ],
  ["wrap", takes(["int", "string"], ([width, text]) => wrap(text, Number(width), "\n", false))],
  [
    "wrapWith",
    cutting(
      takes(["int", "string", "string"], ([width, separator, text], context) => {
        context.charge(text.length * (1 + separator.length));
        return wrap(text, Number(width), separator === "" ? "\n" : separator, true);
      }),
    ),
  ],
  ["snakecase", takes(["string"], ([text]) => separated(text, "_"))],
  ["kebabcase", takes(["string"], ([text]) => separated(text, "-"))],
  ["camelcase", takes(["string"], ([text]) => pascalCase(wellFormed(text)))],
  ["normalize", takes(["string"], ([text]) => normalize(text))],
  ["slugify", takesMany([], "any", (_, values) => slugifyValues(values))],
  [
    "printf",
    takesMany(["string"], "any", ([format], values, { charge }) => sprintf(format, values, charge)),
  ],
  ["println", takesMany([], "any", (_, values) => sprintln(values))],
  ["html", takesMany([], "any", (_, values) => escapeHtml(onlyText(values)))],
  ["js", takesMany([], "any", (_, values) => escapeJs(joined(onlyText(values))))],
  ["urlquery", takesMany([], "any", (_, values) => escapeQuery(onlyText(values)))],
];

// Half a character is found in a whole one, so a part that is no text is looked for in bytes.

const withoutEnd = (text: string, end: string): string =>
  end !== "" && text.endsWith(end) ? text.slice(0, -end.length) : text;

const withoutStart = (text: string, start: string): string =>
  text.startsWith(start) ? text.slice(start.length) : text;

const holds = (text: string, part: string, how: "includes" | "startsWith" | "endsWith"): boolean =>
  part.isWellFormed() ? text[how](part) : bytesOf(text)[how](bytesOf(part));

/** All bytes that belong to no character are one to it, and U+FFFD is the same. */
function trimSet(text: string, cut: string): string {
  const cuts = new Set(wellFormed(cut));
  const set = { has: (character: string): boolean => cuts.has(wellFormed(character)) };
  const characters = Array.from(text);
  let start = 0;
  let end = characters.length;
  while (start < end && set.has(characters[start] ?? "")) start += 1;
  while (end > start && set.has(characters[end - 1] ?? "")) end -= 1;
  return characters.slice(start, end).join("");
}

/** Changes the first letter of every word; words are parted by white space. */
function eachWord(text: string, change: (letter: string) => string): string {
  let result = "";
  let starts = true;
  for (const character of text) {
    result += starts ? change(character) : character;
    starts = goSpace.test(character);
  }
  return result;
}

/** strings.Title: a letter after anything that is no letter, digit, underscore or mark is upper-cased. */
function title(text: string): string {
  let result = "";
  let before = " ";
  for (const character of text) {
    result += isTitleSeparator(before) ? inCase(character, "title") : character;
    before = character;
  }
  return result;
}

function isTitleSeparator(character: string): boolean {
  if (character <= "\x7f") return !/[0-9A-Za-z_]/.test(character);
  if (/[\p{L}\p{Nd}]/u.test(character)) return false;
  return goSpace.test(character);
}

/** Small letters at the start of a word become titles, others capitals. */
function swapCase(text: string): string {
  let result = "";
  let starts = true;
  for (const character of text) {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) result += inCase(character, "lower");
    else if (/\p{Ll}/u.test(character)) result += inCase(character, starts ? "title" : "upper");
    else result += character;
    starts = /[\p{Lu}\p{Lt}\p{Ll}]/u.test(character) ? false : goSpace.test(character);
  }
  return result;
}

function withoutSpaces(text: string): string {
  const bytes = bytesOf(text);
  const dense = bytes.replace(goSpaces, "");
  return dense === bytes ? text : dense;
}

function initials(text: string): string {
  let result = "";
  let starts = true;
  for (const character of text) {
    if (goSpace.test(character)) starts = true;
    else if (starts) {
      result += character;
      starts = false;
    }
  }
  return result;
}

function truncate(text: string, count: number): string {
  return overBytes(text, (bytes) => {
    if (count < 0 && bytes.length + count > 0) return bytes.slice(bytes.length + count);
    if (count >= 0 && bytes.length > count) return bytes.slice(0, count);
    return bytes;
  });
}

function substring(bytes: string, start: bigint, end: bigint): string {
  if (start < 0n) return bytes.slice(0, asIndex(end, bytes.length));
  if (end < 0n || end > BigInt(bytes.length)) return bytes.slice(asIndex(start, bytes.length));
  const from = asIndex(start, bytes.length);
  if (start > end)
    throw new FunctionError(`runtime error: slice bounds out of range [${start}:${end}]`);
  return bytes.slice(from, Number(end));
}

/** Cuts to `width` bytes, an ellipsis counted; with an `offset`, text in the middle is kept. */
function abbreviate(text: string, offset: number, width: number): string {
  if (width < 4) return text;
  return overBytes(text, (bytes) => {
    if (bytes.length <= width) return bytes;
    const room = width - 3;
    let from = Math.min(offset, bytes.length);
    if (bytes.length - from < room) from = bytes.length - room;
    if (from <= 4) return `${bytes.slice(0, room)}...`;
    if (from + room < bytes.length) {
      const rest = bytes.slice(from);
      return `...${rest.length <= room ? rest : `${rest.slice(0, room - 3)}...`}`;
    }
    return `...${bytes.slice(bytes.length - room)}`;
  });
}

const quoted = (values: readonly GoValue[], quote: (value: GoValue) => string): string =>
  values.filter(present).map(quote).join(" ");

function indent(width: bigint, text: string, charge: (characters: number) => void): string {
  if (width < 0n) throw new FunctionError("strings: negative Repeat count");
  const lines = text.split("\n");
  charge(text.length + lines.length * Number(width));
  const pad = " ".repeat(Number(width));
  return lines.map((line) => pad + line).join("\n");
}

/** Breaks lines at spaces so that none is longer than `width` bytes; long words may be cut or left. */
function wrap(text: string, width: number, separator: string, cutsWords: boolean): string {
  return textOfBytes(wrapBytes(bytesOf(text), Math.max(width, 1), bytesOf(separator), cutsWords));
}

function wrapBytes(bytes: string, most: number, separator: string, cutsWords: boolean): string {
  let result = "";
  let at = 0;
  while (bytes.length - at > most) {
    if (bytes[at] === " ") {
      at += 1;
      continue;
    }
    const space = at + bytes.slice(at, at + most + 1).lastIndexOf(" ");
    if (space >= at) {
      result += bytes.slice(at, space) + separator;
      at = space + 1;
    } else if (cutsWords) {
      result += bytes.slice(at, at + most) + separator;
      at += most;
    } else {
      const next = bytes.indexOf(" ", at + most);
      if (next === -1) {
        result += bytes.slice(at);
        at = bytes.length;
      } else {
        result += bytes.slice(at, next) + separator;
        at = next + 1;
      }
    }
  }
  return result + bytes.slice(at);
}

type WordKind = "upper" | "letters" | "number" | "connector" | "punctuation" | "other";

type Word = { readonly kind: WordKind; readonly text: string };

const isConnector = (character: string): boolean =>
  character === "-" || character === "_" || goSpace.test(character);
const isPunctuation = (character: string): boolean => /\p{P}/u.test(character);
const isUpper = (character: string): boolean => /\p{Lu}/u.test(character);
// Scripts without words of their own are no letters here.
const isLetter = (character: string): boolean =>
  /\p{L}/u.test(character) && !/[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u.test(character);

function kindOf(character: string): WordKind {
  if (isConnector(character)) return "connector";
  if (isPunctuation(character)) return "punctuation";
  if (isUpper(character)) return "upper";
  if (isLetter(character)) return "letters";
  return /\p{N}/u.test(character) ? "number" : "other";
}

/** Runs of one kind. A capital takes the small letters behind it along, the last one of a run of them too. */
function wordsOf(text: string): readonly Word[] {
  const units = unitsOf(text);
  const words: Word[] = [];
  for (let at = 0; at < units.length;) {
    const kind = kindOf(units[at]?.character ?? "");
    let end = at + 1;
    const runs = (goesOn: (character: string) => boolean): void => {
      while (end < units.length && goesOn(units[end]?.character ?? "")) end += 1;
    };
    // Behind other punctuation a dash or underscore is no more than that.
    runs(kind === "punctuation" ? isPunctuation : (character) => kindOf(character) === kind);
    const isRun = end - at > 1;
    const smallFollows = kindOf(units[end]?.character ?? " ") === "letters";
    // "HTTPStatus" is "HTTP" and "Status".
    if (kind === "upper" && isRun && smallFollows) end -= 1;
    else if (kind === "upper" && !isRun) runs((character) => kindOf(character) === "letters");
    const written = units.slice(at, end).map((unit) => unit.text);
    words.push({ kind, text: written.join("") });
    at = end;
  }
  return words;
}

/** A character, and what stands for it in the text. */
type Unit = { readonly character: string; readonly text: string };

/** What is no character clings to the one behind it, or to the last one. */
function unitsOf(text: string): readonly Unit[] {
  const units: Unit[] = [];
  let clinging = "";
  for (const character of text) {
    if (wellFormed(character) === "\uFFFD") clinging += character;
    else {
      units.push({ character, text: clinging + character });
      clinging = "";
    }
  }
  if (clinging !== "")
    units.push({ character: units.at(-1)?.character ?? clinging, text: clinging });
  return units;
}

/** `HTTPServer2Go` → `http-server2-go`: the words of an identifier in lower case, joined. */
function separated(text: string, connector: string): string {
  const words = wordsOf(text);
  const lowered = ({ kind, text: word }: Word): string =>
    kind === "connector"
      ? Array.from(word, (it) => (isConnector(it) ? connector : wellFormed(it))).join("")
      : kind === "upper"
        ? inCase(word, "lower")
        : word;
  const joins = (word: Word | undefined): boolean =>
    word !== undefined && word.kind !== "connector" && word.kind !== "punctuation";
  let result = "";
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    const next = words[at + 1];
    const afterNext = words[at + 2];
    if (word === undefined) break;
    result += lowered(word);
    if (word.kind === "connector" || word.kind === "punctuation" || next === undefined) continue;
    if (word.kind !== "number" && next.kind === "number") {
      if (afterNext === undefined) continue;
      if (afterNext.kind !== "letters") {
        // A number belongs to the word before it: "Bld4Floor" is "bld4_floor".
        result += next.text + (joins(afterNext) ? connector : "");
        at += 1;
        continue;
      }
      // Unless small letters follow it: "HTTP2xx" is "http_2xx".
      result += connector + next.text;
      at += 1;
    }
    if (word.kind === "number" || next.kind === "number") {
      let following = words[at + 1];
      while (following?.kind === "letters" || following?.kind === "number") {
        result += following.text;
        at += 1;
        following = words[at + 1];
      }
      if (joins(following)) result += connector;
    } else if (joins(next)) result += connector;
  }
  return result;
}

/**
 * `foo-bar_baz qux` → `FooBarBazQux`. Separators at the ends stay, and all but one of several in a row.
 * Capitals that the text begins with become small, but for the first.
 */
function pascalCase(text: string): string {
  const characters = Array.from(text);
  const start = characters.findIndex((character) => !isConnector(character));
  // Go writes the last of nothing but separators twice.
  if (start === -1) return text + (characters.at(-1) ?? "");
  let result = characters.slice(0, start).join("") + inCase(characters[start] ?? "", "upper");
  let before = characters[start] ?? "";
  // The capitals a word begins with become small ones, but for its first.
  let atStart = isUpper(before);
  for (const character of characters.slice(start + 1)) {
    atStart = isUpper(character) && (atStart || isConnector(before));
    if (isConnector(character)) {
      if (isConnector(before)) result += before;
    } else if (isConnector(before)) result += inCase(character, "upper");
    else result += atStart ? inCase(character, "lower") : character;
    before = character;
  }
  return isConnector(before) ? result + before : result;
}

/** `slugify [maxLength] [smart] name`: only an int and a bool will do, as Argo CD has it. */
function slugifyValues(values: readonly GoValue[]): string {
  if (values.length === 0) return "";
  let most = 50;
  let smart = true;
  const name = values.at(-1);
  if (values.length >= 2) {
    const given = values[0];
    if (typeof given !== "bigint") throw wrongInterface(given, "int");
    most = Number(given);
  }
  if (values.length >= 3) {
    const given = values[1];
    if (typeof given !== "boolean") throw wrongInterface(given, "bool");
    smart = given;
  }
  if (typeof name !== "string") throw wrongInterface(name, "string");
  return slugify(name, most, smart);
}

// Nil prints as it does in an action.
const onlyText = (values: readonly GoValue[]): string =>
  sprint(values.map((value) => (present(value) ? value : "<no value>")));

const htmlEscapes: ReadonlyMap<string, string> = new Map([
  ["\0", "\uFFFD"],
  ['"', "&#34;"],
  ["'", "&#39;"],
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);

const escapeHtml = (text: string): string =>
  text.replace(/[\0"'&<>]/g, (character) => htmlEscapes.get(character) ?? character);

const jsEscapes: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["'", "\\'"],
  ['"', '\\"'],
  ["<", "\\u003C"],
  [">", "\\u003E"],
  ["&", "\\u0026"],
  ["=", "\\u003D"],
]);

const escapeJs = (text: string): string =>
  Array.from(text)
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      const known = jsEscapes.get(character);
      if (known !== undefined) return known;
      if (isStray(code)) return character;
      if (code < 0x20 || (code >= 0x80 && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)))
        return `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
      return character;
    })
    .join("");

/** url.QueryEscape: everything but letters, digits and `-_.~` as bytes, a space as `+`. */
const escapeQuery = (text: string): string =>
  Array.from(bytesOf(text))
    .map((byte) => {
      if (/[-A-Za-z0-9_.~]/.test(byte)) return byte;
      if (byte === " ") return "+";
      return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
