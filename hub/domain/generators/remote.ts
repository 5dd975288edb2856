import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { FieldReader, isObject, type JsonObject } from "../document.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import { compileRegexp } from "../regexp/regexp.ts";
import { goQuote } from "../template/print.ts";
import { remoteFactKey, type RemoteFact } from "../remote-facts.ts";
import { generatorFailure, type GeneratorContext } from "./context.ts";

type Kind = RemoteFact["kind"];

/** What the service a generator asks has answered. It is fetched before generation starts, or not there. */
export function remoteFact<K extends Exclude<Kind, "failed">>(
  generator: string,
  wanted: K,
  body: JsonObject,
  path: string,
  { facts }: GeneratorContext,
): Result<Extract<RemoteFact, { readonly kind: K | "failed" }>, ProblemDraft> {
  const fact = facts.remote?.get(remoteFactKey(generator, body));
  if (fact === undefined)
    return fail(
      problem(
        codes.sourceNotConnected,
        `generator ${generator} (${path}) asks a service that this hub is not connected to yet`,
      ),
    );
  if (fact.kind !== wanted && fact.kind !== "failed")
    throw new TypeError(`the answer for ${path} is ${fact.kind}, not ${wanted}`);
  return ok(fact as Extract<RemoteFact, { readonly kind: K | "failed" }>);
}

/** A test over one text; no pattern, no test. */
export type TextTest = ((text: string) => boolean) | undefined;

/** The patterns of one item of `filters`, unanchored, with RE2's semantics. */
export type Filter = {
  readonly fields: FieldReader;
  readonly test: (key: string) => TextTest;
};

/** Reads `filters`; `patterns` are the keys that hold a regular expression. */
export function readFilters<T>(
  fields: FieldReader,
  patterns: readonly string[],
  make: (filter: Filter) => T,
): Result<readonly T[], ProblemDraft> {
  const filters: T[] = [];
  for (const [index, item] of fields.list("filters").entries()) {
    if (!isObject(item)) {
      fields.complain(`filters[${index}]`, "must be a mapping");
      continue;
    }
    const own = new FieldReader(item, fields.path(`filters[${index}]`), fields.problems);
    const tests = new Map<string, TextTest>();
    for (const key of patterns) {
      if (!own.has(key)) continue;
      const pattern = own.text(key);
      const compiled = compileRegexp(pattern);
      if (!compiled.ok)
        return generatorFailure(
          `error listing repos: error compiling ${capitalized(key)} regexp ${goQuote(pattern)}: ${compiled.problem}`,
        );
      // Its time is linear in a text as short as a name or a title, so nothing needs to be charged for.
      tests.set(key, (text) => compiled.value.matches(text, () => {}));
    }
    filters.push(make({ fields: own, test: (key) => tests.get(key) }));
  }
  return fields.problems.length === 0 ? ok(filters) : generatorFailure(fields.problems.join("; "));
}

const capitalized = (key: string): string => key.slice(0, 1).toUpperCase() + key.slice(1);
