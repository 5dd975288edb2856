import {
  CHOMPING_MODE,
  COLLECTION_STYLE,
  constructFromEvents,
  EVENT_ID,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from "js-yaml";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import { changesNothing, layOut, type IndentedLine } from "./yaml-layout.ts";
import { goSchema, noPlaceInJson, plainValue } from "./yaml-schema.ts";

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
 * Unlike Go: a key written twice in one mapping is refused, and so is text behind a document's end, because either
 * hides something that somebody wrote. The key `__proto__`, null keys, infinities, NaN and halves of
 * characters are refused. An empty document is null.
 */
export function parseDocuments(
  text: string,
  limits: YamlLimits = yamlLimits,
): Result<readonly YamlDocument[], YamlProblem> {
  return reading(text, limits, (source) => {
    const parsed = parsedText(source, limits);
    const values = constructed(parsed, { keysOnce: true }, limits);
    if (values.length > limits.documentsMost)
      return tooLarge(1, `${values.length} documents, at most ${limits.documentsMost} are read`);
    const lines = linesOfDocuments(parsed.source, parsed.events);
    return checkedDocuments(source, values, lines, limits);
  });
}

/**
 * Reads a text that holds one value, as `elementsYaml`, `templatePatch` and files of parameters do: the first
 * document, null when there is none.
 *
 * What Go lets pass passes here, because sets rely on it: the last of two equal keys wins, and what stands behind
 * the first document, or behind the bracket or the quote that closes it, is not looked at.
 */
export function parseFirst(text: string): Result<Json, YamlProblem> {
  const read = reading(text, yamlLimits, (source) => {
    const parsed = parsedFirst(firstDocument(source), yamlLimits);
    const values = constructed(parsed, { keysOnce: false }, yamlLimits).slice(0, 1);
    return checkedDocuments(
      source,
      values,
      linesOfDocuments(parsed.source, parsed.events),
      yamlLimits,
    );
  });
  return read.ok ? ok(read.value[0]?.value ?? null) : read;
}

/** `parseFirst`, failing with one sentence. */
export function parseOne(text: string): Result<Json, string> {
  const parsed = parseFirst(text);
  return parsed.ok ? parsed : fail(describeYamlProblem(parsed.problem));
}

type Read = Result<readonly YamlDocument[], YamlProblem>;

function reading(text: string, limits: YamlLimits, read: (source: string) => Read): Read {
  if (text.length > limits.textCharsMost)
    return tooLarge(
      1,
      `text has ${text.length} characters, at most ${limits.textCharsMost} are read`,
    );
  try {
    // A byte order mark may open a file; Go's readers skip it too.
    return read(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch (error) {
    // The parser throws RangeError and TypeError as well on hostile input; all of it is about this text.
    return fail(problemFrom(error));
  }
}

/** The schema makes nothing but what Json names; measures it, and looks for what no JSON may hold. */
function checkedDocuments(
  source: string,
  values: readonly unknown[],
  lines: readonly number[],
  limits: YamlLimits,
): Read {
  const documents: YamlDocument[] = [];
  const mayHoldHalves = halfEscape.test(source) || !source.isWellFormed();
  for (const [index, constructedValue] of values.entries()) {
    const line = lines[index] ?? 1;
    const value = plainValue(constructedValue);
    if (value === undefined) return notYaml(line, noPlaceInJson);
    const reason = oversize(value, limits);
    if (reason !== undefined) return tooLarge(line, reason);
    if (mayHoldHalves && holdsHalves(value)) return notYaml(line, halfCharacter);
    documents.push({ value, line });
  }
  return ok(documents);
}

type Events = ReturnType<typeof parseEvents>;

/** What the library read, and the text that its events point into. */
type Parsed = {
  readonly source: string;
  readonly events: Events;
  /** Lines of `source` that have more indentation than in the text. */
  readonly indented: readonly IndentedLine[];
};

function parsedText(text: string, limits: YamlLimits): Parsed {
  try {
    return withOpenEnd(text, eventsOf(text, limits), []);
  } catch (error) {
    const lacksIndentation =
      error instanceof YAMLException && error.reason === "deficient indentation";
    const laidOut = lacksIndentation ? layOut(text, limits.textCharsMost) : undefined;
    if (laidOut === undefined) throw error;
    const events = movedBack(laidOut.lines, () => eventsOf(laidOut.text, limits));
    if (!changesNothing(laidOut, events)) throw error;
    return withOpenEnd(laidOut.text, events, laidOut.lines);
  }
}

const eventsOf = (text: string, { depthMost }: YamlLimits): Events =>
  parseEvents(text, { maxDepth: depthMost });

/** Go stops reading where the bracket or the quote closes, or the indentation ends, that a document began with. */
function parsedFirst(text: string, limits: YamlLimits): Parsed {
  try {
    return parsedText(text, limits);
  } catch (error) {
    const isBehind =
      error instanceof YAMLException &&
      error.reason === "end of the stream or a document separator is expected";
    const end = isBehind ? (error.mark?.position ?? 0) : 0;
    // No token begins with one of these, and Go looks one token ahead.
    if (end === 0 || /[@`%]/.test(text.charAt(end))) throw error;
    const parsed = parsedText(text.slice(0, end), limits);
    if (!endsBefore(parsed, columnOf(text, end))) throw error;
    return parsed;
  }
}

/** Whether a document needs nothing to tell it from what begins behind it in this column. */
function endsBefore({ source, events }: Parsed, column: number): boolean {
  const root = events[1];
  switch (root?.type) {
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return root.style === COLLECTION_STYLE.FLOW || column < columnOf(source, root.start);
    case EVENT_ID.SCALAR:
      return root.style === SCALAR_STYLE.SINGLE_QUOTED || root.style === SCALAR_STYLE.DOUBLE_QUOTED;
    default:
      return false;
  }
}

const columnOf = (text: string, position: number): number =>
  position -
  1 -
  Math.max(text.lastIndexOf("\n", position - 1), text.lastIndexOf("\r", position - 1));

/** A text up to the mark that ends its first document. */
function firstDocument(text: string): string {
  const content = text.search(/(?:^|[\n\r])[ \t]*[^ \t\n\r#%]/);
  for (const mark of text.matchAll(/(?:^|[\n\r])(?:---|\.\.\.)(?=[ \t\n\r]|$)/g))
    if (mark.index !== content) return text.slice(0, mark.index + 1);
  return text;
}

/** A block scalar that ends with the text, and not with a line break, has none at its end. */
function withOpenEnd(source: string, events: Events, indented: readonly IndentedLine[]): Parsed {
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR) continue;
    const { style, valueEnd } = event;
    const isBlock = style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
    if (isBlock && valueEnd === source.length && !/[\n\r]/.test(source.charAt(valueEnd - 1)))
      event.chomping = CHOMPING_MODE.STRIP;
  }
  return { source, events, indented };
}

const mergedKeysMost = 10_000;
/** A text that cannot merge needs no schema of its own. A merge is spelled out, or quoted behind a tag. */
const withoutMerges = goSchema(0);
const mayMerge = (source: string): boolean => source.includes("<<") || source.includes("!");

const constructed = (
  { source, events, indented }: Parsed,
  { keysOnce }: { readonly keysOnce: boolean },
  { aliasesMost }: YamlLimits,
): readonly unknown[] =>
  movedBack(indented, () =>
    constructFromEvents(events, {
      source,
      schema: mayMerge(source) ? goSchema(mergedKeysMost) : withoutMerges,
      maxAliases: aliasesMost,
      json: !keysOnce,
    }),
  );

/** Runs what may complain about a text with added indentation; it complains about the text without. */
function movedBack<T>(indented: readonly IndentedLine[], run: () => T): T {
  try {
    return run();
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    if (mark === undefined) throw error;
    const { line, position } = mark;
    for (const { line: of, start, added } of indented) {
      if (of === line) mark.column = Math.max(0, mark.column - added);
      if (start < position) mark.position -= Math.min(added, position - start);
    }
    throw error;
  }
}

const tooLarge = (line: number, reason: string): Result<never, YamlProblem> =>
  fail({ code: "WH-YAML-3302", line, column: 1, reason });

const notYaml = (line: number, reason: string): Result<never, YamlProblem> =>
  fail({ code: "WH-YAML-3301", line, column: 1, reason });

function problemFrom(error: unknown): YamlProblem {
  if (!(error instanceof YAMLException)) {
    const reason = error instanceof Error ? error.message : String(error);
    return { code: "WH-YAML-3301", line: 1, column: 1, reason };
  }
  const limited = /exceeded (maxDepth|maxAliases|their limit)/.test(error.reason);
  return {
    code: limited ? "WH-YAML-3302" : "WH-YAML-3301",
    line: (error.mark?.line ?? 0) + 1,
    column: (error.mark?.column ?? 0) + 1,
    reason: error.reason.replace(/\s+/g, " "),
  };
}

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
