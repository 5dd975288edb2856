import { ok, type Result } from "../../../proto/kit/result.ts";
import { FieldReader, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import type { ProblemDraft } from "../problem.ts";
import type { Labels } from "../records.ts";
import { StringMap, type GoValue } from "../template/value.ts";
import { generatorFailure, within, type ParamsResult, type GeneratorContext } from "./context.ts";

/** The `values` of a generator: text by name. */
export function readValues(body: JsonObject, path: string): Result<Labels, ProblemDraft> {
  const fields = new FieldReader(body, path);
  const values = fields.textMap("values");
  return fields.problems.length === 0 ? ok(values) : generatorFailure(fields.problems.join("; "));
}

/** Says which of a generator's sets could not be given its values. */
export type Words = (index: number) => string;

/** What most generators say. */
export const notAppended: Words = () => "failed to append templated values";

/**
 * Adds a generator's `values` to each of its params. They see the params, and not each other: a value made
 * of values made of values could grow without end. `words` stand before what fails.
 */
export function withValues(
  sets: readonly Params[],
  values: Labels,
  context: Pick<GeneratorContext, "templates" | "spare">,
  words?: Words,
): ParamsResult {
  const keys = Object.keys(values);
  if (keys.length === 0) return ok(sets);
  const { templates, spare } = context;
  const results: Params[] = [];
  for (const [index, params] of sets.entries()) {
    const rendered = renderedValues(params, values, keys, templates);
    if (!rendered.ok) {
      const failed = words === undefined ? rendered : within(words(index), rendered.problem);
      if (spare === undefined) return failed;
      spare(failed.problem);
      continue;
    }
    const result = new Map<string, GoValue>(params);
    if (templates.goTemplate) result.set("values", rendered.value);
    else for (const [key, text] of rendered.value) result.set(`values.${key}`, text);
    results.push(result);
  }
  return ok(results);
}

function renderedValues(
  params: Params,
  values: Labels,
  keys: readonly string[],
  templates: GeneratorContext["templates"],
): Result<StringMap, ProblemDraft> {
  const rendered = new StringMap();
  for (const key of keys) {
    const text = templates.render(values[key] ?? "", params);
    if (!text.ok)
      return within(
        // Argo CD says it twice.
        "failed to replace templated string: failed to replace templated string with rendered values",
        text.problem,
      );
    rendered.set(key, text.value);
  }
  return ok(rendered);
}
