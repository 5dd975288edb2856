/** Regular expressions in RE2's syntax, as Go's regexp package reads them. */

export type Test = (code: number) => boolean;

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "not-word";

export type RegexpNode =
  | { readonly kind: "empty" }
  | { readonly kind: "one"; readonly test: Test }
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
  readonly #characters: readonly string[];
  readonly #names: string[] = [""];
  #at = 0;
  #flags: Flags = { fold: false, multiLine: false, dotAll: false, ungreedy: false };
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#characters = Array.from(pattern);
  }

  whole(): ParsedRegexp {
    const node = this.#either();
    if (this.#at < this.#characters.length) throw new BadRegexp("unexpected )", this.#pattern);
    return { node, names: this.#names };
  }

  #rest(from = this.#at): string {
    return this.#characters.slice(from).join("");
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
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
    const [only] = parts;
    if (only === undefined) return { kind: "empty" };
    return parts.length === 1 ? only : { kind: "concat", parts };
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
      const text = this.#characters.slice(operatorAt, this.#at).join("");
      const [least, most] = bounds;
      if (least > repeatMost || (most !== undefined && (most > repeatMost || most < least)))
        throw new BadRegexp("invalid repeat count", text);
      if (previous !== "")
        throw new BadRegexp("invalid nested repetition operator", previous + text);
      previous = text;
      node = { kind: "repeat", of: node, least, most, greedy: greedy !== this.#flags.ungreedy };
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
        const found = /^\{([0-9]{1,6})(?:(,)([0-9]{0,6}))?\}/.exec(this.#rest());
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
    const character = this.#peek() ?? "";
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return [one(this.#bracket())];
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
          /^.\??/.exec(this.#rest())?.[0] ?? "",
        );
      case "{":
        if (/^\{[0-9]{1,6}(,[0-9]{0,6})?\}/.test(this.#rest())) {
          const text = /^\{[^}]*\}\??/.exec(this.#rest())?.[0] ?? "{";
          throw new BadRegexp("missing argument to repetition operator", text);
        }
        break;
    }
    this.#at += 1;
    return [this.#literal(character)];
  }

  #literal(character: string): RegexpNode {
    const code = character.codePointAt(0) ?? 0;
    return one(this.#folding((other) => other === code));
  }

  #folding(test: Test): Test {
    return this.#flags.fold ? (code) => caseOrbit(code).some(test) : test;
  }

  #group(): readonly RegexpNode[] | undefined {
    const start = this.#at;
    const rest = this.#rest();
    const named = /^\(\?P?<([^>]*)>/.exec(rest);
    if (rest.startsWith("(?P<") || (rest.startsWith("(?<") && !/^\(\?<[=!]/.test(rest))) {
      if (named === null) throw new BadRegexp("invalid named capture", rest);
      const name = named[1] ?? "";
      if (!/^[A-Za-z0-9_]+$/.test(name)) throw new BadRegexp("invalid named capture", named[0]);
      this.#at += Array.from(named[0]).length;
      return this.#captured(name);
    }
    if (!rest.startsWith("(?")) {
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
        new BadRegexp(
          "invalid or unsupported Perl syntax",
          this.#characters.slice(start, this.#at + 1).join(""),
        );
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
    const next = this.#characters[start + 1];
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
    if (set !== undefined) return [one(set)];
    return [this.#literal(String.fromCodePoint(this.#characterEscape()))];
  }

  #quoted(): readonly RegexpNode[] {
    this.#at += 2;
    const nodes: RegexpNode[] = [];
    while (this.#at < this.#characters.length) {
      if (this.#peek() === "\\" && this.#characters[this.#at + 1] === "E") {
        this.#at += 2;
        break;
      }
      nodes.push(this.#literal(this.#peek() ?? ""));
      this.#at += 1;
    }
    return nodes.length === 0 ? [{ kind: "empty" }] : nodes;
  }

  /** `\d`, `\w`, `\s`, `\pL`, `\p{Greek}` and their opposites. */
  #classEscape(): Test | undefined {
    const letter = this.#characters[this.#at + 1] ?? "";
    const perl = perlClasses.get(letter.toLowerCase());
    if (perl !== undefined && /^[dswDSW]$/.test(letter)) {
      this.#at += 2;
      return /[DSW]/.test(letter) ? (code) => !perl(code) : perl;
    }
    if (letter !== "p" && letter !== "P") return undefined;
    const found = /^\\[pP](?:\{(\^?)([A-Za-z_]+)\}|([A-Za-z]))/.exec(this.#rest());
    const name = found?.[2] ?? found?.[3] ?? "";
    const test = unicodeClass(name);
    if (found === null || test === undefined)
      throw new BadRegexp("invalid character class range", found?.[0] ?? this.#rest());
    this.#at += found[0].length;
    const negated = (letter === "P") !== (found[1] === "^");
    const folded = this.#folding(test);
    return negated ? (code) => !folded(code) : folded;
  }

  /** The code of an escaped character. */
  #characterEscape(): number {
    const found =
      /^\\(?:x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([aftnrv])|([\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]))/.exec(
        this.#rest(),
      );
    const bad = (): BadRegexp =>
      new BadRegexp(
        "invalid escape sequence",
        this.#characters.slice(this.#at, this.#at + 2).join(""),
      );
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

  #bracket(): Test {
    const start = this.#at;
    this.#at += 1;
    const negated = this.#peek() === "^";
    if (negated) this.#at += 1;
    const tests: Test[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#peek() === undefined) throw new BadRegexp("missing closing ]", this.#rest(start));
      tests.push(this.#bracketItem(start));
    }
    this.#at += 1;
    const inside: Test = this.#folding((code) => tests.some((test) => test(code)));
    return negated ? (code) => !inside(code) : inside;
  }

  #bracketItem(start: number): Test {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#rest());
    if (posix !== null) {
      const test = posixClasses.get(posix[2] ?? "");
      if (test === undefined) throw new BadRegexp("invalid character class range", posix[0]);
      this.#at += posix[0].length;
      return posix[1] === "^" ? (code) => !test(code) : test;
    }
    if (this.#peek() === "\\") {
      const set = this.#classEscape();
      if (set !== undefined) return set;
    }
    const itemAt = this.#at;
    const low = this.#bracketCharacter(start);
    let high = low;
    if (this.#peek() === "-" && (this.#characters[this.#at + 1] ?? "]") !== "]") {
      this.#at += 1;
      high = this.#bracketCharacter(start);
      if (high < low)
        throw new BadRegexp(
          "invalid character class range",
          this.#characters.slice(itemAt, this.#at).join(""),
        );
    }
    return (code) => code >= low && code <= high;
  }

  #bracketCharacter(start: number): number {
    const character = this.#peek();
    if (character === undefined) throw new BadRegexp("missing closing ]", this.#rest(start));
    if (character === "\\") return this.#characterEscape();
    this.#at += 1;
    return character.codePointAt(0) ?? 0;
  }
}

const one = (test: Test): RegexpNode => ({ kind: "one", test });

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

/** A general category or a script, asked of JavaScript's own tables one character at a time. */
function unicodeClass(name: string): Test | undefined {
  if (name === "") return undefined;
  if (name === "Any") return () => true;
  for (const property of [name.length <= 2 ? name : "", `Script=${name}`]) {
    if (property === "") continue;
    try {
      const expression = new RegExp(`^\\p{${property}}$`, "u");
      return (code) => expression.test(String.fromCodePoint(code));
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
