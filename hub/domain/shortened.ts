/** What stands for the middle of a text that is left out. */
const leftOut = " [...] ";

/** A text of at most so many characters: of a longer one its beginning, and a little of its end. */
export function shortened(text: string, charactersMost: number): string {
  if (text.length <= charactersMost) return text;
  const end = Math.floor(charactersMost / 4);
  const beginning = charactersMost - leftOut.length - end;
  const short = text.slice(0, beginning) + leftOut + text.slice(text.length - end);
  // Halves of characters are of no use. The engine also looks for them in a text of its own, rather than in parts
  // that would keep the whole of the long one.
  return short.toWellFormed();
}
