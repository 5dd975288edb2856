import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  generatorKinds,
  readEntries,
  terminalKinds,
  type Generator,
  type GeneratorEntry,
  type GeneratorKind,
} from "../application-set.ts";
import { field, FieldReader, type JsonObject } from "../document.ts";
import { flattened, type Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import { parseLabelSelector, selectorMatches, type Requirement } from "../selector.ts";
import { clustersParams } from "./clusters.ts";
import { generatorFailure, within, type Generation, type GeneratorContext } from "./context.ts";
import { gitParams } from "./git-directories.ts";
import { listParams } from "./list.ts";
import { matrixParams, type RunChild } from "./matrix.ts";
import { mergeParams } from "./merge.ts";

/** What one generator of an entry gave, and the template it puts over the set's own. */
export type GeneratedParams = {
  readonly sets: readonly Params[];
  readonly template: JsonObject | undefined;
};

/** Runs an entry of `spec.generators`: each of its generators, behind its selector. */
export function runEntry(
  entry: GeneratorEntry,
  context: GeneratorContext,
): Result<readonly GeneratedParams[], ProblemDraft> {
  const selector = parseLabelSelector(entry.selector, "any-text");
  if (!selector.ok)
    return fail(
      problem(
        codes.generatorFailed,
        `error parsing label selector: ${entry.path}.selector: ${selector.problem}`,
      ),
    );
  const results: GeneratedParams[] = [];
  for (const generator of entry.generators) {
    const sets = runGenerator(generator, context, 0);
    if (!sets.ok) return sets;
    const reader = new FieldReader(generator.body, generator.path);
    results.push({
      sets: selected(sets.value, selector.value),
      template: reader.object("template"),
    });
  }
  return ok(results);
}

const selected = (sets: readonly Params[], selector: readonly Requirement[]): readonly Params[] =>
  selector.length === 0
    ? sets
    : sets.filter((params) => {
        const flat = flattened(params);
        return selectorMatches(selector, (key) => flat.get(key));
      });

/** `depth` counts the generators around this one. */
function runGenerator(generator: Generator, context: GeneratorContext, depth: number): Generation {
  const { kind, body, path } = generator;
  switch (kind) {
    case "list":
      return listParams(body, path, context);
    case "clusters":
      return clustersParams(body, path, context);
    case "git":
      return gitParams(body, path, context);
    case "matrix": {
      const children = readChildren(generator, depth);
      return children.ok
        ? matrixParams(children.value, context, childRunner(context, depth))
        : children;
    }
    case "merge": {
      const children = readChildren(generator, depth);
      if (!children.ok) return children;
      const fields = new FieldReader(body, path);
      const keys = fields.texts("mergeKeys");
      if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
      return mergeParams(children.value, keys, context, childRunner(context, depth));
    }
    case "scmProvider":
    case "clusterDecisionResource":
    case "pullRequest":
    case "plugin":
      return fail(
        problem(
          codes.unsupportedGenerator,
          `generator ${kind} is not supported yet (${generator.path})`,
        ),
      );
    default:
      return unreachable(kind, "generator");
  }
}

/** The children of matrix and merge. A third level is not read, as in Argo CD. */
function readChildren(
  { body, path }: Generator,
  depth: number,
): Result<readonly GeneratorEntry[], ProblemDraft> {
  const problems: string[] = [];
  const unknown = new Set<string>();
  const kinds: readonly GeneratorKind[] = depth === 0 ? generatorKinds : terminalKinds;
  const list = new FieldReader(body, path, problems).list("generators");
  const children = readEntries(list, `${path}.generators`, problems, unknown, kinds);
  return problems.length === 0 ? ok(children) : generatorFailure(problems.join("; "));
}

const childRunner =
  (context: GeneratorContext, depth: number): RunChild =>
  (entry) => {
    const [generator, another] = entry.generators;
    const selector = parseLabelSelector(entry.selector, "any-text");
    if (!selector.ok)
      return generatorFailure(
        `child generator returned an error on parameter generation: error parsing label selector: ${entry.path}.selector: ${selector.problem}`,
      );
    if (generator === undefined) return generatorFailure("child generator generated no parameters");
    if (another !== undefined)
      return generatorFailure("found more than one generator in matrix.Generators");
    const sets = runGenerator(generator, context, depth + 1);
    return sets.ok
      ? ok(selected(sets.value, selector.value))
      : within("child generator returned an error on parameter generation", sets.problem);
  };

/** How soon a generator's source is looked at again, in seconds; 0 is never. */
export function requeueSeconds(generator: Generator, defaults: RequeueDefaults): number {
  const seconds = field(generator.body, "requeueAfterSeconds");
  const own = (fallback: number): number =>
    typeof seconds === "number" || typeof seconds === "bigint" ? Number(seconds) : fallback;
  switch (generator.kind) {
    case "list":
    case "clusters":
      return 0;
    case "git":
    case "clusterDecisionResource":
      return own(defaults.gitSeconds);
    case "scmProvider":
    case "pullRequest":
    case "plugin":
      return own(defaults.remoteSeconds);
    case "matrix":
    case "merge": {
      const list = new FieldReader(generator.body, generator.path).list("generators");
      const children = readEntries(list, generator.path, [], new Set(), generatorKinds);
      return smallest(
        children.flatMap((entry) => entry.generators.map((it) => requeueSeconds(it, defaults))),
      );
    }
    default:
      return unreachable(generator.kind, "generator");
  }
}

export type RequeueDefaults = { readonly gitSeconds: number; readonly remoteSeconds: number };

/** The smallest that is not 0; 0 when all are. */
export const smallest = (seconds: readonly number[]): number => {
  const set = seconds.filter((value) => value > 0);
  return set.length === 0 ? 0 : Math.min(...set);
};
