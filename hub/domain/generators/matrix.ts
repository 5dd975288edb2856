import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { Generator, GeneratorEntry } from "../application-set.ts";
import { emptyObject, field, isObject, type JsonObject } from "../document.ts";
import { combinedText, deepMerged, type Params } from "../params.ts";
import { problem, type ProblemDraft } from "../problem.ts";
import { compileDocument, Templates } from "../render-template.ts";
import { generatorFailure, within, type Generation, type GeneratorContext } from "./context.ts";

/** How a generator with children runs one of them. */
export type RunChild = (entry: GeneratorEntry) => Generation;

/**
 * `matrix`: every set of the first child with every set of the second, first child outside. The second
 * child's fields may be made out of what the first one gave.
 */
export function matrixParams(
  children: readonly GeneratorEntry[],
  context: GeneratorContext,
  run: RunChild,
): Generation {
  const [first, second] = children;
  if (first === undefined || second === undefined)
    return generatorFailure("found less than two generators, Matrix support only two");
  if (children.length > 2)
    return generatorFailure("found more than two generators, Matrix support only two");
  const outer = run(first);
  if (!outer.ok)
    return within(
      "error failed to get params for first generator in matrix generator",
      outer.problem,
    );
  const sets: Params[] = [];
  for (const a of outer.value) {
    const inner = secondParams(second, a, context, run);
    if (!inner.ok)
      return within(
        "failed to get params for second generator in the matrix generator",
        inner.problem,
      );
    for (const b of inner.value) {
      const combined = combine(a, b, context.templates.goTemplate);
      if (!combined.ok)
        return within(
          "failed to combine string maps with merging params for the matrix generator",
          combined.problem,
        );
      sets.push(combined.value);
    }
  }
  return ok(sets);
}

function secondParams(
  entry: GeneratorEntry,
  params: Params,
  context: GeneratorContext,
  run: RunChild,
): Generation {
  if (params.size === 0) return run(entry);
  const generators: Generator[] = [];
  for (const generator of entry.generators) {
    const body = interpolated(generator.body, params, context);
    if (!body.ok)
      return within(
        "child generator returned an error on parameter generation: error interpolating params for generator",
        body.problem,
      );
    generators.push({ ...generator, body: body.value });
  }
  return run({ ...entry, generators });
}

/** On a shared name the first child wins with Go templates; without them both must say the same. */
export function combine(a: Params, b: Params, goTemplate: boolean): Result<Params, ProblemDraft> {
  if (goTemplate) return ok(deepMerged(b, a));
  const combined = combinedText(a, b);
  if (combined.ok) return ok(combined.params);
  const { key, a: left, b: right } = combined;
  return generatorFailure(
    `found duplicate key ${key} with different value, a: ${left} ,b: ${right}`,
  );
}

/** A generator's fields with every text rendered. Its own template and its `values` are for later. */
export function interpolated(
  body: JsonObject,
  params: Params,
  context: GeneratorContext,
): Result<JsonObject, ProblemDraft> {
  const values = preresolved(body, params, context);
  if (!values.ok) return values;
  const rest = emptyObject();
  for (const key of Object.keys(body)) {
    const value = field(body, key) ?? null;
    if (key === "template" || (key === "values" && values.value !== undefined)) continue;
    const rendered = compileDocument(value, context.templates)(params);
    if (!rendered.ok) return within("failed to replace parameters in generator", rendered.problem);
    rest[key] = rendered.value;
  }
  if (values.value !== undefined) rest["values"] = values.value;
  return ok(rest);
}

/**
 * The `values` of the second child, as far as the first child's params go. One that needs something else
 * is kept as written, whole: its own generator may know it.
 */
function preresolved(
  body: JsonObject,
  params: Params,
  context: GeneratorContext,
): Result<JsonObject | undefined, ProblemDraft> {
  const values = field(body, "values");
  if (!isObject(values)) return ok(undefined);
  const strict = new Templates(
    { goTemplate: context.templates.goTemplate, missingKey: "error" },
    context.needs,
  );
  const resolved = emptyObject();
  for (const key of Object.keys(values)) {
    const text = field(values, key);
    if (typeof text !== "string") {
      resolved[key] = text ?? null;
      continue;
    }
    const rendered = strict.render(text, params);
    if (rendered.ok) resolved[key] = rendered.value;
    else if (needsMore(rendered.problem.message)) resolved[key] = text;
    else
      return fail(
        problem(
          rendered.problem.code,
          `failed to pre-resolve Values key ${JSON.stringify(key)}: ${rendered.problem.message}`,
        ),
      );
  }
  return ok(resolved);
}

const needsMore = (message: string): boolean =>
  message.includes("map has no entry for key") || message.includes("can't evaluate field");
