import type { Json } from "../../../proto/words/digest.ts";

/** An expression of the part of jq that `jq-path.ts` evaluates. */
export type JqNode =
  | { readonly kind: "identity" }
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "field"; readonly of: JqNode; readonly name: string }
  | { readonly kind: "index"; readonly of: JqNode; readonly index: number }
  | { readonly kind: "each"; readonly of: JqNode }
  | { readonly kind: "try"; readonly of: JqNode }
  | { readonly kind: "pipe"; readonly left: JqNode; readonly right: JqNode }
  | { readonly kind: "both"; readonly left: JqNode; readonly right: JqNode }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: JqNode;
      readonly right: JqNode;
    }
  | { readonly kind: "call"; readonly name: string; readonly argument: JqNode | undefined };

export class JqSyntaxError extends Error {}

/** Throws JqSyntaxError with a sentence that names the column. */
export function parseJq(text: string): JqNode {
  const parser = new Parser(tokensOf(text));
  const node = parser.pipe(0);
  parser.end();
  return node;
}

type Token = {
  readonly kind: "name" | "string" | "number" | "sign" | "end";
  readonly text: string;
  readonly column: number;
};

const tokenForm =
  /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<string>"(?:[^"\\]|\\.)*")|(?<number>-?[0-9]+(?:\.[0-9]+)?)|(?<sign>\/\/|==|!=|<=|>=|[.[\]()|,?<>]))/y;

const textMost = 4_096;

function tokensOf(text: string): readonly Token[] {
  if (text.length > textMost) throw new JqSyntaxError(`longer than ${textMost} characters`);
  const tokens: Token[] = [];
  tokenForm.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== "") {
    tokenForm.lastIndex = at;
    const match = tokenForm.exec(text);
    if (match === null) throw new JqSyntaxError(`unexpected text at column ${at + 1}`);
    for (const kind of ["name", "string", "number", "sign"] as const) {
      const found = match.groups?.[kind];
      if (found !== undefined)
        tokens.push({ kind, text: found, column: tokenForm.lastIndex - found.length + 1 });
    }
    at = tokenForm.lastIndex;
  }
  tokens.push({ kind: "end", text: "", column: text.length + 1 });
  return tokens;
}

const depthMost = 50;

const functions: ReadonlyMap<string, { readonly argument: "none" | "optional" | "needed" }> =
  new Map([
    ["select", { argument: "needed" }],
    ["contains", { argument: "needed" }],
    ["has", { argument: "needed" }],
    ["startswith", { argument: "needed" }],
    ["endswith", { argument: "needed" }],
    ["test", { argument: "needed" }],
    ["any", { argument: "optional" }],
    ["all", { argument: "optional" }],
    ["not", { argument: "none" }],
    ["empty", { argument: "none" }],
    ["length", { argument: "none" }],
    ["type", { argument: "none" }],
  ]);

/** Operators between two expressions, the loosest first. */
const levels: readonly (readonly string[])[] = [
  ["//"],
  ["or"],
  ["and"],
  ["==", "!=", "<=", ">=", "<", ">"],
];

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#peek().kind !== "end") this.#unexpected();
  }

  pipe(depth: number): JqNode {
    if (depth > depthMost) throw new JqSyntaxError(`nests deeper than ${depthMost} levels`);
    let left = this.#comma(depth);
    while (this.#takeSign("|")) left = { kind: "pipe", left, right: this.#comma(depth) };
    return left;
  }

  #comma(depth: number): JqNode {
    let left = this.#operators(0, depth);
    while (this.#takeSign(",")) left = { kind: "both", left, right: this.#operators(0, depth) };
    return left;
  }

  #operators(level: number, depth: number): JqNode {
    const operators = levels[level];
    if (operators === undefined) return this.#term(depth);
    let left = this.#operators(level + 1, depth);
    for (;;) {
      const operator = this.#peek().text;
      if (this.#peek().kind === "string" || !operators.includes(operator)) return left;
      this.#at += 1;
      left = { kind: "binary", operator, left, right: this.#operators(level + 1, depth) };
    }
  }

  #term(depth: number): JqNode {
    let node = this.#primary(depth);
    for (;;) {
      if (this.#takeSign("?")) node = { kind: "try", of: node };
      else if (this.#peek().text === "[" && this.#peek().kind === "sign")
        node = this.#bracket(node);
      else if (this.#takeSign(".")) {
        if (this.#peek().text === "[") node = this.#bracket(node);
        else node = { kind: "field", of: node, name: this.#fieldName() };
      } else return node;
    }
  }

  #primary(depth: number): JqNode {
    const token = this.#peek();
    this.#at += 1;
    switch (token.kind) {
      case "string":
        return { kind: "literal", value: textIn(token) };
      case "number":
        return { kind: "literal", value: Number(token.text) };
      case "name":
        return this.#word(token, depth);
      case "sign":
        if (token.text === "(") {
          const inner = this.pipe(depth + 1);
          this.#needSign(")");
          return inner;
        }
        if (token.text === ".") {
          const next = this.#peek();
          if (next.kind === "name" || next.kind === "string")
            return { kind: "field", of: { kind: "identity" }, name: this.#fieldName() };
          return { kind: "identity" };
        }
        break;
      default:
        break;
    }
    this.#at -= 1;
    return this.#unexpected();
  }

  #word(token: Token, depth: number): JqNode {
    if (token.text === "true" || token.text === "false")
      return { kind: "literal", value: token.text === "true" };
    if (token.text === "null") return { kind: "literal", value: null };
    const known = functions.get(token.text);
    if (known === undefined)
      throw new JqSyntaxError(
        `${token.text} at column ${token.column} is not a function that is known`,
      );
    const hasArgument = this.#takeSign("(");
    if (hasArgument ? known.argument === "none" : known.argument === "needed")
      throw new JqSyntaxError(
        `${token.text} at column ${token.column} ${hasArgument ? "takes no" : "needs an"} argument`,
      );
    const argument = hasArgument ? this.pipe(depth + 1) : undefined;
    if (hasArgument) this.#needSign(")");
    return { kind: "call", name: token.text, argument };
  }

  #bracket(of: JqNode): JqNode {
    this.#needSign("[");
    if (this.#takeSign("]")) return { kind: "each", of };
    const token = this.#peek();
    this.#at += 1;
    if (token.kind === "string") {
      this.#needSign("]");
      return { kind: "field", of, name: textIn(token) };
    }
    if (token.kind === "number" && /^-?[0-9]+$/.test(token.text)) {
      this.#needSign("]");
      return { kind: "index", of, index: Number(token.text) };
    }
    this.#at -= 1;
    return this.#unexpected();
  }

  #fieldName(): string {
    const token = this.#peek();
    if (token.kind !== "name" && token.kind !== "string") this.#unexpected();
    this.#at += 1;
    return token.kind === "string" ? textIn(token) : token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", column: 0 };
  }

  #takeSign(sign: string): boolean {
    const token = this.#peek();
    if (token.kind !== "sign" || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  #needSign(sign: string): void {
    if (!this.#takeSign(sign)) this.#unexpected();
  }

  #unexpected(): never {
    const { kind, text, column } = this.#peek();
    throw new JqSyntaxError(
      kind === "end" ? "it ends too early" : `unexpected ${text} at column ${column}`,
    );
  }
}

function textIn(token: Token): string {
  try {
    const value: unknown = JSON.parse(token.text);
    if (typeof value === "string") return value;
  } catch {
    // Said below.
  }
  throw new JqSyntaxError(`${token.text} at column ${token.column} is not a text`);
}
