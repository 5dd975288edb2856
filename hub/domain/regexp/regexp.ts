import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  BadRegexp,
  isWordCode,
  parseRegexp,
  type Assertion,
  type RegexpNode,
  type Test,
} from "./parse.ts";

/**
 * A regular expression with RE2's semantics: leftmost-first like Perl's, without look-around and
 * back-references, and in time linear in the text whatever the pattern.
 */
export type Regexp = {
  readonly matches: (text: string, charge: Charge) => boolean;
  /** The first match, or `undefined`. */
  readonly find: (text: string, charge: Charge) => string | undefined;
  /** Up to `most` matches; a negative number is no limit. */
  readonly findAll: (text: string, most: number, charge: Charge) => readonly string[];
  /** `$1`, `${name}` and `$$` mean something in the replacement unless it is literal. */
  readonly replaceAll: (
    text: string,
    replacement: string,
    literal: boolean,
    charge: Charge,
  ) => string;
  readonly split: (text: string, most: number, charge: Charge) => readonly string[];
};

/** Pays for work; throws when there is no more to spend. */
export type Charge = (units: number) => void;

type Instruction =
  | { readonly op: "one"; readonly test: Test; readonly next: number }
  | { readonly op: "assert"; readonly assertion: Assertion; readonly next: number }
  | { readonly op: "save"; readonly slot: number; readonly next: number }
  | { readonly op: "fork"; readonly first: number; readonly second: number }
  | { readonly op: "match" };

const instructionsMost = 20_000;

/** Compiles a pattern. Fails with Go's sentence. */
export function compileRegexp(pattern: string): Result<Regexp, string> {
  if (!pattern.isWellFormed()) return fail(`error parsing regexp: invalid UTF-8: \`${pattern}\``);
  try {
    const { node, names } = parseRegexp(pattern);
    const program = new Program(pattern);
    const start = program.lay(
      { kind: "capture", index: 0, of: node },
      program.add({ op: "match" }),
    );
    return ok(regexpOf(pattern, { instructions: program.instructions, start, names }));
  } catch (error) {
    if (error instanceof BadRegexp) return fail(error.message);
    throw error;
  }
}

export const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

/** Lays nodes out from the back: each is told where to go on. */
class Program {
  readonly instructions: Instruction[] = [];
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  add(instruction: Instruction): number {
    if (this.instructions.length >= instructionsMost)
      throw new BadRegexp("expression too large", this.#pattern);
    return this.instructions.push(instruction) - 1;
  }

  lay(node: RegexpNode, next: number): number {
    switch (node.kind) {
      case "empty":
        return next;
      case "one":
        return this.add({ op: "one", test: node.test, next });
      case "assert":
        return this.add({ op: "assert", assertion: node.assertion, next });
      case "capture": {
        const end = this.add({ op: "save", slot: node.index * 2 + 1, next });
        return this.add({ op: "save", slot: node.index * 2, next: this.lay(node.of, end) });
      }
      case "concat":
        return node.parts.reduceRight((after, part) => this.lay(part, after), next);
      case "either":
        return node.choices
          .map((choice) => this.lay(choice, next))
          .reduceRight((second, first) => this.add({ op: "fork", first, second }));
      case "repeat":
        return this.#repeat(node, next);
      default:
        return unreachable(node, "regexp node");
    }
  }

  #repeat(node: Extract<RegexpNode, { readonly kind: "repeat" }>, next: number): number {
    const { of, least, most, greedy } = node;
    let after = next;
    if (most === undefined) {
      // What can match nothing goes round only after it went through once, as RE2 orders it.
      if (least === 0)
        return nullable(of)
          ? this.#optional(this.#loop(of, next, greedy), next, greedy)
          : this.#star(of, next, greedy);
      after = this.#loop(of, next, greedy);
      for (let count = 1; count < least; count += 1) after = this.lay(of, after);
      return after;
    }
    for (let count = least; count < most; count += 1)
      after = this.#optional(this.lay(of, after), next, greedy);
    for (let count = 0; count < least; count += 1) after = this.lay(of, after);
    return after;
  }

