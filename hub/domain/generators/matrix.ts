import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { canonicalJson } from "../../../proto/words/digest.ts";
import type { Generator as WrittenGenerator, GeneratorEntry } from "../application-set.ts";
import { combinedTexts, deepMerged, textsOf, type Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import {
  elementsByDefault,
  generatorFailure,
  within,
  type ParamsResult,
  type GeneratorContext,
  type GradualParams,
} from "./context.ts";
import { compileGenerator } from "./interpolate.ts";
import { withMadeInput } from "./plugin-input.ts";

/** How a generator with children runs one of them. */
export type RunChild = (entry: GeneratorEntry) => ParamsResult;

/**
 * `matrix`: every set of the first child with every set of the second, first child outside. The second
 * child's fields may be made out of what the first one gave.
 */
export function matrixParams(
  children: readonly GeneratorEntry[],
  context: GeneratorContext,
  run: RunChild,
): GradualParams {
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
  const inner = sameFieldsOnce(second, context, run);
  const combined = context.templates.goTemplate
    ? combinations(outer.value, inner, goPairs, context)
    : combinations(outer.value, inner, textPairs, context);
  // Where nothing is spared a failure is everybody's, so it must be known before the first set is used.
  return context.spare === undefined
    ? unlessOneFails(combined)
    : ok(spared(combined, context.spare));
}

type Inner = {
  /** The sets of the second child beside one of the first's. */
  readonly setsBeside: (params: Params) => ParamsResult;
  /** Whether its fields mention nothing of the first child, so that these are the same beside all of its sets. */
  readonly isFixed: boolean;
};

/** How sets become pairs in a template mode. What is the same for all columns, or for all of a row, is done once. */
type Pairing = (
  columns: readonly Params[],
) => (row: Params) => (column: number) => Result<Params, ProblemDraft>;

/** With Go templates the first child wins on a shared name. */
const goPairs: Pairing = (columns) => (row) => (column) =>
  ok(deepMerged(columns[column] ?? new Map(), row));

/** Without them both must say the same. */
export const textPairs: Pairing = (columns) => {
  const texts = columns.map(textsOf);
  const names = new Set(texts.flatMap((column) => [...column.keys()]));
  return (row) => {
    const textsOfRow = textsOf(row);
    const shared = [...textsOfRow.keys()].filter((name) => names.has(name));
    return (column) => {
      const combined = combinedTexts(textsOfRow, texts[column] ?? new Map(), shared);
      if (combined.ok) return ok(combined.params);
      const { key, a, b } = combined;
      return generatorFailure(`found duplicate key ${key} with different value, a: ${a} ,b: ${b}`);
    };
  };
};

/** Makes each pair as it is asked for: all at once they are the largest thing a generation would hold. */
function* combinations(
  outer: readonly Params[],
  inner: Inner,
  pairing: Pairing,
  { needs: { elementsMost = elementsByDefault } }: GeneratorContext,
): Generator<Result<Params, ProblemDraft>> {
  let pairs = 0;
  let before: readonly Params[] | undefined;
  let rowPairs = pairing([]);
  for (const row of outer) {
    const sets = inner.setsBeside(row);
    if (!sets.ok) {
      yield within(
        "failed to get params for second generator in the matrix generator",
        sets.problem,
      );
      continue;
    }
    const columns = sets.value;
    pairs += columns.length;
    // Where all rows are the same their number is known before they are made.
    const foreseen = inner.isFixed ? columns.length * outer.length : pairs;
    if (foreseen > elementsMost) {
      yield fail(
        problem(
          codes.tooManyElements,
          `the matrix generator gives more than ${elementsMost} sets of params, which is the most a set may have here (set-elements-most): ${outer.length} of the first generator, ${columns.length} of the second for each`,
        ),
      );
      return;
    }
    if (columns !== before) rowPairs = pairing(columns);
    before = columns;
    const pairOf = rowPairs(row);
    for (let column = 0; column < columns.length; column += 1) {
      const combined = pairOf(column);
      yield combined.ok
        ? combined
        : within(
            "failed to combine string maps with merging params for the matrix generator",
            combined.problem,
          );
    }
  }
}

function unlessOneFails(combined: Iterable<Result<Params, ProblemDraft>>): ParamsResult {
  const sets: Params[] = [];
  for (const one of combined) {
    if (!one.ok) return one;
    sets.push(one.value);
  }
  return ok(sets);
}

function* spared(
  combined: Iterable<Result<Params, ProblemDraft>>,
  spare: (flaw: ProblemDraft) => void,
): Iterable<Params> {
  for (const one of combined) {
    if (one.ok) yield one.value;
    else spare(one.problem);
  }
}

/**
 * Runs the second child anew only when its fields came out differently: most of them mention nothing of the
 * first child, and what they give is then the same beside each of its sets.
 */
function sameFieldsOnce(entry: GeneratorEntry, context: GeneratorContext, run: RunChild): Inner {
  const entryOf = compileEntry(entry, context);
  let last: { readonly fields: string; readonly sets: ParamsResult } | undefined;
  const setsBeside = (params: Params): ParamsResult => {
    const written = entryOf(params);
    if (!written.ok) return written;
    const fields = canonicalJson(written.value.generators.map(({ body }) => body));
    if (last?.fields !== fields) last = { fields, sets: run(written.value) };
    return last.sets;
  };
  return { setsBeside, isFixed: !entry.generators.some(hasTemplates) };
}

/** Its own template is none: nothing is filled into that here. */
const hasTemplates = ({ body }: WrittenGenerator): boolean =>
  canonicalJson({ ...body, template: null }).includes("{{");

function compileEntry(
  entry: GeneratorEntry,
  context: GeneratorContext,
): (params: Params) => Result<GeneratorEntry, ProblemDraft> {
  const templates = entry.generators.map((generator) => ({
    generator,
    bodyOf: compileGenerator(generator, context),
  }));
  return (params) => {
    // Argo CD leaves everything as written when there is nothing to put in.
    if (params.size === 0) return ok(entry);
    const generators: WrittenGenerator[] = [];
    for (const { generator, bodyOf } of templates) {
      const body = bodyOf(params);
      if (!body.ok)
        return within("child generator returned an error on parameter generation", body.problem);
      const made = generator.kind === "plugin" ? withMadeInput(body.value) : body.value;
      generators.push({ ...generator, body: made });
    }
    return ok({ ...entry, generators });
  };
}
