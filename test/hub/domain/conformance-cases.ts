import { ok, type Result } from "../../../proto/kit/result.ts";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../../proto/words/ids.ts";
import {
  applicationSetOf,
  readEntries,
  type ApplicationSet,
  type MissingKey,
} from "../../../hub/domain/application-set.ts";
import {
  emptyObject,
  field,
  isList,
  isObject,
  readDocument,
  type JsonObject,
} from "../../../hub/domain/document.ts";
import {
  repositoryFactKey,
  type ClusterFact,
  type Facts,
  type RepositoryFact,
} from "../../../hub/domain/facts.ts";
import {
  generateDocuments,
  generateParams,
  neededRepositories,
  templateStructure,
  withDefaultFinalizer,
} from "../../../hub/domain/generate.ts";
import type { GeneratorContext } from "../../../hub/domain/generators/context.ts";
import { combine, interpolated } from "../../../hub/domain/generators/matrix.ts";
import { requeueSeconds, smallest } from "../../../hub/domain/generators/index.ts";
import { setsByMergeKey } from "../../../hub/domain/generators/merge.ts";
import { withValues } from "../../../hub/domain/generators/values.ts";
import { overriddenTemplate } from "../../../hub/domain/override-template.ts";
import type { Params } from "../../../hub/domain/params.ts";
import { problem, type ProblemDraft } from "../../../hub/domain/problem.ts";
import { compileDocument, Templates } from "../../../hub/domain/render-template.ts";
import { patchedApplication } from "../../../hub/domain/template-patch.ts";
import { compareBytes, goValueOf, jsonOf } from "../../../hub/domain/template/value.ts";
import { generateNeeds as needs } from "./builders.ts";

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
  | { readonly kind: "failed"; readonly difference: string }
  /** It needs something that is refused as not supported yet. */
  | { readonly kind: "later"; readonly because: string };

export function judge(one: ConformanceCase, paramSets: JsonObject): Verdict {
  const runner = runners.get(one.kind);
  if (runner === undefined) return { kind: "later", because: `kind ${one.kind}` };
  const outcome = runner(one, paramSets);
  if (!outcome.ok) {
    const { message } = outcome.problem;
    const unsupported = /not supported( yet|:)/.exec(message);
    if (unsupported !== null) return { kind: "later", because: message.slice(0, 100) };
    return compareError(one, message);
  }
  if (field(one.expected, "error") !== undefined)
    return failed(`expected the error ${text(one.expected, "error")}, got ${show(outcome.value)}`);
  return outcome.value;
}

type Outcome = Result<Verdict, ProblemDraft>;

const runners: ReadonlyMap<string, (one: ConformanceCase, paramSets: JsonObject) => Outcome> =
  new Map([
    ["params", runParams],
    ["generate", runGenerate],
    ["replace", runReplace],
    ["renderTemplate", runRenderTemplate],
    ["renderApp", runRenderApp],
    ["renderGenerator", runRenderGenerator],
    ["mergeTemplates", runMergeTemplates],
    ["mergeKeys", runMergeKeys],
    ["combineStringMaps", runCombine],
    ["appendValues", runValues],
    ["templatePatch", runPatch],
    ["unknownGenerators", runUnknown],
    ["requeueAfter", runRequeue],
  ]);

function runParams(one: ConformanceCase): Outcome {
  const set = setOf(one);
  if (!set.ok) return set;
  const made = generateParams(set.value, factsOf(one, set.value), needs);
  if (!made.ok) return made;
  const got = made.value.map((params) => paramsJson(params));
  return ok(compareLists(one, "params", got));
}

function runGenerate(one: ConformanceCase): Outcome {
  const set = setOf(one);
  if (!set.ok) return set;
  const made = generateDocuments(set.value, factsOf(one, set.value), needs);
  if (!made.ok) return made;
  return ok(compareLists(one, "applications", made.value.map(bareApplication)));
}

function runReplace(one: ConformanceCase, paramSets: JsonObject): Outcome {
  const reference = field(one.input, "paramsRef");
  const given =
    typeof reference === "string" ? field(paramSets, reference) : field(one.input, "params");
  const params = paramsOf(given);
  const template = text(one.input, "template");
  if (params.size === 0 && field(one.input, "emptyParamsSkipRendering") === true)
    return ok(compareValue(one, "result", template));
  const rendered = templatesOf(one).render(template, params);
  return rendered.ok ? ok(compareValue(one, "result", rendered.value)) : rendered;
}

function runRenderTemplate(one: ConformanceCase): Outcome {
  const render = compileDocument(field(one.input, "template") ?? null, templatesOf(one));
  const made: Json[] = [];
  for (const params of list(one.input, "params")) {
    const document = render(paramsOf(params));
    if (!document.ok) return document;
    made.push(document.value);
  }
  return ok(compareValue(one, "applications", made));
}