  #optional(into: number, past: number, greedy: boolean): number {
    return this.add({ op: "fork", first: greedy ? into : past, second: greedy ? past : into });
  }

  /** One time or more. */
  #loop(of: RegexpNode, next: number, greedy: boolean): number {
    return this.#round(of, next, greedy).body;
  }

  #star(of: RegexpNode, next: number, greedy: boolean): number {
    return this.#round(of, next, greedy).fork;
  }

  /** A body that leads to a fork that leads back into it; entered at either. */
  #round(
    of: RegexpNode,
    next: number,
    greedy: boolean,
  ): { readonly body: number; readonly fork: number } {
    // Its place is taken now and filled when it is known where the body begins.
    const fork = this.add({ op: "match" });
    const body = this.lay(of, fork);
    this.instructions[fork] = {
      op: "fork",
      first: greedy ? body : next,
      second: greedy ? next : body,
    };
    return { body, fork };
  }
}

function nullable(node: RegexpNode): boolean {
  switch (node.kind) {
    case "empty":
    case "assert":
      return true;
    case "one":
      return false;
    case "capture":
      return nullable(node.of);
    case "concat":
      return node.parts.every(nullable);
    case "either":
      return node.choices.some(nullable);
    case "repeat":
      return node.least === 0 || nullable(node.of);
    default:
      return unreachable(node, "regexp node");
  }
}

type Compiled = {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  readonly names: readonly string[];
};

/** Positions of captures, start and end by turns, in characters; -1 for none. */
type Slots = readonly number[];

type Thread = { readonly at: number; readonly slots: Slots };

/** Runs all threads of the automaton side by side over the text, in order of priority. */
function search(
  { instructions, start, names }: Compiled,
  codes: readonly number[],
  from: number,
  charge: Charge,
): Slots | undefined {
  const blank: Slots = Array.from({ length: names.length * 2 }, () => -1);
  let current: Thread[] = [];
  let matched: Slots | undefined;
  const marks = new Int32Array(instructions.length).fill(-1);

  /** Follows everything that reads nothing, and keeps what reads a character, or matches. */
  const enter = (list: Thread[], first: Thread, position: number): void => {
    const stack = [first];
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      const { at, slots } = thread;
      if (marks[at] === position) continue;
      marks[at] = position;
      const instruction = instructions[at];
      switch (instruction?.op) {
        case "one":
        case "match":
          list.push(thread);
          break;
        case "assert":
          if (asserted(instruction.assertion, codes, position))
            stack.push({ at: instruction.next, slots });
          break;
        case "save":
          stack.push({ at: instruction.next, slots: slots.with(instruction.slot, position) });
          break;
        case "fork":
          stack.push({ at: instruction.second, slots }, { at: instruction.first, slots });
          break;
        case undefined:
          break;
      }
    }
  };

  for (let position = from; ; position += 1) {
    // Threads that began further left come first.
    if (matched === undefined) enter(current, { at: start, slots: blank }, position);
    const code = codes[position];
    if (current.length === 0 && (matched !== undefined || code === undefined)) return matched;
    charge(current.length + 1);
    const following: Thread[] = [];
    for (const { at, slots } of current) {
      const instruction = instructions[at];
      if (instruction?.op === "match") {
        matched = slots;
        // Everything behind has a lower priority than this match.
        break;
      }
      if (instruction?.op === "one" && code !== undefined && instruction.test(code))
        enter(following, { at: instruction.next, slots }, position + 1);
    }
    if (code === undefined) return matched;
    current = following;
  }
}

function asserted(assertion: Assertion, codes: readonly number[], position: number): boolean {
  const before = codes[position - 1];
  const after = codes[position];
  const atWord =
    (before !== undefined && isWordCode(before)) !== (after !== undefined && isWordCode(after));
  switch (assertion) {
    case "text-start":
      return before === undefined;
    case "text-end":
      return after === undefined;
    case "line-start":
      return before === undefined || before === 10;
    case "line-end":
      return after === undefined || after === 10;
    case "word":
      return atWord;
    case "not-word":
      return !atWord;
    default:
      return unreachable(assertion, "assertion");
  }
}

