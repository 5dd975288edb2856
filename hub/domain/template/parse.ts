import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { textOfBytes } from "./bytes.ts";
import { goQuote } from "./print.ts";
import { lex, type Token, type TokenKind } from "./lex.ts";
import type {
  BranchNode,
  CommandNode,
  ListNode,
  NumberNode,
  PipeNode,
  StepNode,
  TemplateTree,
  WordNode,
} from "./tree.ts";

/** Why a template is not one, in Go's words, and where: line from 1, column in UTF-16 units from 0. */
export type ParseProblem = {
  readonly reason: string;
  readonly line: number;
  readonly column: number;
};

/** How deep parentheses and branches may nest. */
const depthMost = 100;

/**
 * Parses a Go template. The whole text is checked, branches that are never taken included: a function
 * that `functionFlaw` complains about is an error wherever it stands.
 */
export function parseTemplate(
  text: string,
  functionFlaw: (name: string) => string | undefined,
): Result<TemplateTree, ParseProblem> {
  const parser = new Parser(text, functionFlaw);
  try {
    return ok(parser.tree());
  } catch (error) {
    if (error instanceof Flaw) return fail({ reason: error.message, ...placeOf(text, error.at) });
    throw error;
  }
}

/** Line from 1 and column from 0 of an offset. */
export function placeOf(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart };
}