function runRenderApp(one: ConformanceCase): Outcome {
  const policy = field(one.input, "syncPolicy");
  const preserve = isObject(policy) && field(policy, "preserveResourcesOnDeletion") === true;
  const structure = templateStructure(object(one.input, "app"));
  const made = compileDocument(structure, templatesOf(one))(paramsOf(field(one.input, "params")));
  if (!made.ok) return made;
  const document = withDefaultFinalizer(isObject(made.value) ? made.value : {}, {
    preserveResourcesOnDeletion: preserve,
  });
  const metadata = object(document, "metadata");
  const helm = object(object(object(document, "spec"), "source"), "helm");
  for (const [key, got] of [
    ["finalizers", field(metadata, "finalizers") ?? []],
    ["annotations", field(metadata, "annotations")],
    ["valuesObject", field(helm, "valuesObject")],
  ] as const) {
    if (field(one.expected, key) === undefined) continue;
    const verdict = compareValue(one, key, got ?? null);
    if (verdict.kind !== "passed") return ok(verdict);
  }
  return ok({ kind: "passed" });
}

function runRenderGenerator(one: ConformanceCase): Outcome {
  const generator = object(one.input, "generator");
  const params = paramsOf(field(one.input, "params"));
  const context = contextOf(one);
  const made = emptyObject();
  for (const key of Object.keys(generator)) {
    const body = object(generator, key);
    const rendered = params.size === 0 ? ok<JsonObject>(body) : interpolated(body, params, context);
    if (!rendered.ok) return rendered;
    made[key] = rendered.value;
  }
  for (const [key, kind] of [
    ["clustersValues", "clusters"],
    ["gitValues", "git"],
  ] as const) {
    if (field(one.expected, key) !== undefined)
      return ok(compareValue(one, key, field(object(made, kind), "values") ?? null));
  }
  return ok(compareValue(one, "generator", made));
}

function runMergeTemplates(one: ConformanceCase): Outcome {
  const merged = overriddenTemplate(
    object(one.input, "generatorTemplate"),
    object(one.input, "specTemplate"),
  );
  return ok(compareValue(one, "template", merged));
}

function runMergeKeys(one: ConformanceCase): Outcome {
  const keys = list(one.input, "mergeKeys").map(String);
  const made = setsByMergeKey(list(one.input, "paramSets").map(paramsOf), keys);
  if (!made.ok) return made;
  const got = emptyObject();
  for (const [key, params] of made.value) got[key] = paramsJson(params);
  return ok(compareValue(one, "paramSetsByKey", got));
}

function runCombine(one: ConformanceCase): Outcome {
  const made = combine(paramsOf(field(one.input, "a")), paramsOf(field(one.input, "b")), false);
  return made.ok ? ok(compareValue(one, "result", paramsJson(made.value))) : made;
}

function runValues(one: ConformanceCase): Outcome {
  const values = object(one.input, "values") as Readonly<Record<string, string>>;
  const made = withValues([paramsOf(field(one.input, "params"))], values, templatesOf(one));
  return made.ok ? ok(compareValue(one, "params", paramsJson(made.value[0] ?? new Map()))) : made;
}

function runPatch(one: ConformanceCase): Outcome {
  const made = patchedApplication(
    object(one.input, "app"),
    text(one.input, "templatePatch"),
    needs,
  );
  return made.ok ? ok(compareValue(one, "app", made.value)) : made;
}

function runUnknown(one: ConformanceCase): Outcome {
  const set = applicationSetOf(object(one.input, "applicationset"));
  const message = set.ok ? "" : set.problem.message;
  // An entry whose name the API server dropped is refused in other words, and refused all the same.
  const refused = /unrecognized generators|names no generator/.test(message);
  const invalid = field(one.expected, "message") !== undefined;
  if (refused !== (invalid || field(one.expected, "hasInvalid") === true))
    return ok(failed(`expected hasInvalid ${show(field(one.expected, "hasInvalid"))}: ${message}`));
  const named = /generators: (.*)$/.exec(text(one.expected, "message"))?.[1]?.split(", ") ?? [];
  const wanted = [...list(one.expected, "names"), ...named];
  const missing = wanted.filter((name) => typeof name === "string" && !message.includes(name));
  return ok(
    missing.length === 0 ? { kind: "passed" } : failed(`${show(missing)} not in ${message}`),
  );
}

function runRequeue(one: ConformanceCase): Outcome {
  const spec = object(object(one.input, "applicationset"), "spec");
  const entries = readEntries(list(spec, "generators"), "spec.generators", [], new Set());
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  const [, amount, unit] =
    /^([0-9]+)([smh])$/.exec(text(one.input, "defaultRequeueAfterEnv")) ?? [];
  const gitSeconds = amount === undefined ? 180 : Number(amount) * (units[unit ?? "s"] ?? 1);
  const seconds = smallest(
    entries.flatMap(({ generators }) =>
      generators.map((it) => requeueSeconds(it, { gitSeconds, remoteSeconds: 1800 })),
    ),
  );
  return ok(compareValue(one, "seconds", seconds));
}

