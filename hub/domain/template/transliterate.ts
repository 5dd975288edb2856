/** Small letters that are no Latin letter with a mark, and what is written for them. */
const spellings: readonly (readonly [latin: string, letters: string])[] = [
  ["a", "ªαа"],
  ["ae", "æӕ"],
  ["b", "βб"],
  ["ch", "ч"],
  ["d", "đðδд"],
  ["dj", "ђ"],
  ["dz", "ѕ"],
  ["dzh", "џ"],
  ["e", "εηеэ"],
  ["f", "ф"],
  ["g", "γг"],
  ["g-", "ґғ"],
  ["gj", "ѓ"],
  ["h", "ħһ"],
  ["i", "ıιиі"],
  ["ia", "я"],
  ["ie", "єѐ"],
  ["ij", "ĳ"],
  ["io", "ё"],
  ["iu", "ю"],
  ["j", "ȷј"],
  ["k", "ĸκк"],
  ["k-", "қ"],
  ["kh", "χх"],
  ["kj", "ќ"],
  ["l", "łŀλл"],
  ["lj", "љǉ"],
  ["m", "μм"],
  ["n", "νн"],
  ["n-", "ң"],
  ["ng", "ŋ"],
  ["nj", "њǌ"],
  ["o", "ºøοωоө"],
  ["oe", "œ"],
  ["p", "πп"],
  ["ph", "φ"],
  ["ps", "ψ"],
  ["r", "ρр"],
  ["s", "ſσςс"],
  ["sh", "ш"],
  ["shch", "щ"],
  ["ss", "ß"],
  ["t", "ŧτт"],
  ["th", "þθ"],
  ["ts", "ц"],
  ["tsh", "ћ"],
  ["u", "µυуў"],
  ["u-", "ұ"],
  ["v", "в"],
  ["y", "ы"],
  ["yi", "ї"],
  ["z", "ζз"],
  ["zh", "ж"],
];

const latin = new Map<string, string>();
for (const [written, letters] of spellings)
  for (const letter of letters) latin.set(letter, written);
// The two forms of this one are written apart.
latin.set("ξ", "x");
latin.set("Ξ", "ks");

/**
 * Small Latin letters for those of Latin, Greek and Cyrillic, as Argo CD's slugs have them. Letters of other
 * scripts stay what they are.
 */
export function transliterated(text: string): string {
  let result = "";
  for (const letter of text.normalize("NFC"))
    result += latin.get(letter) ?? latin.get(letter.toLowerCase()) ?? bare(letter.toLowerCase());
  return result;
}

/** Without its marks. */
function bare(letter: string): string {
  let result = "";
  for (const part of letter.normalize("NFD").replace(/\p{M}/gu, ""))
    result += latin.get(part) ?? part;
  return result;
}