class Flaw extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** What ended a list of steps. */
type ListEnd =
  | { readonly kind: "end"; readonly at: number }
  | { readonly kind: "else"; readonly at: number };

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #functionFlaw: (name: string) => string | undefined;
  readonly #defined = new Map<string, ListNode>();
  #at = 0;
  #variables: string[] = ["$"];
  #rangeDepth = 0;
  #depth = 0;
  #actionAt = 0;

  constructor(text: string, functionFlaw: (name: string) => string | undefined) {
    this.#text = text;
    this.#tokens = lex(text);
    this.#functionFlaw = functionFlaw;
  }

  tree(): TemplateTree {
    const main: StepNode[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "eof") return { main, defined: this.#defined };
      if (token.kind === "left" && this.#peekWordAfterLeft() === "define") {
        this.#definition();
        continue;
      }
      const step = this.#textOrAction();
      if (step.kind === "end" || step.kind === "else")
        throw new Flaw(`unexpected {{${step.kind}}}`, step.at);
      main.push(step);
    }
  }

  #definition(): void {
    this.#next();
    this.#nextWord();
    const name = this.#templateName("define clause");
    this.#expect("right", "define clause");
    this.#inOwnScope(() => {
      const { list, end } = this.#list();
      if (end.kind !== "end") throw new Flaw(`unexpected {{${end.kind}}} in define clause`, end.at);
      this.#define(name, list, end.at);
    });
  }

  /** Two definitions that both say something exclude each other; an empty one gives way. */
  #define(name: string, list: ListNode, at: number): void {
    const known = this.#defined.get(name);
    if (known === undefined || isBlank(known)) this.#defined.set(name, list);
    else if (!isBlank(list))
      throw new Flaw(`template: multiple definition of template ${goQuote(name)}`, at);
  }

  #inOwnScope(parse: () => void): void {
    const variables = this.#variables;
    const rangeDepth = this.#rangeDepth;
    this.#variables = ["$"];
    this.#rangeDepth = 0;
    parse();
    this.#variables = variables;
    this.#rangeDepth = rangeDepth;
  }

  #list(): { readonly list: ListNode; readonly end: ListEnd } {
    const list: StepNode[] = [];
    while (this.#peek().kind !== "eof") {
      const step = this.#textOrAction();
      if (step.kind === "end" || step.kind === "else") return { list, end: step };
      list.push(step);
    }
    throw new Flaw("unexpected EOF", this.#peek().offset);
  }

  #textOrAction(): StepNode | ListEnd {
    const token = this.#next();
    switch (token.kind) {
      case "text":
        return { kind: "text", at: token.offset, text: token.text };
      case "left":
        this.#actionAt = token.offset;
        return this.#action();
      default:
        return this.#unexpected(token, "input");
    }
  }

  #action(): StepNode | ListEnd {
    const token = this.#nextWord();
    if (token.kind === "keyword") {
      switch (token.text) {
        case "block":
          return this.#block(token.offset);
        case "break":
        case "continue":
          return this.#loopControl(token.text, token.offset);
        case "else":
          return this.#else(token.offset);
        case "end":
          this.#expect("right", "end");
          return { kind: "end", at: token.offset };
        case "if":
        case "range":
        case "with":
          return this.#branch(token.text, token.offset);
        case "template":
          return this.#template(token.offset);
        case "define":
          throw new Flaw('unexpected "define" in command', token.offset);
      }
    }
    this.#back();
    const at = this.#peek().offset;
    return { kind: "action", at, pipe: this.#pipeline("command", "right") };
  }

  #loopControl(kind: "break" | "continue", at: number): StepNode {
    const token = this.#nextWord();
    if (token.kind !== "right") this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) throw new Flaw(`{{${kind}}} outside {{range}}`, at);
    return { kind, at };
  }

  #else(at: number): ListEnd {
    const token = this.#peekWord();
    // "{{else if" and "{{else with" go on as a branch of their own.
    if (token.kind === "keyword" && (token.text === "if" || token.text === "with"))
      return { kind: "else", at };
    this.#expect("right", "else");
    return { kind: "else", at };
  }

  #branch(kind: BranchNode["kind"], at: number): BranchNode {
    this.#deeper(at);
    const variables = this.#variables.length;
    const pipe = this.#pipeline(kind, "right");
    if (kind === "range") this.#rangeDepth += 1;
    const { list: body, end } = this.#list();
    if (kind === "range") this.#rangeDepth -= 1;
    const otherwise = end.kind === "else" ? this.#otherwise(kind) : undefined;
    this.#variables.length = variables;
    this.#depth -= 1;
    return { kind, at, pipe, body, otherwise };
  }

  #otherwise(kind: BranchNode["kind"]): ListNode {
    const token = this.#peekWord();
    if (token.kind === "keyword" && token.text === kind && kind !== "range") {
      this.#nextWord();
      return [this.#branch(kind, token.offset)];
    }
    if (token.kind === "keyword" && (token.text === "if" || token.text === "with"))
      return this.#unexpected(token, "else");
    const { list, end } = this.#list();
    if (end.kind !== "end") throw new Flaw("expected end; found {{else}}", end.at);
    return list;
  }

  #block(at: number): StepNode {
    const name = this.#templateName("block clause");
    const pipe = this.#pipeline("block clause", "right");
    this.#inOwnScope(() => {
      const { list, end } = this.#list();
      if (end.kind !== "end") throw new Flaw(`unexpected {{${end.kind}}} in block clause`, end.at);
      this.#define(name, list, end.at);
    });
    return { kind: "template", at, name, pipe };
  }

  #template(_at: number): StepNode {
    const { offset } = this.#peekWord();
    const name = this.#templateName("template clause");
    if (this.#peekWord().kind === "right") {
      this.#nextWord();
      return { kind: "template", at: offset, name, pipe: undefined };
    }
    return { kind: "template", at: offset, name, pipe: this.#pipeline("template clause", "right") };
  }

  #templateName(context: string): string {
    const token = this.#nextWord();
    if (token.kind !== "string" && token.kind !== "raw-string")
      return this.#unexpected(token, context);
    return unquoted(token);
  }

  #pipeline(context: string, end: TokenKind): PipeNode {
    const at = this.#peekWord().offset;
    const sets = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextWord();
      if (token.kind === end) {
        this.#checkPipeline(commands, context, token.offset);
        return { kind: "pipe", at, ...sets, commands };
      }
      if (!operandKinds.has(token.kind)) return this.#unexpected(token, context);
      this.#back();
      commands.push(this.#command());
    }
  }

  #declarations(context: string): {
    readonly variables: readonly string[];
    readonly assigns: boolean;
  } {
    const variables: string[] = [];
    for (;;) {
      const token = this.#peekWord();
      if (token.kind !== "variable") return { variables, assigns: false };
      const start = this.#at;
      this.#nextWord();
      const next = this.#peekWord();
      if (next.kind === "assign" || next.kind === "declare") {
        this.#nextWord();
        variables.push(token.text);
        this.#variables.push(token.text);
        return { variables, assigns: next.kind === "assign" };
      }
      if (next.kind !== "char" || next.text !== ",") {
        this.#at = start;
        return { variables, assigns: false };
      }
      this.#nextWord();
      variables.push(token.text);
      this.#variables.push(token.text);
      if (context !== "range" || variables.length > 1)
        throw new Flaw(`too many declarations in ${context}`, token.offset);
      const following = this.#peekWord();
      if (!["variable", "right", "right-paren"].includes(following.kind))
        throw new Flaw("range can only initialize variables", following.offset);
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string, at: number): void {
    if (commands.length === 0) throw new Flaw(`missing value for ${context}`, at);
    for (const [index, command] of commands.entries()) {
      if (index > 0 && literalKinds.has(command.words[0].kind))
        throw new Flaw(`non executable command in pipeline stage ${index + 1}`, command.at);
    }
  }

  #command(): CommandNode {
    const at = this.#peekWord().offset;
    const words: WordNode[] = [];
    for (;;) {
      this.#peekWord();
      const operand = this.#operand();
      if (operand !== undefined) words.push(operand);
      const token = this.#next();
      if (token.kind === "space") continue;
      if (token.kind === "right" || token.kind === "right-paren") this.#back();
      else if (token.kind !== "pipe") return this.#unexpected(token, "operand");
      break;
    }
    const [first, ...rest] = words;
    if (first === undefined) throw new Flaw("empty command", at);
    return { kind: "command", at, words: [first, ...rest] };
  }

  #operand(): WordNode | undefined {
    const term = this.#term();
    const field = this.#peek();
    if (term === undefined || field.kind !== "field") return term;
    const names: string[] = [];
    while (this.#peek().kind === "field") names.push(this.#next().text.slice(1));
    switch (term.kind) {
      case "field":
        return { ...term, at: field.offset, names: [...term.names, ...names] };
      case "variable":
        return { ...term, at: field.offset, names: [...term.names, ...names] };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        throw new Flaw(`unexpected . after term ${termText(term)}`, field.offset);
      default:
        return { kind: "chain", at: field.offset, of: term, names };
    }
  }

  #term(): WordNode | undefined {
    const token = this.#nextWord();
    const at = token.offset;
    switch (token.kind) {
      case "identifier": {
        const flaw = this.#functionFlaw(token.text);
        if (flaw !== undefined) throw new Flaw(flaw, at);
        return { kind: "function", at, name: token.text };
      }
      case "dot":
        return { kind: "dot", at };
      case "nil":
        return { kind: "nil", at };
      case "bool":
        return { kind: "bool", at, value: token.text === "true" };
      case "variable":
        if (!this.#variables.includes(token.text))
          throw new Flaw(`undefined variable ${goQuote(token.text)}`, at);
        return { kind: "variable", at, variable: token.text, names: [] };
      case "field":
        return { kind: "field", at, names: [token.text.slice(1)] };
      case "character":
      case "number":
        return numberNode(token);
      case "string":
      case "raw-string":
        return { kind: "string", at, value: unquoted(token), text: token.text };
      case "left-paren": {
        this.#deeper(at);
        const pipe = this.#pipeline("parenthesized pipeline", "right-paren");
        this.#depth -= 1;
        return pipe;
      }
      default:
        this.#back();
        return undefined;
    }
  }

  #deeper(at: number): void {
    this.#depth += 1;
    if (this.#depth > depthMost) throw new Flaw(`nested deeper than ${depthMost} levels`, at);
  }

  #expect(kind: TokenKind, context: string): void {
    const token = this.#nextWord();
    if (token.kind !== kind) this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind === "error") {
      const { line } = placeOf(this.#text, token.offset);
      const action = placeOf(this.#text, this.#actionAt).line;
      const started = action === line ? "" : ` in action started at base:${action}`;
      throw new Flaw(token.text + started, token.offset);
    }
    throw new Flaw(`unexpected ${tokenText(token)} in ${context}`, token.offset);
  }

  // Tokens end with `eof` or `error`; reading on gives that one again.

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] ?? nothingThere;
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #back(): void {
    this.#at -= 1;
  }

  #peekWord(): Token {
    while (this.#peek().kind === "space") this.#at += 1;
    return this.#peek();
  }

  #nextWord(): Token {
    this.#peekWord();
    return this.#next();
  }

  #peekWordAfterLeft(): string {
    const start = this.#at;
    this.#next();
    const token = this.#peekWord();
    this.#at = start;
    return token.kind === "keyword" ? token.text : "";
  }
}

