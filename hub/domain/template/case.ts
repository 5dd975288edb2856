import { isAscii, wellFormed } from "./bytes.ts";

/** To what letters are changed. Title case is upper case, but for letters that are two in one. */
export type LetterCase = "upper" | "lower" | "title";

/**
 * Go maps one character to one, where JavaScript makes SS of ß. Letters that came with Unicode 16 have their other
 * case here, which they do not have in Go 1.26.
 */
export function inCase(text: string, to: LetterCase): string {
  if (isAscii(text)) return to === "lower" ? text.toLowerCase() : text.toUpperCase();
  let result = "";
  for (const character of wellFormed(text)) result += changed(character, to);
  return result;
}

function changed(character: string, to: LetterCase): string {
  if (to === "title") {
    const title = titleCase(character);
    if (title !== undefined) return title;
  }
  const whole = to === "lower" ? character.toLowerCase() : character.toUpperCase();
  return whole.length === character.length ? whole : (singles.get(character) ?? character);
}

/** The one character that letters become whose other case is several: Greek ones with an iota beneath, mostly. */
const singles: ReadonlyMap<string, string> = new Map([
  ["İ", "i"],
  ...[0x1f80, 0x1f90, 0x1fa0].flatMap((row) =>
    Array.from({ length: 8 }, (_, index): [string, string] => [
      String.fromCodePoint(row + index),
      String.fromCodePoint(row + index + 8),
    ]),
  ),
  ["ᾳ", "ᾼ"],
  ["ῃ", "ῌ"],
  ["ῳ", "ῼ"],
]);

/** `undefined` where it is the upper case. */
function titleCase(character: string): string | undefined {
  const pair = pairs.find((forms) => forms.includes(character));
  if (pair !== undefined) return pair[1];
  // Georgian has capitals, and titles do without them.
  return /[\u10d0-\u10fa\u10fd-\u10ff]/.test(character) ? character : undefined;
}

/** Letters that are two in one: both large, one, none. */
const pairs: readonly (readonly [string, string, string])[] = [
  ["Ǆ", "ǅ", "ǆ"],
  ["Ǉ", "ǈ", "ǉ"],
  ["Ǌ", "ǋ", "ǌ"],
  ["Ǳ", "ǲ", "ǳ"],
];
