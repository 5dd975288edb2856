import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { isStray, wellFormed } from "./bytes.ts";
import {
  goInfinity,
  GoInteger,
  GoObject,
  goValueOf,
  isGoMap,
  NilList,
  sortedKeys,
  type GoValue,
} from "./value.ts";

/** JSON as Go's encoding/json writes and reads it. */

export type JsonManner = {
  /** `<`, `>` and `&` as escapes. */
  readonly escapesHtml: boolean;
  /** Two spaces a level, as MarshalIndent does; otherwise no white space. */
  readonly indented: boolean;
};

/** Fails with Go's sentence for what JSON cannot hold. */
export function encodeJson(value: GoValue, manner: JsonManner): Result<string, string> {
  try {
    return ok(written(value, manner, 0));
  } catch (error) {
    if (error instanceof Unsupported) return fail(error.message);
    throw error;
  }
}

class Unsupported extends Error {}

function written(value: GoValue, manner: JsonManner, depth: number): string {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "string":
      return quoteJson(value, manner.escapesHtml);
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      if (!Number.isFinite(value))
        throw new Unsupported(`json: unsupported value: ${goInfinity(value)}`);
      return Object.is(value, -0) ? "-0" : String(value);
    default:
      break;
  }
  if (value === null || value instanceof NilList) return "null";
  if (value instanceof GoInteger) return value.value.toString();
  if (value instanceof GoObject) {
    const { json } = value;
    if (json === undefined) throw new Unsupported(`json: ${value.text} has no JSON`);
    return written(goValueOf(json), manner, depth);
  }
  const inner = manner.indented ? `\n${"  ".repeat(depth + 1)}` : "";
  const outer = manner.indented ? `\n${"  ".repeat(depth)}` : "";
  const colon = manner.indented ? ": " : ":";
  if (isGoMap(value)) {
    if (value.size === 0) return "{}";
    const fields = sortedKeys(value).map(
      (key) =>
        quoteJson(key, manner.escapesHtml) + colon + written(value.get(key), manner, depth + 1),
    );
    return `{${inner}${fields.join(`,${inner}`)}${outer}}`;
  }
  if (value.length === 0) return "[]";
  const items = value.map((item) => written(item, manner, depth + 1));
  return `[${inner}${items.join(`,${inner}`)}${outer}]`;
}

/** A byte that belongs to no character is written as an escape; a real U+FFFD is not. */
function quotedPlainly(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  const parts = Array.from(text, (character) =>
    isStray(character.codePointAt(0) ?? 0) ? "\\ufffd" : JSON.stringify(character).slice(1, -1),
  );
  return `"${parts.join("")}"`;
}

function quoteJson(text: string, escapesHtml: boolean): string {
  const quoted = quotedPlainly(text)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
  if (!escapesHtml) return quoted;
  return quoted.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026");
}

/** How deep JSON text may nest. */
const depthMost = 1000;

/** Reads JSON as Go decodes it into an interface: numbers are float64. Fails with Go's sentence. */
export function decodeJson(text: string): Result<GoValue, string> {
  try {
    return ok(new Reader(text).whole());
  } catch (error) {
    if (error instanceof Malformed) return fail(error.message);
    throw error;
  }
}

/**
 * The first value of a stream of JSON: what stands behind it is not looked at. `undefined` when there is only white
 * space. Fails with the sentence of Go's Decoder.
 */
export function decodeFirstJson(text: string): Result<GoValue, string> {
  try {
    return ok(new Reader(text).first());
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return fail(error.message === endOfInput ? "unexpected EOF" : error.message);
  }
}

class Malformed extends Error {}

const endOfInput = "unexpected end of JSON input";

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): GoValue {
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#bad("after top-level value");
    return value;
  }

  first(): GoValue {
    return this.#skip() === undefined ? undefined : this.#value(0);
  }

  #skip(): string | undefined {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
    return this.#text[this.#at];
  }

  #value(depth: number): GoValue {
    if (depth > depthMost) throw new Malformed("exceeded max depth");
    switch (this.#skip()) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): GoValue {
    const map = new Map<string, GoValue>();
    this.#at += 1;
    if (this.#skip() === "}") {
      this.#at += 1;
      return map;
    }
    for (;;) {
      if (this.#skip() !== '"') this.#bad("looking for beginning of object key string");
      const key = this.#string();
      if (this.#skip() !== ":") this.#bad("after object key");
      this.#at += 1;
      map.set(key, this.#value(depth + 1));
      const next = this.#skip();
      if (next !== "," && next !== "}") this.#bad("after object key:value pair");
      this.#at += 1;
      if (next === "}") return map;
    }
  }

  #array(depth: number): GoValue {
    const list: GoValue[] = [];
    this.#at += 1;
    if (this.#skip() === "]") {
      this.#at += 1;
      return list;
    }
    for (;;) {
      list.push(this.#value(depth + 1));
      const next = this.#skip();
      if (next !== "," && next !== "]") this.#bad("after array element");
      this.#at += 1;
      if (next === "]") return list;
    }
  }

  #string(): string {
    const start = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined || character < " ") this.#bad("in string literal");
      if (character === '"') break;
      if (character !== "\\") continue;
      this.#at += 1;
      const escaped = this.#text[this.#at];
      if (escaped === "u") {
        for (let count = 0; count < 4; count += 1) {
          this.#at += 1;
          if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? ""))
            this.#bad("in \\u hexadecimal character escape");
        }
      } else if (escaped === undefined || !'"\\/bfnrt'.includes(escaped))
        this.#bad("in string escape code");
    }
    this.#at += 1;
    // Every escape was checked above, so JSON.parse gives text. Half a character in an escape must not find its
    // other half in a byte behind it, which stands as one.
    const written = wellFormed(this.#text.slice(start, this.#at));
    return wellFormed(JSON.parse(written) as string);
  }

  #word<T extends GoValue>(word: string, value: T): T {
    for (let index = 1; index < word.length; index += 1) {
      this.#at += 1;
      if (this.#text[this.#at] !== word[index])
        this.#bad(`in literal ${word} (expecting '${word[index] ?? ""}')`);
    }
    this.#at += 1;
    return value;
  }

  #number(): number {
    const start = this.#at;
    const digit = (): boolean => /[0-9]/.test(this.#text[this.#at] ?? "");
    const digits = (): void => {
      while (digit()) this.#at += 1;
    };
    if (this.#text[this.#at] === "-") {
      this.#at += 1;
      if (!digit()) this.#bad("in numeric literal");
    } else if (!digit()) this.#bad("looking for beginning of value");
    if (this.#text[this.#at] === "0") this.#at += 1;
    else digits();
    if (this.#text[this.#at] === ".") {
      this.#at += 1;
      if (!digit()) this.#bad("after decimal point in numeric literal");
      digits();
    }
    if (/[eE]/.test(this.#text[this.#at] ?? "")) {
      this.#at += 1;
      if (/[-+]/.test(this.#text[this.#at] ?? "")) this.#at += 1;
      if (!digit()) this.#bad("in exponent of numeric literal");
      digits();
    }
    const text = this.#text.slice(start, this.#at);
    const value = Number(text);
    if (!Number.isFinite(value))
      throw new Malformed(`json: cannot unmarshal number ${text} into Go value of type float64`);
    return value;
  }

  #bad(context: string): never {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new Malformed(endOfInput);
    const character = String.fromCodePoint(code);
    const shown = character === "'" ? "'\\''" : character === '"' ? `'"'` : `'${character}'`;
    throw new Malformed(`invalid character ${shown} ${context}`);
  }
}
