/** Text between the actions of a template, and the words inside of them. */
export type TokenKind =
  | "text"
  | "left"
  | "right"
  | "space"
  | "dot"
  | "field"
  | "variable"
  | "identifier"
  | "keyword"
  | "bool"
  | "nil"
  | "number"
  | "character"
  | "string"
  | "raw-string"
  | "pipe"
  | "declare"
  | "assign"
  | "left-paren"
  | "right-paren"
  | "char"
  | "error"
  | "eof";

export type Token = {
  readonly kind: TokenKind;
  /** As written; for errors, the reason. */
  readonly text: string;
  /** UTF-16 units from the start of the template. */
  readonly offset: number;
};

const keywords = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "template",
  "with",
]);

const leftDelimiter = "{{";
const rightDelimiter = "}}";
const space = /[ \t\r\n]/;
const spaces = /[ \t\r\n]+/y;
const alphanumeric = /[\p{L}\p{Nd}_]/u;
const word = /[\p{L}\p{Nd}_]+/uy;

/** Cuts a Go template into tokens. The last is `eof`, or an `error` after which nothing is read. */
export function lex(template: string): readonly Token[] {
  const lexer = new Lexer(template);
  lexer.run();
  return lexer.tokens;
}

class Lexer {
  readonly tokens: Token[] = [];
  readonly #input: string;
  #at = 0;
  #parens = 0;

  constructor(input: string) {
    this.#input = input;
  }