const nothingThere: Token = { kind: "eof", text: "", offset: 0 };

const operandKinds: ReadonlySet<TokenKind> = new Set([
  "bool",
  "character",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "raw-string",
  "string",
  "variable",
  "left-paren",
]);

const literalKinds: ReadonlySet<WordNode["kind"]> = new Set([
  "bool",
  "dot",
  "nil",
  "number",
  "string",
]);

function tokenText(token: Token): string {
  if (token.kind === "eof") return "EOF";
  if (token.kind === "keyword") return `<${token.text}>`;
  const characters = Array.from(token.text);
  return characters.length > 10
    ? `${goQuote(characters.slice(0, 10).join(""))}...`
    : goQuote(token.text);
}

const termText = (term: WordNode): string => {
  switch (term.kind) {
    case "dot":
      return '"."';
    case "nil":
      return '"nil"';
    case "bool":
      return goQuote(String(term.value));
    case "number":
    case "string":
      return goQuote(term.text);
    default:
      return goQuote(term.kind);
  }
};

function numberNode(token: Token): NumberNode {
  const { text, offset } = token;
  const whole = (value: bigint): NumberNode => ({
    kind: "number",
    at: offset,
    text,
    integer: value < 1n << 63n ? value : undefined,
    // A plus sign is none that an unsigned integer may have.
    natural: value === 0n || (value > 0n && !text.startsWith("+")) ? value : undefined,
    float: Number(value),
    isFloat: false,
  });
  if (token.kind === "character") {
    const value = unquoted(token);
    const code = value.codePointAt(0);
    if (code === undefined || Array.from(value).length !== 1)
      throw new Flaw(`malformed character constant: ${text}`, offset);
    return whole(BigInt(code));
  }
  if (text.endsWith("i"))
    throw new Flaw(`complex numbers are not supported: ${JSON.stringify(text)}`, offset);
  const integer = parseGoInteger(text);
  if (integer !== undefined) {
    if (integer < -(1n << 63n) || integer >= 1n << 64n)
      throw new Flaw(`integer overflow: ${goQuote(text)}`, offset);
    return whole(integer);
  }
  const float = parseGoFloat(text);
  if (float === undefined) throw new Flaw(`bad number syntax: ${goQuote(text)}`, offset);
  const fits = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return {
    kind: "number",
    at: offset,
    text,
    integer: fits ? BigInt(float) : undefined,
    natural: Number.isInteger(float) && float >= 0 && float < 2 ** 64 ? BigInt(float) : undefined,
    float,
    isFloat: true,
  };
}