function setOf(one: ConformanceCase): Result<ApplicationSet, ProblemDraft> {
  return applicationSetOf(object(one.input, "applicationset"));
}

function factsOf(one: ConformanceCase, set: ApplicationSet): Facts {
  const clusters = list(one.input, "clusters")
    .filter(isObject)
    .map((cluster): ClusterFact => ({
      // The corpus has names and ids of Argo CD's clusters, which need not be DNS labels.
      id: text(cluster, "name") as ClusterId,
      name: text(cluster, "name") as ClusterName,
      server: text(cluster, "server"),
      labels: object(cluster, "labels") as Readonly<Record<string, string>>,
      annotations: object(cluster, "annotations") as Readonly<Record<string, string>>,
      project: text(cluster, "project"),
    }))
    .toSorted((a, b) => compareBytes(a.name, b.name));
  let facts: Facts = { clusters, repositories: new Map(), localCluster: true };
  // As the loop does it: ask, gather, and ask again with what was found.
  for (let round = 0; round < 5; round += 1) {
    const repositories = new Map(facts.repositories);
    for (const { repoURL, revision } of neededRepositories(set, facts, needs)) {
      const found = list(one.input, "git")
        .filter(isObject)
        .find((repository) => text(repository, "url") === repoURL);
      if (found !== undefined)
        repositories.set(repositoryFactKey(repoURL, revision), repositoryOf(found, revision));
    }
    if (repositories.size === facts.repositories.size) break;
    facts = { ...facts, repositories };
  }
  return facts;
}

function repositoryOf(repository: JsonObject, revision: string): RepositoryFact {
  const given = field(repository, "directories");
  const directories = new Set<string>(isList(given) ? given.map(String) : []);
  for (const file of Object.keys(object(repository, "files"))) {
    const segments = file.split("/").slice(0, -1);
    segments.forEach((_, index) => directories.add(segments.slice(0, index + 1).join("/")));
  }
  return {
    repoURL: text(repository, "url"),
    revision,
    commit: "0".repeat(40),
    directories: [...directories]
      .filter((path) => !path.split("/").some((segment) => segment.startsWith(".")))
      .toSorted(compareBytes),
  };
}

function templatesOf(one: ConformanceCase): Templates {
  const options = list(one.input, "goTemplateOptions").map(String);
  const missing = options.find((option) => option.startsWith("missingkey="))?.slice(11);
  const missingKey: MissingKey = missing === "error" || missing === "zero" ? missing : "default";
  return new Templates({ goTemplate: one.mode === "gotemplate", missingKey }, needs);
}

const contextOf = (one: ConformanceCase): GeneratorContext => ({
  facts: { clusters: [], repositories: new Map() },
  templates: templatesOf(one),
  needs,
  wants: () => {},
});

function paramsOf(value: Json | undefined): Params {
  const params = goValueOf(value ?? null);
  return params instanceof Map ? params : new Map();
}

const paramsJson = (params: Params): Json => jsonOf(params);

/** Upstream's Applications have no apiVersion and kind before they are written. */
function bareApplication(document: JsonObject): Json {
  const bare = emptyObject();
  for (const key of Object.keys(document))
    if (key !== "apiVersion" && key !== "kind") bare[key] = field(document, key) ?? null;
  return bare;
}

function compareLists(one: ConformanceCase, key: string, got: readonly Json[]): Verdict {
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

function compareValue(one: ConformanceCase, key: string, got: Json): Verdict {
  const expected = field(one.expected, key) ?? null;
  const [a, b] = [canonicalJson(expected), canonicalJson(got)];
  return a === b ? { kind: "passed" } : failed(`expected\n${a}\ngot\n${b}`);
}

function compareError(one: ConformanceCase, message: string): Verdict {
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

const failed = (difference: string): Verdict => ({ kind: "failed", difference });

const show = (value: unknown): string => JSON.stringify(value) ?? "undefined";

const text = (from: JsonObject, key: string): string => {
  const value = field(from, key);
  return typeof value === "string" ? value : "";
};

const list = (from: JsonObject, key: string): readonly Json[] => {
  const value = field(from, key);
  return isList(value) ? value : [];
};

const object = (from: JsonObject, key: string): JsonObject => {
  const value = field(from, key);
  return isObject(value) ? value : emptyObject();
};

/** A corpus file as values without prototypes. Throws when it is not what the format says. */
export function readCorpus(content: string): {
  readonly cases: readonly ConformanceCase[];
  readonly paramSets: JsonObject;
} {
  const read = readDocument(JSON.parse(content));
  if (!read.ok || !isObject(read.value)) throw new TypeError(`corpus file: ${show(problem)}`);
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
