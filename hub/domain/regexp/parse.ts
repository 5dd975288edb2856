/** Regular expressions in RE2's syntax, as Go's regexp package reads them. */

export type Test = (code: number) => boolean;

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "not-word";

export type RegexpNode =
  | { readonly kind: "empty" }
  /** `cost` is what one test comes to, in tests of a single range. */
  | { readonly kind: "one"; readonly test: Test; readonly cost: number }
  | { readonly kind: "assert"; readonly assertion: Assertion }
  | { readonly kind: "capture"; readonly index: number; readonly of: RegexpNode }
  | { readonly kind: "concat"; readonly parts: readonly RegexpNode[] }
  | { readonly kind: "either"; readonly choices: readonly RegexpNode[] }
  | {
      readonly kind: "repeat";
      readonly of: RegexpNode;
      readonly least: number;
      /** `undefined` is no limit. */
      readonly most: number | undefined;
      readonly greedy: boolean;
    };

type OneNode = Extract<RegexpNode, { readonly kind: "one" }>;

export type ParsedRegexp = {
  readonly node: RegexpNode;
  /** Name of each capture, by index; index 0 is the whole match. Empty for those without. */
  readonly names: readonly string[];
};

/** Go's words for what is wrong with an expression. */
export class BadRegexp extends Error {
  constructor(reason: string, part: string) {
    super(`error parsing regexp: ${reason}: \`${part}\``);
  }
}

/** How many instructions an expression may become. */
export const sizeMost = 20_000;

const repeatMost = 1000;
const depthMost = 250;

type Flags = {
  readonly fold: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly ungreedy: boolean;
};

/** Throws BadRegexp. */
export const parseRegexp = (pattern: string): ParsedRegexp => new Parser(pattern).whole();

