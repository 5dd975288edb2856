import { ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import {
  generatorKinds,
  readEntries,
  terminalKinds,
  type Generator,
  type GeneratorEntry,
  type GeneratorKind,
} from "../application-set.ts";
import { FieldReader, type JsonObject } from "../document.ts";
import { flattened, type Params } from "../params.ts";
import type { ProblemDraft } from "../problem.ts";
import { parseLabelSelector, selectorMatches, type Requirement } from "../selector.ts";
import { clusterDecisionParams } from "./cluster-decision-resource.ts";
import { clustersParams } from "./clusters.ts";
import {
  generatorFailure,
  sparingWithin,
  within,
  type GeneratorContext,
  type GradualParams,
} from "./context.ts";
import { gitParams } from "./git.ts";
import { listParams } from "./list.ts";
import { matrixParams, type RunChild } from "./matrix.ts";
import { mergeParams } from "./merge.ts";
import { pluginParams } from "./plugin.ts";
import { pullRequestParams } from "./pull-request.ts";
import { scmProviderParams } from "./scm-provider.ts";

/** What one generator of an entry gave, and the template it puts over the set's own. */
export type GeneratedParams = {
  /** Some are made as they are taken; they can be gone through once. */
  readonly sets: Iterable<Params>;
  readonly template: JsonObject | undefined;
};

/** Runs an entry of `spec.generators`: each of its generators, behind its selector. */
export function runEntry(
  entry: GeneratorEntry,
  context: GeneratorContext,
): Result<readonly GeneratedParams[], ProblemDraft> {
  const selector = parseLabelSelector(entry.selector, "any-text", `${entry.path}.selector`);
  if (!selector.ok) return generatorFailure(`error parsing label selector: ${selector.problem}`);
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

function selected(sets: Iterable<Params>, selector: readonly Requirement[]): Iterable<Params> {
  return selector.length === 0 ? sets : admitted(sets, selector);
}

function* admitted(sets: Iterable<Params>, selector: readonly Requirement[]): Iterable<Params> {
  for (const params of sets) {
    const flat = flattened(params);
    if (selectorMatches(selector, (key) => flat.get(key))) yield params;
  }
}

/** `depth` counts the generators around this one. */
function runGenerator(
  generator: Generator,
  context: GeneratorContext,
  depth: number,
): GradualParams {
  const { kind, body, path } = generator;
  const problems = problemsOfAny(generator);
  if (problems.length > 0) return generatorFailure(problems.join("; "));
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
      // A set that a child lacks would not be overridden, and go out as something it is not.
      const strict = { ...context, spare: undefined };
      return mergeParams(children.value, keys, context, childRunner(strict, depth));
    }
    case "scmProvider":
      return scmProviderParams(body, path, context);
    case "clusterDecisionResource":
      return clusterDecisionParams(body, path, context);
    case "pullRequest":
      return pullRequestParams(body, path, context);
    case "plugin":
      return pluginParams(body, path, context);
    default:
      return unreachable(kind, "generator");
  }
}

/** What is wrong with the fields that no generator reads for itself. */
function problemsOfAny({ kind, body, path }: Generator): readonly string[] {
  const fields = new FieldReader(body, path);
  fields.object("template");
  if (requeuedKinds.includes(kind)) fields.whole("requeueAfterSeconds");
  return fields.problems;
}

const requeuedKinds: readonly GeneratorKind[] = [
  "git",
  "scmProvider",
  "clusterDecisionResource",
  "pullRequest",
  "plugin",
];

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

const childWords = "child generator returned an error on parameter generation";

const childRunner =
  (context: GeneratorContext, depth: number): RunChild =>
  (entry) => {
    const [generator, another] = entry.generators;
    const selector = parseLabelSelector(entry.selector, "any-text", `${entry.path}.selector`);
    if (!selector.ok)
      return generatorFailure(`${childWords}: error parsing label selector: ${selector.problem}`);
    if (generator === undefined) return generatorFailure("child generator generated no parameters");
    if (another !== undefined) return tooManyInOne(entry, context, depth);
    const sets = runGenerator(generator, sparingWithin(childWords, context), depth + 1);
    // What another generator combines is gone through again and again.
    return sets.ok
      ? ok([...selected(sets.value, selector.value)])
      : within(childWords, sets.problem);
  };

/** Argo CD runs them all before it counts them, so what fails in one of them is said first. */
function tooManyInOne(
  { generators }: GeneratorEntry,
  context: GeneratorContext,
  depth: number,
): ReturnType<typeof generatorFailure> {
  const strict = { ...context, spare: undefined };
  for (const generator of generators) {
    const sets = runGenerator(generator, strict, depth + 1);
    if (!sets.ok) return within(childWords, sets.problem);
  }
  return generatorFailure("found more than one generator in matrix.Generators");
}

/** How soon a generator's source is looked at again, in seconds; 0 is never. */
export function requeueSeconds(generator: Generator, defaults: RequeueDefaults): number {
  const fields = new FieldReader(generator.body, generator.path);
  const own = (fallback: number): number => fields.whole("requeueAfterSeconds") ?? fallback;
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
      const children = readEntries(
        fields.list("generators"),
        generator.path,
        [],
        new Set(),
        generatorKinds,
      );
      return smallest(
        children.flatMap((entry) => entry.generators.map((it) => requeueSeconds(it, defaults))),
      );
    }
    default:
      return unreachable(generator.kind, "generator");
  }
}

export type RequeueDefaults = { readonly gitSeconds: number; readonly remoteSeconds: number };

/** How soon the sources of these generators are to be looked at again, as far as they ask; `undefined`: they do not. */
export function askedRequeueMs(entries: readonly GeneratorEntry[]): number | undefined {
  const seconds = smallest(
    entries.flatMap(({ generators }) =>
      generators.map((it) => requeueSeconds(it, { gitSeconds: 0, remoteSeconds: 0 })),
    ),
  );
  return seconds === 0 ? undefined : seconds * 1000;
}

/** The smallest that is not 0; 0 when all are. */
export const smallest = (seconds: readonly number[]): number => {
  const set = seconds.filter((value) => value > 0);
  return set.length === 0 ? 0 : Math.min(...set);
};
