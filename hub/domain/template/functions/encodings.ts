import { fail, ok, type Result } from "../../../../proto/kit/result.ts";
import {
  cutting,
  FunctionError,
  takes,
  type CallContext,
  type TemplateFunction,
} from "../function.ts";
import { decodeJson, encodeJson, type JsonManner } from "../json.ts";
import { bytesOf, encoded, textOfBytes } from "../bytes.ts";
import { goValueOf, isGoList, isGoMap, type GoValue } from "../value.ts";
import { encodeYaml } from "../yaml.ts";

/** Functions between values and their encodings. */
export const encodingFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ...json("toJson", { escapesHtml: true, indented: false }),
  ...json("toPrettyJson", { escapesHtml: true, indented: true }),
  ...json("toRawJson", { escapesHtml: false, indented: false }),
  [
    "fromJson",
    takes(["string"], ([text]) => {
      const read = decodeJson(text);
      return read.ok ? read.value : null;
    }),
  ],
  [
    "mustFromJson",
    takes(["string"], ([text]) => {
      const read = decodeJson(text);
      if (!read.ok) throw new FunctionError(read.problem);
      return read.value;
    }),
  ],
  ["toYaml", takes(["any"], ([value], { charge }) => encodeYaml(value, charge).replace(/\n$/, ""))],
  [
    "fromYaml",
    takes(["string"], ([text], context) => {
      const value = yamlValue(text, context);
      if (isGoMap(value)) return value;
      if (value === null || value === undefined) return new Map();
      throw cannotDecode(value, "map[string]interface {}");
    }),
  ],
  [
    "fromYamlArray",
    takes(["string"], ([text], context) => {
      const value = yamlValue(text, context);
      if (isGoList(value)) return value;
      if (value === null || value === undefined) return [];
      throw cannotDecode(value, "[]interface {}");
    }),
  ],
  ["b64enc", takes(["string"], ([text]) => Buffer.from(encoded(text)).toString("base64"))],
  [
    "b64dec",
    cutting(takes(["string"], ([text], { charge }) => decodedText(decodeBase64(text, charge)))),
  ],
  ["b32enc", takes(["string"], ([text], { charge }) => encodeBase32(text, charge))],
  [
    "b32dec",
    cutting(
      takes(["string"], ([text], { charge }) => decodedText(decodeBase(text, base32, charge))),
    ),
  ],
];

/** The plain one and the strict one. Of what JSON cannot hold the plain ones make nothing, but for the raw one. */
function json(name: string, manner: JsonManner): readonly (readonly [string, TemplateFunction])[] {
  const strict = takes(["any"], ([value]) => {
    const text = encodeJson(value, manner);
    if (!text.ok) throw new FunctionError(text.problem);
    return text.value;
  });
  const lenient = takes(["any"], ([value]) => {
    const text = encodeJson(value, manner);
    return text.ok ? text.value : "";
  });
  return [
    [name, name === "toRawJson" ? strict : lenient],
    [`must${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, strict],
  ];
}

function yamlValue(text: string, context: CallContext): GoValue {
  context.charge(text.length);
  if (!text.isWellFormed())
    throw new FunctionError("error converting YAML to JSON: yaml: invalid UTF-8");
  const read = context.decodeYaml(text);
  if (!read.ok) throw new FunctionError(`error converting YAML to JSON: yaml: ${read.problem}`);
  return goValueOf(read.value);
}

const cannotDecode = (value: GoValue, wanted: string): FunctionError =>
  new FunctionError(
    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " +
      `${jsonKind(value)} into Go value of type ${wanted}`,
  );

function jsonKind(value: GoValue): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (isGoMap(value)) return "object";
  return isGoList(value) ? "array" : "number";
}

type Alphabet = {
  readonly name: string;
  readonly characters: string;
  readonly bits: number;
  /** Characters of a whole group, padding included. */
  readonly group: number;
};

const base64: Alphabet = {
  name: "base64",
  characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
  bits: 6,
  group: 4,
};

const base32: Alphabet = {
  name: "base32",
  characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
  bits: 5,
  group: 8,
};

/** As sprig has it, text that cannot be decoded gives the error's text. */
const decodedText = (read: Result<string, string>): string =>
  read.ok ? textOfBytes(read.value) : read.problem;

/** The bytes, one character each. Fails with Go's sentence. */
export const decodeBase64 = (text: string, charge: CallContext["charge"]): Result<string, string> =>
  decodeBase(text, base64, charge);

const isLineBreak = (character: string): boolean => character === "\n" || character === "\r";

function decodeBase(
  text: string,
  { name, characters, bits, group }: Alphabet,
  charge: CallContext["charge"],
): Result<string, string> {
  const corrupt = (at: number): Result<string, string> =>
    fail(`illegal ${name} data at input byte ${at}`);
  const source = bytesOf(text);
  charge(source.length);
  const bytes = Buffer.alloc(Math.trunc((source.length * bits) / 8));
  let length = 0;
  let pending = 0;
  let pendingBits = 0;
  let count = 0;
  for (let at = 0; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (isLineBreak(character)) continue;
    if (character === "=") {
      const inGroup = count % group;
      const allowed = (inGroup * bits) % 8 < bits && inGroup > 0;
      if (!allowed) return corrupt(at);
      const wrongAt = wrongPaddingAt(source, at, group - inGroup);
      return wrongAt === undefined ? ok(bytes.toString("latin1", 0, length)) : corrupt(wrongAt);
    }
    const value = characters.indexOf(character);
    if (value === -1) return corrupt(at);
    pending = ((pending << bits) | value) & 0xffff;
    pendingBits += bits;
    count += 1;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      bytes[length] = (pending >> pendingBits) & 0xff;
      length += 1;
    }
  }
  return count % group === 0
    ? ok(bytes.toString("latin1", 0, length))
    : corrupt(source.length - (count % group));
}

/** Where Go sees that what stands from `start` on is not `wanted` paddings and nothing else. */
function wrongPaddingAt(source: string, start: number, wanted: number): number | undefined {
  let seen = 0;
  let otherAt: number | undefined;
  for (let at = start; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (isLineBreak(character)) continue;
    if (seen === wanted) return otherAt ?? at;
    // Go points to what stands before it.
    if (character !== "=") otherAt ??= at - 1;
    seen += 1;
  }
  return seen === wanted ? otherAt : source.length;
}

function encodeBase32(text: string, charge: CallContext["charge"]): string {
  charge(text.length);
  let result = "";
  let pending = 0;
  let pendingBits = 0;
  for (const byte of bytesOf(text)) {
    pending = ((pending << 8) | byte.charCodeAt(0)) & 0xffff;
    pendingBits += 8;
    while (pendingBits >= 5) {
      pendingBits -= 5;
      result += base32.characters[(pending >> pendingBits) & 31] ?? "";
    }
  }
  if (pendingBits > 0) result += base32.characters[(pending << (5 - pendingBits)) & 31] ?? "";
  return result.padEnd(Math.ceil(result.length / 8) * 8, "=");
}