function regexpOf(pattern: string, compiled: Compiled): Regexp {
  const codesOf = (text: string): readonly number[] =>
    Array.from(text, (character) => character.codePointAt(0) ?? 0);
  /** What is matched: a lone surrogate, which stands for a byte that belongs to no character, is U+FFFD to Go. */
  const matchable = (text: string, codes: readonly number[]): readonly number[] =>
    text.isWellFormed()
      ? codes
      : codes.map((code) => (code >= 0xd800 && code <= 0xdfff ? 0xfffd : code));
  const textOf = (codes: readonly number[], from: number, to: number): string =>
    from < 0
      ? ""
      : codes
          .slice(from, to)
          .map((code) => String.fromCodePoint(code))
          .join("");

  const allSlots = (codes: readonly number[], most: number, charge: Charge): readonly Slots[] => {
    const found: Slots[] = [];
    let position = 0;
    let previousEnd = -1;
    while (position <= codes.length && found.length !== most) {
      const slots = search(compiled, codes, position, charge);
      if (slots === undefined) break;
      const [start = 0, end = 0] = slots;
      // An empty match right behind another one does not count.
      const counts = end !== position || start !== previousEnd;
      position = end === position ? position + 1 : end;
      previousEnd = end;
      if (counts) found.push(slots);
    }
    return found;
  };

  return {
    matches: (text, charge) =>
      search(compiled, matchable(text, codesOf(text)), 0, charge) !== undefined,
    find: (text, charge) => {
      const codes = codesOf(text);
      const slots = search(compiled, matchable(text, codes), 0, charge);
      return slots === undefined ? undefined : textOf(codes, slots[0] ?? 0, slots[1] ?? 0);
    },
    findAll: (text, most, charge) => {
      const codes = codesOf(text);
      return allSlots(matchable(text, codes), most, charge).map(([start = 0, end = 0]) =>
        textOf(codes, start, end),
      );
    },
    replaceAll: (text, replacement, literal, charge) => {
      const codes = codesOf(text);
      const matched = matchable(text, codes);
      const parts = literal ? [replacement] : parseReplacement(replacement, compiled.names);
      let result = "";
      let lastEnd = 0;
      let position = 0;
      while (position <= codes.length) {
        const slots = search(compiled, matched, position, charge);
        if (slots === undefined) break;
        const [start = 0, end = 0] = slots;
        result += textOf(codes, lastEnd, start);
        if (end > lastEnd || start === 0) {
          const added = parts
            .map((part) => {
              if (typeof part === "string") return part;
              const index = part.find((capture) => (slots[capture * 2] ?? -1) >= 0);
              if (index === undefined) return "";
              return textOf(codes, slots[index * 2] ?? -1, slots[index * 2 + 1] ?? -1);
            })
            .join("");
          charge(added.length);
          result += added;
        }
        lastEnd = end;
        position = Math.max(position + 1, end);
      }
      return result + textOf(codes, lastEnd, codes.length);
    },
    split: (text, most, charge) => {
      if (most === 0) return [];
      if (pattern !== "" && text === "") return [""];
      const codes = codesOf(text);
      const parts: string[] = [];
      let from = 0;
      let to = 0;
      for (const [start = 0, end = 0] of allSlots(matchable(text, codes), most, charge)) {
        if (most > 0 && parts.length === most - 1) break;
        to = start;
        if (end !== 0) parts.push(textOf(codes, from, to));
        from = end;
      }
      if (to !== codes.length) parts.push(textOf(codes, from, codes.length));
      return parts;
    },
  };
}

/**
 * A replacement as text and numbers of captures, the first of which that took part counts: several may have one
 * name. A name nobody has stands for nothing.
 */
function parseReplacement(
  replacement: string,
  names: readonly string[],
): readonly (string | readonly number[])[] {
  const parts: (string | readonly number[])[] = [];
  let at = 0;
  for (const found of replacement.matchAll(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu)) {
    parts.push(replacement.slice(at, found.index));
    at = found.index + found[0].length;
    const name = found[1] ?? found[2];
    if (name === undefined) parts.push("$");
    else if (/^[0-9]+$/.test(name)) {
      const index = Number(name);
      if (index < names.length) parts.push([index]);
    } else parts.push([...names.keys()].filter((index) => names[index] === name));
  }
  parts.push(replacement.slice(at));
  return parts;
}
