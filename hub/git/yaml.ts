import {
  constructFromEvents,
  boolYaml11Tag,
  defineMappingTag,
  defineScalarTag,
  EVENT_ID,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  parseEvents,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from "js-yaml";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";

/** One document of a YAML or JSON file: plain objects, lists, strings, booleans, null, numbers and bigints. */
export type YamlDocument = {
  readonly value: Json;
  /** Where its content begins, from 1. */
  readonly line: number;
};

/** Why a text is not YAML we accept. Line and column count from 1. */
export type YamlProblem = {
  /** `WH-YAML-3301`: not YAML. `WH-YAML-3302`: larger or deeper than we accept. */
  readonly code: "WH-YAML-3301" | "WH-YAML-3302";
  readonly line: number;
  readonly column: number;
  readonly reason: string;
};

export type YamlLimits = {
  readonly textCharsMost: number;
  readonly documentsMost: number;
  /** Nesting of maps and lists. */
  readonly depthMost: number;
  /** Aliases (`*name`) in one document. */
  readonly aliasesMost: number;
  /** Nodes of one document once every alias is written out. */
  readonly nodesMost: number;
  /** Characters of one document's strings once every alias is written out. */
  readonly stringCharsMost: number;
};

export const yamlLimits: YamlLimits = {
  textCharsMost: 10 * 1024 * 1024,
  documentsMost: 5_000,
  depthMost: 64,
  aliasesMost: 1_000,
  nodesMost: 500_000,
  stringCharsMost: 16 * 1024 * 1024,
};

/** One sentence: `line 3, column 7: duplicated mapping key`. */
export const describeYamlProblem = (problem: YamlProblem): string =>
  `line ${problem.line}, column ${problem.column}: ${problem.reason}`;

/**
 * Reads every document of a YAML or JSON text the way Go's YAML readers do (YAML 1.1 scalars).
 *
 * `yes` and `on` are booleans, also as keys; `012` is ten; `1_000` is a thousand; dates stay text; integers
 * beyond 2^53 are bigints, so that nothing is lost. Keys become text as Go's JSON conversion spells them.
 * Duplicate keys, the key `__proto__`, null keys, infinities, NaN and halves of characters are refused. An empty
 * document is null.
 */
export function parseDocuments(
  text: string,
  limits: YamlLimits = yamlLimits,
): Result<readonly YamlDocument[], YamlProblem> {
  if (text.length > limits.textCharsMost)
    return tooLarge(
      1,
      `text has ${text.length} characters, at most ${limits.textCharsMost} are read`,
    );
  // A byte order mark may open a file; Go's readers skip it too.
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  try {
    const events = parseEvents(source, { maxDepth: limits.depthMost });
    const values = constructFromEvents(events, {
      source,
      schema: goSchema,
      maxAliases: limits.aliasesMost,
    });
    if (values.length > limits.documentsMost)
      return tooLarge(1, `${values.length} documents, at most ${limits.documentsMost} are read`);
    const lines = linesOfDocuments(source, events);
    // The schema below makes nothing but what Json names.
    const documents = values.map((value, index) => ({
      value: value as Json,
      line: lines[index] ?? 1,
    }));
    const mayHoldHalves = halfEscape.test(source) || !source.isWellFormed();
    for (const { value, line } of documents) {
      const reason = oversize(value, limits);
      if (reason !== undefined) return tooLarge(line, reason);
      if (mayHoldHalves && holdsHalves(value))
        return fail({ code: "WH-YAML-3301", line, column: 1, reason: halfCharacter });
    }
    return ok(documents);
  } catch (error) {
    // The parser throws RangeError and TypeError as well on hostile input; all of it is about this text.
    return fail(problemFrom(error));
  }
}

/**
 * Reads a text that holds one value, as `elementsYaml` and `templatePatch` do: the first document, null when
 * there is none. Fails with one sentence.
 */
export function parseOne(text: string): Result<Json, string> {
  const parsed = parseDocuments(text);
  return parsed.ok ? ok(parsed.value[0]?.value ?? null) : fail(describeYamlProblem(parsed.problem));
}

const tooLarge = (line: number, reason: string): Result<never, YamlProblem> =>
  fail({ code: "WH-YAML-3302", line, column: 1, reason });

function problemFrom(error: unknown): YamlProblem {
  if (!(error instanceof YAMLException)) {
    const reason = error instanceof Error ? error.message : String(error);
    return { code: "WH-YAML-3301", line: 1, column: 1, reason };
  }
  const limited = /exceeded (maxDepth|maxAliases|maxTotalMergeKeys)|abnormal merge/.test(
    error.reason,
  );
  return {
    code: limited ? "WH-YAML-3302" : "WH-YAML-3301",
    line: (error.mark?.line ?? 0) + 1,
    column: (error.mark?.column ?? 0) + 1,
    reason: error.reason.replace(/\s+/g, " "),
  };
}

type Events = ReturnType<typeof parseEvents>;

function linesOfDocuments(source: string, events: Events): readonly number[] {
  const lines: number[] = [];
  let line = 1;
  let counted = 0;
  for (const [index, event] of events.entries()) {
    if (event.type !== EVENT_ID.DOCUMENT) continue;
    const first = events[index + 1];
    const start = first === undefined ? -1 : startOf(first);
    for (; counted < start; counted += 1) if (source.charCodeAt(counted) === lineFeed) line += 1;
    lines.push(line);
  }
  return lines;
}

const lineFeed = 10;

function startOf(event: Events[number]): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return event.valueStart;
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.start;
    default:
      return -1;
  }
}

