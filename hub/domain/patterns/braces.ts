import { BadPattern, type Part, type Reader } from "./glob-automaton.ts";

/**
 * Adds to `parts`, the alternative so far, what a character stands for. It may read on, and take parts back.
 * `previous` is the one before it in the same alternative; `undefined` at its start.
 */
export type ParsePart = (character: string, parts: Part[], previous: string | undefined) => void;

/** Nobody writes as many, and each is a call of its own here and where the pattern is laid out. */
const depthMost = 100;

/**
 * A pattern in which `{one,two}` are alternatives, and all else is what `parsePart` makes of it. Throws BadPattern where
 * braces stand in more than a hundred others.
 */
export const parseBraces = (reader: Reader, parsePart: ParsePart): readonly Part[] =>
  parseChoices(reader, parsePart, 0)[0] ?? [];

/** Alternatives up to the closing brace, or at depth 0 the whole pattern. */
function parseChoices(
  reader: Reader,
  parsePart: ParsePart,
  depth: number,
): readonly (readonly Part[])[] {
  if (depth > depthMost) throw new BadPattern(`has more than ${depthMost} { inside each other`);
  const inBraces = depth > 0;
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
      parts.push({ kind: "either", choices: parseChoices(reader, parsePart, depth + 1) });
    else parsePart(character, parts, previous);
    previous = character;
  }
}
