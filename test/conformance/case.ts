import type { Result } from "../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../proto/words/digest.ts";
import {
  emptyObject,
  field,
  isList,
  isObject,
  readDocument,
  type JsonObject,
} from "../../hub/domain/document.ts";
import type { ProblemDraft } from "../../hub/domain/problem.ts";
import { compareBytes } from "../../hub/domain/template/value.ts";

/** One case of the corpus, as its file has it. */
export type ConformanceCase = {
  readonly id: string;
  readonly category: string;
  readonly kind: string;
  readonly mode: string;
  readonly input: JsonObject;
  readonly expected: JsonObject;
};

export type Verdict =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly difference: string };

/** What one kind of case comes to: a verdict, or the error it met. */
export type Outcome = Result<Verdict, ProblemDraft>;

export type Runner = (one: ConformanceCase, paramSets: JsonObject) => Outcome;

export function compareLists(one: ConformanceCase, key: string, got: readonly Json[]): Verdict {
  const wanted = (field(one.expected, key) ?? []) as Json;
  const expected = isList(wanted) ? wanted : [];
  const spelled = (items: readonly Json[]): readonly string[] => {
    // An empty set of params is nil upstream.
    const texts = items.map((item) => canonicalJson(unordered(one, item ?? {})));
    return field(one.expected, "ordered") === true ? texts : texts.toSorted();
  };
  const [a, b] = [spelled(expected).join("\n"), spelled(got).join("\n")];
  return a === b ? { kind: "passed" } : failed(`expected\n${a}\ngot\n${b}`);
}

/** Lists under the keys of `unorderedWithin` are compared as sets. */
function unordered(one: ConformanceCase, value: Json): Json {
  const within = list(one.expected, "unorderedWithin").map(String);
  if (within.length === 0 || !isObject(value)) return value;
  const sorted = emptyObject();
  for (const key of Object.keys(value)) {
    const item = field(value, key) ?? null;
    sorted[key] =
      isList(item) && within.some((path) => path === key || path.endsWith(`.${key}`))
        ? item.toSorted((a, b) => compareBytes(canonicalJson(a), canonicalJson(b)))
        : item;
  }
  return sorted;
}

export function compareValue(one: ConformanceCase, key: string, got: Json): Verdict {
  const expected = field(one.expected, key) ?? null;
  const [a, b] = [canonicalJson(expected), canonicalJson(got)];
  return a === b ? { kind: "passed" } : failed(`expected\n${a}\ngot\n${b}`);
}

export function compareError(one: ConformanceCase, message: string): Verdict {
  const wanted = field(one.expected, "error");
  if (wanted === undefined) return failed(`unexpected error: ${message}`);
  const expected = text(one.expected, "error");
  const matches = {
    exact: message === expected,
    contains: message.includes(expected),
    any: true,
  }[text(one.expected, "errorMatch")];
  return matches === true
    ? { kind: "passed" }
    : failed(`expected the error\n${expected}\ngot\n${message}`);
}

export const failed = (difference: string): Verdict => ({ kind: "failed", difference });

export const show = (value: unknown): string => JSON.stringify(value) ?? "undefined";

export const text = (from: JsonObject, key: string): string => {
  const value = field(from, key);
  return typeof value === "string" ? value : "";
};

export const list = (from: JsonObject, key: string): readonly Json[] => {
  const value = field(from, key);
  return isList(value) ? value : [];
};

export const object = (from: JsonObject, key: string): JsonObject => {
  const value = field(from, key);
  return isObject(value) ? value : emptyObject();
};

/** A corpus file as values without prototypes. Throws when it is not what the format says. */
export function readCorpus(content: string): {
  readonly cases: readonly ConformanceCase[];
  readonly paramSets: JsonObject;
} {
  const read = readDocument(JSON.parse(content));
  if (!read.ok || !isObject(read.value))
    throw new TypeError(`corpus file: ${read.ok ? "no mapping" : read.problem}`);
  const file = read.value;
  return {
    paramSets: object(file, "paramSets"),
    cases: list(file, "cases")
      .filter(isObject)
      .map((one) => ({
        id: text(one, "id"),
        category: text(one, "category"),
        kind: text(one, "kind"),
        mode: text(one, "mode"),
        input: object(one, "input"),
        expected: object(one, "expected"),
      })),
  };
}
