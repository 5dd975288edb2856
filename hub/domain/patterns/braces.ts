import { BadPattern, type Part, type Reader } from "./glob-automaton.ts";

/**
 * Adds to `parts`, the alternative so far, what a character stands for. It may read on, and take parts back.
 * `previous` is the one before it in the same alternative; `undefined` at its start.
 */
export type ParsePart = (character: string, parts: Part[], previous: string | undefined) => void;

/** A pattern in which `{one,two}` are alternatives, and all else is what `parsePart` makes of it. */
export const parseBraces = (reader: Reader, parsePart: ParsePart): readonly Part[] =>
  parseChoices(reader, parsePart, false)[0] ?? [];

/** Alternatives up to the closing brace, or the whole pattern outside of braces. */
function parseChoices(
  reader: Reader,
  parsePart: ParsePart,
  inBraces: boolean,
): readonly (readonly Part[])[] {
  let parts: Part[] = [];
  let previous: string | undefined;
  const choices = [parts];
  for (;;) {
    const character = reader.take();
    if (character === undefined) {
      if (inBraces) throw new BadPattern("has a { without a }");
      return choices;
    }
    if (inBraces && character === "}") return choices;
    if (inBraces && character === ",") {
      parts = [];
      previous = undefined;
      choices.push(parts);
      continue;
    }
    if (character === "{")
      parts.push({ kind: "either", choices: parseChoices(reader, parsePart, true) });
    else parsePart(character, parts, previous);
    previous = character;
  }
}