const isBlank = (list: ListNode): boolean =>
  list.every((step) => step.kind === "text" && step.text.trim() === "");

/**
 * strconv.ParseInt with base 0: prefixes 0x, 0o, 0b and 0, underscores between digits; `undefined` when it is none. A
 * number with more digits than 64 bits have is one out of their range, whatever the digits.
 */
export function parseGoInteger(text: string): bigint | undefined {
  const found =
    /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/.exec(
      text,
    );
  if (found === null) return undefined;
  const digits = (found[2] ?? "").replaceAll("_", "").toLowerCase();
  const prefix = /^0[box]/.exec(digits)?.[0] ?? "";
  const isOctal = prefix === "" && digits.startsWith("0");
  const size = sizeOf(isOctal ? "0o" : prefix, digits.slice(prefix.length));
  return found[1] === "-" ? -size : size;
}

/**
 * The number that digits are, after a prefix as JavaScript has it. More than 64 digits that count make 2 to the 64, so
 * that a long text makes no long integer.
 */
export function sizeOf(prefix: string, digits: string): bigint {
  const counting = digits.replace(/^0+/, "");
  if (counting.length > 64) return 1n << 64n;
  return counting === "" ? 0n : BigInt(prefix + counting);
}

/** strconv.ParseFloat of a decimal or hexadecimal literal; `undefined` when it is none. */
export function parseGoFloat(text: string): number | undefined {
  if (/^[+-]?([0-9]+(_[0-9]+)*)?(\.([0-9]+(_[0-9]+)*)?)?([eE][+-]?[0-9]+)?$/.test(text)) {
    if (!/[0-9]/.test(text.split(/[eE]/)[0] ?? "")) return undefined;
    const value = Number(text.replaceAll("_", ""));
    return Number.isFinite(value) ? value : undefined;
  }
  const hex = /^([+-]?)0[xX]([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([+-]?[0-9]+)$/.exec(text);
  if (hex === null) return undefined;
  const whole = (hex[2] ?? "").replaceAll("_", "");
  const fraction = (hex[3] ?? "").replaceAll("_", "");
  if (whole + fraction === "") return undefined;
  const mantissa = Number.parseInt(whole + fraction, 16);
  const value = mantissa * 2 ** (Number(hex[4]) - 4 * fraction.length);
  return hex[1] === "-" ? -value : value;
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
]);

/** strconv.Unquote. */
function unquoted(token: Token): string {
  const inner = token.text.slice(1, -1);
  // Carriage returns are not part of a raw string.
  if (token.kind === "raw-string") return inner.replaceAll("\r", "");
  const quote = token.text[0] ?? "";
  let result = "";
  let bytes = "";
  const flush = (): void => {
    result += textOfBytes(bytes);
    bytes = "";
  };
  const bad = (): never => {
    throw new Flaw("invalid syntax", token.offset);
  };
  for (let at = 0; at < inner.length;) {
    const character = inner[at] ?? "";
    if (character !== "\\") {
      flush();
      result += character;
      at += 1;
      continue;
    }
    const rest = inner.slice(at + 1);
    const simple = simpleEscapes.get(rest[0] ?? "");
    const coded = /^(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(
      rest,
    );
    if (simple !== undefined || rest[0] === quote) {
      flush();
      result += simple ?? quote;
      at += 2;
    } else if (coded === null) bad();
    else {
      const byte = coded[1] ?? coded[2];
      const code =
        coded[2] === undefined
          ? Number.parseInt(coded[1] ?? coded[3] ?? coded[4] ?? "", 16)
          : Number.parseInt(coded[2], 8);
      if (byte !== undefined && quote === '"') {
        if (code > 0xff) bad();
        bytes += String.fromCharCode(code);
      } else {
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) bad();
        flush();
        result += String.fromCodePoint(code);
      }
      at += 1 + coded[0].length;
    }
  }
  flush();
  return result;
}
