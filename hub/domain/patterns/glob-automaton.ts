import { fail, ok, type Result } from "../../../proto/kit/result.ts";

/** Whether a name matches. Compiled to an automaton: at most (length of pattern) × (length of name) steps. */
export type Glob = (name: string) => boolean;

/** What one step of the automaton may read. `undefined` reads nothing and forks. */
type State = {
  readonly reads: ((character: number) => boolean) | undefined;
  readonly next: readonly number[];
};

export type Part =
  | { readonly kind: "one"; readonly reads: (character: number) => boolean }
  | { readonly kind: "many"; readonly reads: (character: number) => boolean }
  | { readonly kind: "either"; readonly choices: readonly (readonly Part[])[] };

/** Thrown by the parsers of dialects; `compiled` answers it with a sentence. */
export class BadPattern extends Error {}

/** A pattern, character by character. */
export class Reader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#characters = Array.from(text);
  }

  peek(): string | undefined {
    return this.#characters[this.#at];
  }

  take(): string | undefined {
    const character = this.#characters[this.#at];
    this.#at += 1;
    return character;
  }

  needed(what: string): string {
    const character = this.take();
    if (character === undefined) throw new BadPattern(`ends inside ${what}`);
    return character;
  }
}

/** Compiles a pattern of the dialect that `parse` reads. */
export function compiled(
  pattern: string,
  parse: (reader: Reader) => readonly Part[],
): Result<Glob, string> {
  let parts: readonly Part[];
  try {
    parts = parse(new Reader(pattern));
  } catch (error) {
    if (error instanceof BadPattern)
      return fail(`pattern ${JSON.stringify(pattern)} ${error.message}`);
    throw error;
  }
  const states: State[] = [];
  const start = assemble(parts, states, accept);
  return ok((name) => run(states, start, name));
}

const accept = -1;

/** Lays out `parts` so that they end in state `after`; returns where they begin. Built from the back. */
function assemble(parts: readonly Part[], states: State[], after: number): number {
  let next = after;
  for (const part of parts.toReversed()) {
    const self = states.length;
    switch (part.kind) {
      case "one":
        states.push({ reads: part.reads, next: [next] });
        next = self;
        break;
      case "many":
        // A fork: go on, or read one more and come back to the fork.
        states.push({ reads: undefined, next: [next, self + 1] });
        states.push({ reads: part.reads, next: [self] });
        next = self;
        break;
      case "either": {
        const end = next;
        const starts = part.choices.map((choice) => assemble(choice, states, end));
        next = states.length;
        states.push({ reads: undefined, next: starts });
        break;
      }
    }
  }
  return next;
}

function run(states: readonly State[], start: number, name: string): boolean {
  let current = new Set([start]);
  follow(states, current);
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    const following = new Set<number>();
    for (const index of current) {
      const state = states[index];
      if (state?.reads?.(code) === true) for (const next of state.next) following.add(next);
    }
    if (following.size === 0) return false;
    follow(states, following);
    current = following;
  }
  return current.has(accept);
}

/** Adds all that forks lead to. They may follow each other as often as the pattern is long. */
function follow(states: readonly State[], entered: Set<number>): void {
  // What is added on the way has its turn as well.
  for (const index of entered) {
    const state = states[index];
    if (state === undefined || state.reads !== undefined) continue;
    for (const next of state.next) entered.add(next);
  }
}

export const exactly = (character: string): Part => {
  const code = character.codePointAt(0);
  return { kind: "one", reads: (other) => other === code };
};

export const noneOf = (characters: string): ((character: number) => boolean) => {
  const codes = new Set(Array.from(characters).map((character) => character.codePointAt(0)));
  return (character) => !codes.has(character);
};

/** The inside of `[...]`. An empty class is malformed, as in Go. */
export function parseClass(reader: Reader, negation: string): (character: number) => boolean {
  const negated = reader.peek() === negation;
  if (negated) reader.take();
  const ranges: (readonly [low: number, high: number])[] = [];
  while (reader.peek() !== "]" || ranges.length === 0) {
    const low = parseClassCharacter(reader);
    let high = low;
    if (reader.peek() === "-") {
      reader.take();
      high = parseClassCharacter(reader);
    }
    ranges.push([low, high]);
  }
  reader.take();
  return (character) =>
    ranges.some(([low, high]) => character >= low && character <= high) !== negated;
}

function parseClassCharacter(reader: Reader): number {
  let character = reader.needed("a class");
  if (character === "-" || character === "]")
    throw new BadPattern(`has a misplaced ${JSON.stringify(character)} in a class`);
  if (character === "\\") character = reader.needed("an escape");
  return character.codePointAt(0) ?? 0;
}