  run(): void {
    let trimNext = false;
    for (;;) {
      const open = this.#input.indexOf(leftDelimiter, this.#at);
      const end = open === -1 ? this.#input.length : open;
      const trimmed = open !== -1 && this.#hasLeftTrim(open);
      this.#emitText(end, trimNext, trimmed);
      trimNext = false;
      if (open === -1) {
        this.#push("eof", "", this.#at);
        return;
      }
      const inside = open + 2 + (trimmed ? 2 : 0);
      if (this.#input.startsWith("/*", inside)) {
        const close = this.#input.indexOf("*/", inside + 2);
        if (close === -1) return this.#fail("unclosed comment", open);
        this.#at = close + 2;
        const trims = this.#atRightTrim();
        if (!trims && !this.#input.startsWith(rightDelimiter, this.#at))
          return this.#fail("comment ends before closing delimiter", open);
        this.#at += trims ? 4 : 2;
        trimNext = trims;
        continue;
      }
      this.#push("left", leftDelimiter, open);
      this.#at = inside;
      const trims = this.#action();
      if (trims === undefined) return;
      trimNext = trims;
    }
  }

  /** Reads up to the closing delimiter. Returns whether it trims what follows; `undefined` after an error. */
  #action(): boolean | undefined {
    this.#parens = 0;
    for (;;) {
      const trims = this.#atRightTrim();
      if (trims || this.#input.startsWith(rightDelimiter, this.#at)) {
        if (this.#parens > 0) return this.#fail("unclosed left paren", this.#at);
        this.#push("right", rightDelimiter, this.#at);
        this.#at += trims ? 4 : 2;
        return trims;
      }
      if (!this.#inside()) return undefined;
    }
  }

  /** Reads one token inside an action. Returns false after an error. */
  #inside(): boolean {
    const start = this.#at;
    const character = this.#input[start];
    if (character === undefined) return this.#error("unclosed action", start);
    if (space.test(character)) return this.#spaces(start);
    switch (character) {
      case "=":
        return this.#take("assign", 1);
      case ":":
        return this.#input[start + 1] === "="
          ? this.#take("declare", 2)
          : this.#error("expected :=", start);
      case "|":
        return this.#take("pipe", 1);
      case '"':
        return this.#quoted('"', "string", "unterminated quoted string");
      case "'":
        return this.#quoted("'", "character", "unterminated character constant");
      case "`":
        return this.#raw();
      case "$":
        return this.#fieldOrVariable("variable");
      case "(":
        this.#parens += 1;
        return this.#take("left-paren", 1);
      case ")":
        this.#parens -= 1;
        return this.#parens < 0
          ? this.#error("unexpected right paren", start)
          : this.#take("right-paren", 1);
      case ",":
        return this.#take("char", 1);
      case ".":
        if (!/[0-9]/.test(this.#input[start + 1] ?? "")) return this.#fieldOrVariable("field");
        return this.#number();
      case "+":
      case "-":
        return this.#number();
    }
    if (/[0-9]/.test(character)) return this.#number();
    const whole = this.#characterAt(start);
    if (alphanumeric.test(whole)) return this.#identifier();
    if (whole >= " " && whole <= "~") return this.#take("char", 1);
    return this.#error(`unrecognized character in action: ${runeName(whole)}`, start);
  }

  #spaces(start: number): boolean {
    spaces.lastIndex = start;
    const found = spaces.exec(this.#input)?.[0] ?? "";
    // The last space may belong to a closing " -}}".
    const end = start + found.length;
    this.#at = this.#isRightTrim(end - 1) ? end - 1 : end;
    if (this.#at > start) this.#push("space", this.#input.slice(start, this.#at), start);
    return true;
  }

  #identifier(): boolean {
    const start = this.#at;
    const text = this.#word();
    if (!this.#atTerminator())
      return this.#error(`bad character ${runeName(this.#characterAt(this.#at))}`, start);
    const kind: TokenKind = keywords.has(text)
      ? "keyword"
      : text === "true" || text === "false"
        ? "bool"
        : text === "nil"
          ? "nil"
          : "identifier";
    this.#push(kind, text, start);
    return true;
  }

  #fieldOrVariable(kind: "field" | "variable"): boolean {
    const start = this.#at;
    this.#at += 1;
    if (this.#atTerminator()) {
      this.#push(kind === "field" ? "dot" : "variable", this.#input.slice(start, this.#at), start);
      return true;
    }
    this.#word();
    if (!this.#atTerminator())
      return this.#error(`bad character ${runeName(this.#characterAt(this.#at))}`, start);
    this.#push(kind, this.#input.slice(start, this.#at), start);
    return true;
  }

  #word(): string {
    word.lastIndex = this.#at;
    const text = word.exec(this.#input)?.[0] ?? "";
    this.#at += text.length;
    return text;
  }

  #number(): boolean {
    const start = this.#at;
    const accept = (pattern: RegExp): void => {
      pattern.lastIndex = this.#at;
      this.#at += pattern.exec(this.#input)?.[0].length ?? 0;
    };
    accept(/[+-]?/y);
    const prefix = this.#input.slice(this.#at, this.#at + 2).toLowerCase();
    if (prefix === "0x") {
      accept(/0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*([pP][+-]?[0-9_]*)?/y);
    } else if (prefix === "0o") accept(/0[oO][0-7_]*/y);
    else if (prefix === "0b") accept(/0[bB][01_]*/y);
    else accept(/[0-9_]*\.?[0-9_]*([eE][+-]?[0-9_]*)?/y);
    accept(/i?/y);
    if (alphanumeric.test(this.#characterAt(this.#at))) {
      this.#at += this.#characterAt(this.#at).length;
      const text = this.#input.slice(start, this.#at);
      return this.#error(`bad number syntax: ${JSON.stringify(text)}`, start);
    }
    this.#push("number", this.#input.slice(start, this.#at), start);
    return true;
  }

  #quoted(quote: string, kind: TokenKind, reason: string): boolean {
    const start = this.#at;
    for (let index = start + 1; ; index += 1) {
      const character = this.#input[index];
      if (character === "\\" && this.#input[index + 1] !== "\n") index += 1;
      else if (character === undefined || character === "\n") return this.#error(reason, start);
      else if (character === quote) {
        this.#at = index + 1;
        this.#push(kind, this.#input.slice(start, this.#at), start);
        return true;
      }
    }
  }

  #raw(): boolean {
    const start = this.#at;
    const close = this.#input.indexOf("`", start + 1);
    if (close === -1) return this.#error("unterminated raw quoted string", start);
    this.#at = close + 1;
    this.#push("raw-string", this.#input.slice(start, this.#at), start);
    return true;
  }

  #atTerminator(): boolean {
    const character = this.#input[this.#at];
    return (
      character === undefined ||
      space.test(character) ||
      ".,|:)(".includes(character) ||
      this.#input.startsWith(rightDelimiter, this.#at)
    );
  }

  #emitText(end: number, trimLeft: boolean, trimRight: boolean): void {
    let text = this.#input.slice(this.#at, end);
    let offset = this.#at;
    if (trimLeft) {
      const rest = text.replace(/^[ \t\r\n]+/, "");
      offset += text.length - rest.length;
      text = rest;
    }
    if (trimRight) text = text.replace(trailingSpace, "");
    if (text !== "") this.#push("text", text, offset);
    this.#at = end;
  }

  #hasLeftTrim(open: number): boolean {
    return this.#input[open + 2] === "-" && space.test(this.#input[open + 3] ?? "");
  }

  #atRightTrim(): boolean {
    return this.#isRightTrim(this.#at);
  }

  #isRightTrim(at: number): boolean {
    return space.test(this.#input[at] ?? "") && this.#input.startsWith("-}}", at + 1);
  }

  #characterAt(at: number): string {
    const code = this.#input.codePointAt(at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #take(kind: TokenKind, length: number): boolean {
    this.#push(kind, this.#input.slice(this.#at, this.#at + length), this.#at);
    this.#at += length;
    return true;
  }

  #push(kind: TokenKind, text: string, offset: number): void {
    this.tokens.push({ kind, text, offset });
  }

  #error(reason: string, offset: number): false {
    this.#push("error", reason, offset);
    return false;
  }

  #fail(reason: string, offset: number): undefined {
    this.#push("error", reason, offset);
  }
}

// Anchored at the end only, a plain /[ ]+$/ would try every run of spaces in the text.
const trailingSpace = /(?<![ \t\r\n])[ \t\r\n]+$/;

/** `U+002D '-'`. */
function runeName(character: string): string {
  if (character === "") return "U+FFFFFFFFFFFFFFFF";
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character) ? `U+${code} '${character}'` : `U+${code}`;
}