class Parser {
  readonly #pattern: string;
  readonly #names: string[] = [""];
  /** Where the next character stands, in units of the pattern. */
  #at = 0;
  #atoms = 0;
  #flags: Flags = { fold: false, multiLine: false, dotAll: false, ungreedy: false };
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): ParsedRegexp {
    const node = this.#either();
    if (this.#at < this.#pattern.length) throw new BadRegexp("unexpected )", this.#pattern);
    return { node, names: this.#names };
  }

  #rest(from = this.#at): string {
    return this.#pattern.slice(from);
  }

  #peek(): string | undefined {
    const code = this.#pattern.codePointAt(this.#at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  /** What stands next, as a sticky expression finds it: what is far behind must not be looked at again and again. */
  #next(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#pattern);
  }

  /** What stands from `start` up to where the next `count` characters end. */
  #through(start: number, count: number): string {
    const ahead = Array.from(this.#pattern.slice(this.#at, this.#at + 2 * count));
    return this.#pattern.slice(start, this.#at) + ahead.slice(0, count).join("");
  }

  /** Atoms become instructions, as a rule, so that there is no use in reading on; each of a class counts as one. */
  #countAtom(): void {
    this.#atoms += 1;
    if (this.#atoms > sizeMost) throw new BadRegexp("expression too large", this.#pattern);
  }

  #either(): RegexpNode {
    this.#depth += 1;
    if (this.#depth > depthMost) throw new BadRegexp("expression nests too deeply", this.#pattern);
    const choices = [this.#concat()];
    while (this.#peek() === "|") {
      this.#at += 1;
      choices.push(this.#concat());
    }
    this.#depth -= 1;
    const [only] = choices;
    return choices.length === 1 && only !== undefined ? only : { kind: "either", choices };
  }

  #concat(): RegexpNode {
    const parts: RegexpNode[] = [];
    for (;;) {
      const character = this.#peek();
      if (character === undefined || character === "|" || character === ")") break;
      const atoms = this.#atom();
      if (atoms !== undefined) {
        parts.push(...this.#repeated(atoms));
        continue;
      }
      // A repetition behind a change of flags is one of what stands before it.
      const last = parts.pop();
      if (last !== undefined) parts.push(...this.#repeated([last]));
    }
    const matching = parts.filter(({ kind }) => kind !== "empty");
    const [only] = matching;
    if (only === undefined) return { kind: "empty" };
    return matching.length === 1 ? only : { kind: "concat", parts: matching };
  }

  /** The atoms with their repetition; a quoted run repeats its last character only. */
  #repeated(atoms: readonly RegexpNode[]): readonly RegexpNode[] {
    let node = atoms.at(-1);
    if (node === undefined) return atoms;
    let previous = "";
    for (;;) {
      const operatorAt = this.#at;
      const bounds = this.#bounds();
      if (bounds === undefined) break;
      let greedy = true;
      if (this.#peek() === "?") {
        this.#at += 1;
        greedy = false;
      }
      const text = this.#pattern.slice(operatorAt, this.#at);
      const [least, most] = bounds;
      if (least > repeatMost || (most !== undefined && (most > repeatMost || most < least)))
        throw new BadRegexp("invalid repeat count", text);
      if (previous !== "")
        throw new BadRegexp("invalid nested repetition operator", previous + text);
      previous = text;
      // What matches nothing is dropped wherever it stands, so that it is not laid out as often as it is repeated.
      node =
        node.kind === "empty" || most === 0
          ? { kind: "empty" }
          : { kind: "repeat", of: node, least, most, greedy: greedy !== this.#flags.ungreedy };
    }
    return [...atoms.slice(0, -1), node];
  }

  #bounds(): readonly [number, number | undefined] | undefined {
    switch (this.#peek()) {
      case "*":
        this.#at += 1;
        return [0, undefined];
      case "+":
        this.#at += 1;
        return [1, undefined];
      case "?":
        this.#at += 1;
        return [0, 1];
      case "{": {
        const found = this.#next(/\{([0-9]{1,6})(?:(,)([0-9]{0,6}))?\}/y);
        if (found === null) return undefined;
        this.#at += found[0].length;
        const least = Number(found[1]);
        if (found[2] === undefined) return [least, least];
        return [least, found[3] === "" ? undefined : Number(found[3])];
      }
      default:
        return undefined;
    }
  }

  /** One thing that can be repeated; `undefined` for what changes flags only. */
  #atom(): readonly RegexpNode[] | undefined {
    this.#countAtom();
    const character = this.#peek() ?? "";
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return [this.#bracket()];
      case ".":
        this.#at += 1;
        return [one(this.#flags.dotAll ? () => true : (code) => code !== 10)];
      case "^":
        this.#at += 1;
        return [assertion(this.#flags.multiLine ? "line-start" : "text-start")];
      case "$":
        this.#at += 1;
        return [assertion(this.#flags.multiLine ? "line-end" : "text-end")];
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new BadRegexp(
          "missing argument to repetition operator",
          this.#next(/.\??/y)?.[0] ?? "",
        );
      case "{": {
        const found = this.#next(/\{[0-9]{1,6}(,[0-9]{0,6})?\}\??/y);
        if (found !== null)
          throw new BadRegexp("missing argument to repetition operator", found[0]);
        break;
      }
    }
    this.#at += character.length;
    return [this.#literal(character)];
  }

  #literal(character: string): RegexpNode {
    const code = character.codePointAt(0) ?? 0;
    return this.#foldedOne((other) => other === code, 1);
  }

  #foldedOne(test: Test, cost: number): OneNode {
    return one(this.#folding(test), this.#flags.fold ? foldCost * cost : cost);
  }

  #folding(test: Test): Test {
    return this.#flags.fold ? (code) => caseOrbit(code).some(test) : test;
  }

  #group(): readonly RegexpNode[] | undefined {
    const start = this.#at;
    if (this.#next(/\(\?(?:P<|<(?![=!]))/y) !== null) {
      const named = this.#next(/\(\?P?<([^>]*)>/y);
      if (named === null) throw new BadRegexp("invalid named capture", this.#rest());
      const name = named[1] ?? "";
      if (!/^[A-Za-z0-9_]+$/.test(name)) throw new BadRegexp("invalid named capture", named[0]);
      this.#at += named[0].length;
      return this.#captured(name);
    }
    if (!this.#pattern.startsWith("(?", start)) {
      this.#at += 1;
      return this.#captured("");
    }
    return this.#flagGroup(start);
  }

  #captured(name: string): readonly RegexpNode[] {
    const index = this.#names.push(name) - 1;
    return [{ kind: "capture", index, of: this.#closed() }];
  }

  /** What stands in a group, with its flags forgotten behind it. */
  #closed(): RegexpNode {
    const flags = this.#flags;
    const node = this.#either();
    if (this.#peek() !== ")") throw new BadRegexp("missing closing )", this.#pattern);
    this.#at += 1;
    this.#flags = flags;
    return node;
  }

  #flagGroup(start: number): readonly RegexpNode[] | undefined {
    const before = this.#flags;
    let flags: Flags = before;
    let value = true;
    let sawFlag = false;
    for (this.#at += 2; ; this.#at += 1) {
      const character = this.#peek();
      const bad = (): BadRegexp =>
        new BadRegexp("invalid or unsupported Perl syntax", this.#through(start, 1));
      switch (character) {
        case "i":
          flags = { ...flags, fold: value };
          break;
        case "m":
          flags = { ...flags, multiLine: value };
          break;
        case "s":
          flags = { ...flags, dotAll: value };
          break;
        case "U":
          flags = { ...flags, ungreedy: value };
          break;
        case "-":
          if (!value) throw bad();
          value = false;
          sawFlag = false;
          continue;
        case ":":
        case ")": {
          if (!value && !sawFlag) throw bad();
          this.#at += 1;
          this.#flags = flags;
          if (character === ")") return undefined;
          const node = this.#closed();
          this.#flags = before;
          return [node];
        }
        case undefined:
          throw new BadRegexp("missing closing )", this.#pattern);
        default:
          throw bad();
      }
      sawFlag = true;
    }
  }

  #escape(): readonly RegexpNode[] {
    const start = this.#at;
    const next = this.#pattern[start + 1];
    switch (next) {
      case undefined:
        throw new BadRegexp("trailing backslash at end of expression", "");
      case "A":
        this.#at += 2;
        return [assertion("text-start")];
      case "z":
        this.#at += 2;
        return [assertion("text-end")];
      case "b":
        this.#at += 2;
        return [assertion("word")];
      case "B":
        this.#at += 2;
        return [assertion("not-word")];
      case "Q":
        return this.#quoted();
    }
    const set = this.#classEscape();
    if (set !== undefined) return [one(set.test, set.cost)];
    return [this.#literal(String.fromCodePoint(this.#characterEscape()))];
  }

  #quoted(): readonly RegexpNode[] {
    this.#at += 2;
    const nodes: RegexpNode[] = [];
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (this.#pattern.startsWith("\\E", this.#at)) {
        this.#at += 2;
        break;
      }
      this.#countAtom();
      nodes.push(this.#literal(next));
      this.#at += next.length;
    }
    return nodes.length === 0 ? [{ kind: "empty" }] : nodes;
  }

  /** `\d`, `\w`, `\s`, `\pL`, `\p{Greek}` and their opposites. */
  #classEscape(): CharacterSet | undefined {
    const letter = this.#pattern[this.#at + 1] ?? "";
    const perl = perlClasses.get(letter.toLowerCase());
    if (perl !== undefined && /^[dswDSW]$/.test(letter)) {
      this.#at += 2;
      return { test: /[DSW]/.test(letter) ? (code) => !perl(code) : perl, cost: namedCost };
    }
    if (letter !== "p" && letter !== "P") return undefined;
    const found = this.#next(/\\[pP](?:\{(\^?)([A-Za-z_]+)\}|([A-Za-z]))/y);
    const name = found?.[2] ?? found?.[3] ?? "";
    const test = unicodeClass(name);
    if (found === null || test === undefined)
      throw new BadRegexp("invalid character class range", found?.[0] ?? this.#rest());
    this.#at += found[0].length;
    const negated = (letter === "P") !== (found[1] === "^");
    const folded = this.#folding(test);
    return {
      test: negated ? (code) => !folded(code) : folded,
      cost: this.#flags.fold ? foldCost * namedCost : namedCost,
    };
  }

  /** The code of an escaped character. */
  #characterEscape(): number {
    const found = this.#next(
      /\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([aftnrv])|([\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]))/y,
    );
    const bad = (): BadRegexp =>
      new BadRegexp("invalid escape sequence", this.#through(this.#at, 2));
    if (found === null) throw bad();
    this.#at += found[0].length;
    const [, hex, braced, octal, control, punctuation] = found;
    if (octal !== undefined) return Number.parseInt(octal, 8);
    if (control !== undefined) return controlCodes.get(control) ?? 0;
    if (punctuation !== undefined) return punctuation.codePointAt(0) ?? 0;
    const code = Number.parseInt(hex ?? braced ?? "", 16);
    if (code > 0x10ffff) throw bad();
    return code;
  }

  #bracket(): RegexpNode {
    const start = this.#at;
    this.#at += 1;
    const negated = this.#peek() === "^";
    if (negated) this.#at += 1;
    const sets: CharacterSet[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#peek() === undefined) throw new BadRegexp("missing closing ]", this.#rest(start));
      this.#countAtom();
      sets.push(this.#bracketItem(start));
    }
    this.#at += 1;
    const cost = sets.reduce((sum, set) => sum + set.cost, 0);
    const inside = this.#foldedOne((code) => sets.some((set) => set.test(code)), cost);
    return negated ? negation(inside) : inside;
  }

  #bracketItem(start: number): CharacterSet {
    const posix = this.#next(/\[:(\^?)([a-z]+):\]/y);
    if (posix !== null) {
      const test = posixClasses.get(posix[2] ?? "");
      if (test === undefined) throw new BadRegexp("invalid character class range", posix[0]);
      this.#at += posix[0].length;
      return { test: posix[1] === "^" ? (code) => !test(code) : test, cost: namedCost };
    }
    if (this.#peek() === "\\") {
      const set = this.#classEscape();
      if (set !== undefined) return set;
    }
    const itemAt = this.#at;
    const low = this.#bracketCharacter(start);
    let high = low;
    if (this.#peek() === "-" && (this.#pattern[this.#at + 1] ?? "]") !== "]") {
      this.#at += 1;
      high = this.#bracketCharacter(start);
      if (high < low)
        throw new BadRegexp("invalid character class range", this.#pattern.slice(itemAt, this.#at));
    }
    return { test: (code) => code >= low && code <= high, cost: 1 };
  }

  #bracketCharacter(start: number): number {
    const character = this.#peek();
    if (character === undefined) throw new BadRegexp("missing closing ]", this.#rest(start));
    if (character === "\\") return this.#characterEscape();
    this.#at += character.length;
    return character.codePointAt(0) ?? 0;
  }
}

/** Part of a character class, or all of it. */
type CharacterSet = { readonly test: Test; readonly cost: number };

/** What it costs to ask whether a character is one of a class that has a name. */
const namedCost = 4;

/** What it costs to ask of all characters that are the same but for case. */
const foldCost = 8;

const one = (test: Test, cost = 1): OneNode => ({ kind: "one", test, cost });

const negation = ({ test, cost }: OneNode): OneNode => one((code) => !test(code), cost);

const assertion = (kind: Assertion): RegexpNode => ({ kind: "assert", assertion: kind });

const between =
  (...ranges: readonly (readonly [string, string])[]): Test =>
  (code) =>
    ranges.some(([low, high]) => code >= low.charCodeAt(0) && code <= high.charCodeAt(0));

const digit = between(["0", "9"]);
export const isWordCode = between(["0", "9"], ["A", "Z"], ["a", "z"], ["_", "_"]);
const perlSpace = between(["\t", "\n"], ["\f", "\r"], [" ", " "]);

const perlClasses: ReadonlyMap<string, Test> = new Map([
  ["d", digit],
  ["s", perlSpace],
  ["w", isWordCode],
]);

const posixClasses: ReadonlyMap<string, Test> = new Map([
  ["alnum", between(["0", "9"], ["A", "Z"], ["a", "z"])],
  ["alpha", between(["A", "Z"], ["a", "z"])],
  ["ascii", between(["\0", "\x7f"])],
  ["blank", between(["\t", "\t"], [" ", " "])],
  ["cntrl", between(["\0", "\x1f"], ["\x7f", "\x7f"])],
  ["digit", digit],
  ["graph", between(["!", "~"])],
  ["lower", between(["a", "z"])],
  ["print", between([" ", "~"])],
  ["punct", between(["!", "/"], [":", "@"], ["[", "`"], ["{", "~"])],
  ["space", between(["\t", "\r"], [" ", " "])],
  ["upper", between(["A", "Z"])],
  ["word", isWordCode],
  ["xdigit", between(["0", "9"], ["A", "F"], ["a", "f"])],
]);

const controlCodes: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["f", 12],
  ["t", 9],
  ["n", 10],
  ["r", 13],
  ["v", 11],
]);

/** Those that were asked for; only names that the tables know come in. */
const unicodeClasses = new Map<string, Test>();

/** A general category or a script, asked of JavaScript's own tables one character at a time. */
function unicodeClass(name: string): Test | undefined {
  if (name === "") return undefined;
  if (name === "Any") return () => true;
  const known = unicodeClasses.get(name);
  if (known !== undefined) return known;
  for (const property of [name.length <= 2 ? name : "", `Script=${name}`]) {
    if (property === "") continue;
    try {
      const expression = new RegExp(`^\\p{${property}}$`, "u");
      const test: Test = (code) => expression.test(String.fromCodePoint(code));
      unicodeClasses.set(name, test);
      return test;
    } catch {
      // Not a name that the tables know under this property.
    }
  }
  return undefined;
}

/** Characters that lower and upper case alone do not lead back to. */
const furtherCases: ReadonlyMap<number, readonly number[]> = new Map([
  [0x4b, [0x212a]],
  [0x6b, [0x212a]],
  [0x53, [0x17f]],
  [0x73, [0x17f]],
  [0xc5, [0x212b]],
  [0xe5, [0x212b]],
  [0x3a9, [0x2126]],
  [0x3c9, [0x2126]],
  [0xb5, [0x39c, 0x3bc]],
  [0x39c, [0xb5]],
  [0x3bc, [0xb5]],
  [0x3a3, [0x3c2, 0x3c3]],
  [0x3c3, [0x3c2]],
  [0x3c2, [0x3c3]],
]);

/** All characters that are the same but for case. */
function caseOrbit(code: number): readonly number[] {
  if (code < 0x80 && !((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)))
    return [code];
  const character = String.fromCodePoint(code);
  const cases = [character.toLowerCase(), character.toUpperCase()]
    .filter((text) => Array.from(text).length === 1)
    .map((text) => text.codePointAt(0) ?? code);
  return [code, ...cases, ...(furtherCases.get(code) ?? [])];
}