/** Aliases share what they name, so a small text can stand for a huge value: measures it written out. */
function oversize(root: unknown, limits: YamlLimits): string | undefined {
  let nodes = 0;
  let chars = 0;
  // Depth is bounded by the parser except through an alias inside what it names.
  const measure = (value: unknown, depth: number): string | undefined => {
    nodes += 1;
    if (nodes > limits.nodesMost)
      return `more than ${limits.nodesMost} values once aliases are written out`;
    if (typeof value === "string") chars += value.length;
    if (chars > limits.stringCharsMost)
      return `more than ${limits.stringCharsMost} characters once aliases are written out`;
    if (typeof value !== "object" || value === null) return undefined;
    if (depth > 2 * limits.depthMost)
      return "an alias inside the value it names, or nesting too deep";
    for (const child of Object.values(value)) {
      const reason = measure(child, depth + 1);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return measure(root, 1);
}

/** An escape that may make half a character, alone or one of two; those of eight digits are too rare to tell apart. */
const halfEscape = /\\(?:u[dD][89a-fA-F]|U)/;

const halfCharacter =
  'a text holds half a character: an escape like "\\udc80" stands for none by itself';

/** Go refuses such an escape even where two of them make a character; that much is JSON. */
function holdsHalves(value: unknown): boolean {
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => !key.isWellFormed() || holdsHalves(item));
}

const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
const floatForm = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const integerForm =
  /^(?<sign>[-+]?)(?:(?<zero>0)|0[xX](?<hex>[0-9a-fA-F]+)|0[bB](?<binary>[01]+)|0[oO]?(?<octal>[0-7]+)|(?<decimal>[1-9][0-9]*))$/;
const uint64Most = 2n ** 64n - 1n;
const int64Least = -(2n ** 63n);

/** Go's integer, or `undefined` when the text is none or does not fit 64 bits (Go then tries a float). */
function goInteger(plain: string): number | bigint | undefined {
  const groups = integerForm.exec(plain)?.groups;
  if (groups === undefined) return undefined;
  const { sign, hex, binary, octal, decimal } = groups;
  let magnitude = 0n;
  if (hex !== undefined) magnitude = BigInt(`0x${hex}`);
  else if (binary !== undefined) magnitude = BigInt(`0b${binary}`);
  else if (octal !== undefined) magnitude = BigInt(`0o${octal}`);
  else if (decimal !== undefined) magnitude = BigInt(decimal);
  const value = sign === "-" ? -magnitude : magnitude;
  if (value > uint64Most || value < int64Least) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const intTag = defineScalarTag<number | bigint>("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: ["-", "+", ...digits],
  resolve: (source) => goInteger(source.replaceAll("_", "")) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag<number>("tag:yaml.org,2002:float", {
  implicit: true,
  implicitFirstChars: ["-", "+", ".", ...digits],
  resolve: (source) => {
    if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(source))
      throw new RangeError(`${source} has no place in JSON, which is what Kubernetes reads`);
    // Go drops underscores only from what begins like a number; `.5_0` stays text.
    const plain = source.startsWith(".") ? source : source.replaceAll("_", "");
    if (!floatForm.test(plain)) return NOT_RESOLVED;
    const value = Number(plain);
    return Number.isFinite(value) ? value : NOT_RESOLVED;
  },
  identify: () => false,
});

const mapTag = defineMappingTag<Record<string, unknown>>("tag:yaml.org,2002:map", {
  create: () => ({}),
  addPair: (map, key, value) => {
    const text = keyText(key);
    if (text === undefined)
      return `a key must be text, a number or a boolean, got ${key === null ? "null" : typeof key}`;
    // An own `__proto__` is harmless here and poison in whatever copies it by assignment.
    if (text === "__proto__") return 'the key "__proto__" is refused';
    map[text] = value;
    return "";
  },
  has: (map, key) => {
    const text = keyText(key);
    return text !== undefined && Object.hasOwn(map, text);
  },
  keys: (map) => Object.keys(map),
  get: (map, key) => map[keyText(key) ?? ""],
  identify: () => false,
});

function keyText(key: unknown): string | undefined {
  switch (typeof key) {
    case "string":
      return key;
    case "number":
    case "bigint":
    case "boolean":
      return String(key);
    default:
      return undefined;
  }
}

const goSchema = new Schema([
  strTag,
  seqTag,
  mapTag,
  nullYaml11Tag,
  boolYaml11Tag,
  intTag,
  floatTag,
  mergeTag,
]);
