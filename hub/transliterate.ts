import unidecode from "unidecode";

/**
 * Small ASCII letters for text in any script, as the slugs of Argo CD have them: by the tables of Text::Unidecode, a
 * character at a time. Signs come out as some signs or none; what stands beyond the basic plane is left out.
 */
export function transliterate(text: string): string {
  let result = "";
  for (const character of text) result += inAscii(character);
  return result.toLowerCase();
}

function inAscii(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return character;
  if (code > 0xffff) return "";
  // The package takes control characters for what Windows shows in their place.
  if (code < 0xa0) return "";
  // Letters in circles.
  if (code >= 0x24d0 && code <= 0x24e9) return String.fromCodePoint(code - 0x24d0 + 0x61);
  return spelledOtherwise.get(character) ?? unidecode(character);
}

/** Where Argo CD's tables, which are older and were mended by hand, say something else than the package's. */
const differences: readonly (readonly [written: string, characters: string])[] = [
  ["", "\u02e5\u02e6\u02e7\u02e8\u02e9\u02ea\u02eb\u05c0\u2122"],
  ["", "\ufdf0\ufdf1\ufdf2\ufdf3\ufdf4\ufdf5\ufdf6\ufdf7\ufdf8\ufdf9\ufdfa\ufdfb"],
  [
    "?",
    "\u02ef\u02f3\u02fb\u02fc\u02fd\u02fe\u03f4\u03f5\u03f6\u03f7\u03f8\u03f9\u03fc\u03fd\u03fe",
  ],
  ["'", "\u042a\u044a"],
  ["?", "\u0af1\u0af9\u13f5\u13f8\u13f9\u13fa\u13fb\u13fc\u13fd"],
  ["?", "\u1e9c\u1e9d\u1e9f\u1efa\u1efb\u1efc\u1efd\u1efe\u213b\u213c\u213d\u213e\u213f"],
  ["?", "\u25f4\u25f5\u25f6\u25f7\u4e00\ufdfc\ufdfd"],
  ["0", "\u24ea"],
  ["a", "\u212b\u2c65\u2c6f"],
  ["b", "\u1d6c\u1d80"],
  ["chi", "\u3061\u30c1"],
  ["d", "\u1d6d\u1d81"],
  ["eu", "\u20ac"],
  ["f", "\u1d6e\u1d82\u2132\u214e"],
  ["g", "\u1d77\u1d83"],
  ["h", "\u2c67\u2c68"],
  ["ie", "\u0404"],
  ["k", "\u02b0\u1d84\u212a\u2c69\u2c6a"],
  ["l", "\u1d85\u2c60\u2c61\u2c62"],
  ["m", "\u1d6f\u1d86\u2c6e"],
  ["n", "\u1d70\u1d87"],
  ["p", "\u1d71\u1d7d\u1d88\u2c63"],
  ["r", "\u1d72\u1d73\u1d89\u2c64"],
  ["s", "\u1d74\u1d8a"],
  ["shi", "\u3057\u30b7"],
  ["t", "\u1d75\u2c66"],
  ["tsu", "\u3063\u3064\u30c3\u30c4"],
  ["v", "\u1d8c"],
  ["x", "\u1d8d"],
  ["z", "\u1d76\u1d8e\u2c6b\u2c6c"],
];

/** The blocks of 256 characters whose last one has no spelling there. */
const unfinishedBlocks =
  "02 03 04 05 06 07 09 0a 0b 0c 0d 0e 0f 10 11 13 16 17 18 1e 1f 20 21 22 23 24 25 26 27 2e 2f 30 31 32 33 4d 9f " +
  "a4 d7 fa fd";

const spelledOtherwise: ReadonlyMap<string, string> = new Map([
  ...differences.flatMap(([written, characters]) =>
    Array.from(characters, (character): [string, string] => [character, written]),
  ),
  ...unfinishedBlocks
    .split(" ")
    .map((block): [string, string] => [String.fromCharCode(Number.parseInt(`${block}ff`, 16)), ""]),
]);
