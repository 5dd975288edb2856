import { ok } from "../../../proto/kit/result.ts";
import type { GeneratorEntry } from "../application-set.ts";
import { deepMerged, type Params } from "../params.ts";
import { encodeJson } from "../template/json.ts";
import type { GoValue } from "../template/value.ts";
import { generatorFailure, within, type ParamsResult, type GeneratorContext } from "./context.ts";
import type { RunChild } from "./matrix.ts";
import type { Result } from "../../../proto/kit/result.ts";
import type { ProblemDraft } from "../problem.ts";

/**
 * `merge`: the sets of the first child, each overridden by the sets of the others that have the same
 * values under the merge keys. Keys are names of the params' top level, dots mean nothing in them.
 */
export function mergeParams(
  children: readonly GeneratorEntry[],
  mergeKeys: readonly string[],
  context: GeneratorContext,
  run: RunChild,
): ParamsResult {
  if (children.length < 2)
    return generatorFailure("found less than two generators, Merge requires two or more");
  const all: (readonly Params[])[] = [];
  for (const [index, child] of children.entries()) {
    const sets = run(child);
    if (!sets.ok)
      return within(
        `error getting param sets from generators: error getting params from generator ${index + 1} of ${children.length}`,
        sets.problem,
      );
    all.push(sets.value);
  }
  const keyed: ReadonlyMap<string, Params>[] = [];
  for (const sets of all) {
    const byKey = setsByMergeKey(sets, mergeKeys);
    if (!byKey.ok) return within("error getting param sets by merge key", byKey.problem);
    keyed.push(byKey.value);
  }
  const [base, ...overrides] = keyed;
  const merge = context.templates.goTemplate ? deepMerged : flatMerged;
  return ok(
    [...(base ?? [])].map(([key, params]) =>
      overrides.reduce((merged, sets) => {
        const override = sets.get(key);
        return override === undefined ? merged : merge(merged, override);
      }, params),
    ),
  );
}

const flatMerged = (base: Params, over: Params): Params => new Map([...base, ...over]);

/** Sets by the JSON of their merge keys, in order. Two sets with one key are one too many. */
export function setsByMergeKey(
  sets: readonly Params[],
  mergeKeys: readonly string[],
): Result<ReadonlyMap<string, Params>, ProblemDraft> {
  if (mergeKeys.length === 0)
    return generatorFailure("no merge keys were specified, Merge requires at least one");
  const byKey = new Map<string, Params>();
  for (const params of sets) {
    const key = new Map<string, GoValue>(mergeKeys.map((name) => [name, params.get(name) ?? null]));
    const text = encodeJson(key, { escapesHtml: true, indented: false });
    if (!text.ok) return generatorFailure(`error marshalling param set key json: ${text.problem}`);
    if (byKey.has(text.value))
      return generatorFailure(
        `the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was ${text.value}`,
      );
    byKey.set(text.value, params);
  }
  return ok(byKey);
}
