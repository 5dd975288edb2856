import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  BadRegexp,
  isWordCode,
  parseRegexp,
  sizeMost,
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

type RepeatNode = Extract<RegexpNode, { readonly kind: "repeat" }>;

type Instruction =
  | { readonly op: "one"; readonly test: Test; readonly cost: number; readonly next: number }
  | { readonly op: "assert"; readonly assertion: Assertion; readonly next: number }
  | { readonly op: "save"; readonly slot: number; readonly next: number }
  | { readonly op: "fork"; readonly first: number; readonly second: number }
  | { readonly op: "match" };

/** What it costs to make an instruction. */
const unitsPerInstruction = 2;

/** Compiles a pattern, and pays for each instruction that it comes to. Fails with Go's sentence. */
export function compileRegexp(pattern: string, charge?: Charge): Result<Regexp, string> {
  if (!pattern.isWellFormed()) return fail(`error parsing regexp: invalid UTF-8: \`${pattern}\``);
  try {
    const { node, names } = parseRegexp(pattern);
    const whole: RegexpNode = { kind: "capture", index: 0, of: node };
    const size = sizeOf(whole) + 1;
    if (size > sizeMost) throw new BadRegexp("expression too large", pattern);
    charge?.(unitsPerInstruction * size);
    const program = new Program();
    const start = program.lay(whole, program.add({ op: "match" }));
    return ok(regexpOf(pattern, { instructions: program.instructions, start, names }));
  } catch (error) {
    if (error instanceof BadRegexp) return fail(error.message);
    throw error;
  }
}

export const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

/** How many instructions a node becomes. Beyond `sizeMost` any number stands for any other. */
function sizeOf(node: RegexpNode): number {
  switch (node.kind) {
    case "empty":
      return 0;
    case "one":
    case "assert":
      return 1;
    case "capture":
      return sizeOf(node.of) + 2;
    case "concat":
      return node.parts.reduce((sum, part) => sum + sizeOf(part), 0);
    case "either":
      return node.choices.reduce((sum, choice) => sum + sizeOf(choice) + 1, -1);
    case "repeat":
      return Math.min(repeatedSize(node), sizeMost + 1);
    default:
      return unreachable(node, "regexp node");
  }
}

/** The body as often as it is written out, and a fork for each time that it may be left out or begun again. */
function repeatedSize({ of, least, most }: RepeatNode): number {
  if (most !== undefined) return sizeOf(of) * most + most - least;
  return sizeOf(of) * Math.max(least, 1) + (least === 0 && nullable(of) ? 2 : 1);
}

/** Lays nodes out from the back: each is told where to go on. */
class Program {
  readonly instructions: Instruction[] = [];

  add(instruction: Instruction): number {
    return this.instructions.push(instruction) - 1;
  }

  lay(node: RegexpNode, next: number): number {
    switch (node.kind) {
      case "empty":
        return next;
      case "one":
        return this.add({ op: "one", test: node.test, cost: node.cost, next });
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

  #repeat({ of, least, most, greedy }: RepeatNode, next: number): number {
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

/** Which instructions were entered last in which round; good for one search after another. */
type Marks = { readonly rounds: Float64Array; round: number };

function marksFor({ instructions }: Compiled, charge: Charge): Marks {
  charge(instructions.length);
  return { rounds: new Float64Array(instructions.length), round: 0 };
}

/**
 * Runs all threads of the automaton side by side over the text, in order of priority. Pays for each instruction
 * that is visited, for each test and for each copy of the slots.
 */
function search(
  { instructions, start, names }: Compiled,
  marks: Marks,
  codes: readonly number[],
  from: number,
  charge: Charge,
): Slots | undefined {
  marks.round += 1;
  charge(names.length * 2);
  const blank: Slots = Array.from({ length: names.length * 2 }, () => -1);
  let current: Thread[] = [];
  let matched: Slots | undefined;
  const { rounds } = marks;

  /** Follows everything that reads nothing, and keeps what reads a character, or matches. */
  const enter = (list: Thread[], first: Thread, position: number): void => {
    const stack = [first];
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      const { at, slots } = thread;
      charge(1);
      if (rounds[at] === marks.round) continue;
      rounds[at] = marks.round;
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
          charge(slots.length);
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
    charge(1);
    marks.round += 1;
    const following: Thread[] = [];
    for (const { at, slots } of current) {
      const instruction = instructions[at];
      if (instruction?.op === "match") {
        matched = slots;
        // Everything behind has a lower priority than this match.
        break;
      }
      if (instruction?.op !== "one" || code === undefined) continue;
      charge(instruction.cost);
      if (instruction.test(code)) enter(following, { at: instruction.next, slots }, position + 1);
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
  const codesOf = (text: string, charge: Charge): readonly number[] => {
    charge(text.length);
    return Array.from(text, (character) => character.codePointAt(0) ?? 0);
  };
  /** What is matched: a lone surrogate, which stands for a byte that belongs to no character, is U+FFFD to Go. */
  const matchable = (text: string, codes: readonly number[]): readonly number[] =>
    text.isWellFormed()
      ? codes
      : codes.map((code) => (code >= 0xd800 && code <= 0xdfff ? 0xfffd : code));
  const textOf = (codes: readonly number[], from: number, to: number, charge: Charge): string => {
    if (from < 0) return "";
    charge(to - from);
    return codes
      .slice(from, to)
      .map((code) => String.fromCodePoint(code))
      .join("");
  };
  const first = (text: string, codes: readonly number[], charge: Charge): Slots | undefined =>
    search(compiled, marksFor(compiled, charge), matchable(text, codes), 0, charge);

  const allSlots = (codes: readonly number[], most: number, charge: Charge): readonly Slots[] => {
    const found: Slots[] = [];
    const marks = marksFor(compiled, charge);
    let position = 0;
    let previousEnd = -1;
    while (position <= codes.length && found.length !== most) {
      const slots = search(compiled, marks, codes, position, charge);
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
    matches: (text, charge) => first(text, codesOf(text, charge), charge) !== undefined,
    find: (text, charge) => {
      const codes = codesOf(text, charge);
      const slots = first(text, codes, charge);
      return slots === undefined ? undefined : textOf(codes, slots[0] ?? 0, slots[1] ?? 0, charge);
    },
    findAll: (text, most, charge) => {
      const codes = codesOf(text, charge);
      return allSlots(matchable(text, codes), most, charge).map(([start = 0, end = 0]) =>
        textOf(codes, start, end, charge),
      );
    },
    replaceAll: (text, replacement, literal, charge) => {
      const codes = codesOf(text, charge);
      charge(replacement.length);
      const marks = marksFor(compiled, charge);
      const matched = matchable(text, codes);
      const parts = literal ? [replacement] : parseReplacement(replacement, compiled.names);
      let result = "";
      let lastEnd = 0;
      let position = 0;
      while (position <= codes.length) {
        const slots = search(compiled, marks, matched, position, charge);
        if (slots === undefined) break;
        const [start = 0, end = 0] = slots;
        result += textOf(codes, lastEnd, start, charge);
        if (end > lastEnd || start === 0) {
          const added = parts
            .map((part) => {
              charge(part.length);
              if (typeof part === "string") return part;
              const index = part.find((capture) => (slots[capture * 2] ?? -1) >= 0);
              if (index === undefined) return "";
              const from = slots[index * 2] ?? -1;
              return textOf(codes, from, slots[index * 2 + 1] ?? -1, charge);
            })
            .join("");
          result += added;
        }
        lastEnd = end;
        position = Math.max(position + 1, end);
      }
      return result + textOf(codes, lastEnd, codes.length, charge);
    },
    split: (text, most, charge) => {
      if (most === 0) return [];
      if (pattern !== "" && text === "") return [""];
      const codes = codesOf(text, charge);
      const parts: string[] = [];
      let from = 0;
      let to = 0;
      for (const [start = 0, end = 0] of allSlots(matchable(text, codes), most, charge)) {
        if (most > 0 && parts.length === most - 1) break;
        to = start;
        if (end !== 0) parts.push(textOf(codes, from, to, charge));
        from = end;
      }
      if (to !== codes.length) parts.push(textOf(codes, from, codes.length, charge));
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
  const captures = Map.groupBy(names.keys(), (index) => names[index] ?? "");
  let at = 0;
  for (const found of replacement.matchAll(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu)) {
    if (found.index > at) parts.push(replacement.slice(at, found.index));
    at = found.index + found[0].length;
    const name = found[1] ?? found[2];
    if (name === undefined) parts.push("$");
    else if (/^[0-9]+$/.test(name)) {
      const index = Number(name);
      if (index < names.length) parts.push([index]);
    } else parts.push(captures.get(name) ?? []);
  }
  parts.push(replacement.slice(at));
  return parts;
}
