import { ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import {
  applicationSetOf,
  readEntries,
  type ApplicationSet,
  type MissingKey,
} from "../../hub/domain/application-set.ts";
import {
  emptyObject,
  field,
  isList,
  isObject,
  type JsonObject,
} from "../../hub/domain/document.ts";
import {
  repositoryFactKey,
  type ClusterFact,
  type Facts,
  type RepositoryFact,
  type RepositoryNeed,
} from "../../hub/domain/facts.ts";
import { neededRepositories } from "../../hub/domain/generate.ts";
import type { GeneratorContext } from "../../hub/domain/generators/context.ts";
import { requeueSeconds, smallest } from "../../hub/domain/generators/index.ts";
import { compileGenerator } from "../../hub/domain/generators/interpolate.ts";
import { textPairs } from "../../hub/domain/generators/matrix.ts";
import { setsByMergeKey } from "../../hub/domain/generators/merge.ts";
import { withValues } from "../../hub/domain/generators/values.ts";
import { overriddenTemplate } from "../../hub/domain/override-template.ts";
import type { Params } from "../../hub/domain/params.ts";
import type { ProblemDraft } from "../../hub/domain/problem.ts";
import type { Labels } from "../../hub/domain/records.ts";
import type { HostedRepository, RemoteFact } from "../../hub/domain/remote-facts.ts";
import { templateStructure, withDefaultFinalizer } from "../../hub/domain/application-template.ts";
import { compileDocument, Templates } from "../../hub/domain/render-template.ts";
import { inWalkOrder } from "../../hub/domain/patterns/walk-order.ts";
import { patchedApplication } from "../../hub/domain/template-patch.ts";
import { compareBytes, goValueOf, jsonOf } from "../../hub/domain/template/value.ts";
import { generateNeeds as needs } from "../hub/domain/builders.ts";
import { generateDocuments, generateParams } from "../hub/domain/strict-generation.ts";
import {
  compareLists,
  compareValue,
  failed,
  list,
  object,
  show,
  text,
  type ConformanceCase,
  type Outcome,
  type Runner,
} from "./case.ts";

/** Cases about what a set generates. */
export const generationRunners: readonly (readonly [kind: string, run: Runner])[] = [
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
];

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
  for (const kind of Object.keys(generator)) {
    const body = object(generator, kind);
    const rendered =
      params.size === 0 ? ok(body) : compileGenerator({ kind, body }, context)(params);
    if (!rendered.ok) return rendered;
    made[kind] = rendered.value;
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
  const made = textPairs([paramsOf(field(one.input, "b"))])(paramsOf(field(one.input, "a")))(0);
  return made.ok ? ok(compareValue(one, "result", paramsJson(made.value))) : made;
}

function runValues(one: ConformanceCase): Outcome {
  const values = object(one.input, "values") as Readonly<Record<string, string>>;
  const made = withValues([paramsOf(field(one.input, "params"))], values, {
    templates: templatesOf(one),
    spare: undefined,
  });
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

export function setOf(one: ConformanceCase): Result<ApplicationSet, ProblemDraft> {
  return applicationSetOf(object(one.input, "applicationset"));
}

function factsOf(one: ConformanceCase, set: ApplicationSet): Facts {
  // Argo CD may have a cluster twice; whoever gathers facts takes one of each name, and here the last.
  const named = list(one.input, "clusters").filter(isObject).map(clusterOf);
  const clusters = [...new Map(named.map((cluster) => [cluster.name, cluster])).values()].toSorted(
    (a, b) => compareBytes(a.name, b.name),
  );
  let facts: Facts = {
    clusters,
    repositories: new Map(),
    localCluster: true,
    fileDialect: field(one.input, "newGitFileGlobbing") === true ? "doublestar" : "pathspec",
    remote: new Answered(one),
  };
  // As the loop does it: ask, gather, and ask again with what was found.
  for (let round = 0; round < 10; round += 1) {
    const repositories = new Map(facts.repositories);
    const unreadable = new Map(facts.unreadable);
    const wanted = neededRepositories(set, facts, needs);
    if (wanted.length === 0) break;
    for (const need of wanted) {
      const key = repositoryFactKey(need.repoURL, need.revision);
      const found = list(one.input, "git")
        .filter(isObject)
        .find((repository) => text(repository, "url") === need.repoURL);
      const error = found === undefined ? "there is none" : text(found, "error");
      if (found === undefined || error !== "") unreadable.set(key, error);
      else repositories.set(key, repositoryOf(found, need));
    }
    facts = { ...facts, repositories, unreadable };
  }
  return facts;
}

/** The corpus has names and ids of Argo CD's clusters, which need not be DNS labels. */
export const clusterOf = (cluster: JsonObject): ClusterFact => ({
  id: text(cluster, "name") as ClusterId,
  name: text(cluster, "name") as ClusterName,
  server: text(cluster, "server"),
  labels: object(cluster, "labels") as Readonly<Record<string, string>>,
  annotations: object(cluster, "annotations") as Readonly<Record<string, string>>,
  project: text(cluster, "project"),
});

function repositoryOf(repository: JsonObject, need: RepositoryNeed): RepositoryFact {
  const given = field(repository, "directories");
  const files = object(repository, "files");
  const directories = new Set<string>();
  for (const file of Object.keys(files)) {
    const segments = file.split("/").slice(0, -1);
    segments.forEach((_, index) => directories.add(segments.slice(0, index + 1).join("/")));
  }
  return {
    repoURL: need.repoURL,
    revision: need.revision,
    commit: "0".repeat(40),
    // A list of them is what the walk gave.
    directories: isList(given)
      ? given.map(String)
      : inWalkOrder([...directories]).filter(
          (path) => !path.split("/").some((segment) => segment.startsWith(".")),
        ),
    files: Object.keys(files).toSorted(compareBytes),
    documents: new Map(need.reads.map((path) => [path, needs.decodeYaml(text(files, path))])),
  };
}

/** Whatever a generator asks of a service, a case has one answer to it. */
class Answered extends Map<string, RemoteFact> {
  readonly #one: ConformanceCase;

  constructor(one: ConformanceCase) {
    super();
    this.#one = one;
  }

  override get(key: string): RemoteFact | undefined {
    const { input } = this.#one;
    switch (key.slice(0, key.indexOf(" "))) {
      case "scmProvider":
        return {
          kind: "repositories",
          repositories: list(input, "repos").filter(isObject).map(hostedRepository),
        };
      case "pullRequest":
        return pullsOf(input);
      case "clusterDecisionResource": {
        const { configMapRef } = JSON.parse(key.slice(key.indexOf(" ") + 1)) as {
          configMapRef?: string;
        };
        return {
          kind: "decisions",
          configMap: field(object(input, "configMaps"), configMapRef ?? "") as Labels | undefined,
          resources: list(input, "resources").filter(isObject),
        };
      }
      case "plugin":
        return pluginAnswer(input);
      default:
        return undefined;
    }
  }
}

const hostedRepository = (repository: JsonObject): HostedRepository => ({
  organization: text(repository, "organization"),
  repository: text(repository, "repository"),
  url: text(repository, "url"),
  branch: text(repository, "branch"),
  sha: text(repository, "sha"),
  labels: list(repository, "labels").map(String),
  repositoryId: field(repository, "repositoryId") ?? null,
  paths: list(repository, "paths").map(String),
});

function pullsOf(input: JsonObject): RemoteFact {
  const error = field(input, "pullsError");
  if (isObject(error))
    return {
      kind: "failed",
      message: text(error, "message"),
      isMissing: field(error, "repositoryNotFound") === true,
    };
  const pulls = list(input, "pulls").filter(isObject);
  return {
    kind: "pull-requests",
    pulls: pulls.map((pull) => {
      const labels = field(pull, "labels");
      return {
        number: Number(field(pull, "number")),
        title: text(pull, "title"),
        branch: text(pull, "branch"),
        targetBranch: text(pull, "targetBranch"),
        headSha: text(pull, "headSHA"),
        labels: isList(labels) ? labels.map(String) : undefined,
        author: text(pull, "author"),
      };
    }),
  };
}

function pluginAnswer(input: JsonObject): RemoteFact {
  const http = field(input, "pluginHTTP");
  if (http === undefined)
    // Only what it answers is given: what leads there is as it should be.
    return {
      kind: "plugin",
      configMap: { baseUrl: "http://127.0.0.1", token: "$token" },
      secrets: new Map([["argocd-secret", { token: "t" }]]),
      response: {
        status: 200,
        body: JSON.stringify({ output: { parameters: list(input, "pluginOutput") } }),
      },
    };
  const configMap = field(input, "pluginConfigMap");
  const secret = object(input, "pluginSecret") as Labels;
  const token = isObject(configMap) ? text(configMap, "token") : "";
  const [name] = token.includes(":") ? token.slice(1).split(":") : ["argocd-secret"];
  return {
    kind: "plugin",
    configMap: isObject(configMap) ? (configMap as Labels) : undefined,
    secrets: new Map(Object.keys(secret).length === 0 ? [] : [[name ?? "", secret]]),
    response: isObject(http)
      ? { status: Number(field(http, "status")), body: text(http, "body") }
      : undefined,
  };
}

function templatesOf(one: ConformanceCase): Templates {
  const options = list(one.input, "goTemplateOptions").map(String);
  const missing = options.find((option) => option.startsWith("missingkey="))?.slice(11);
  const missingKey: MissingKey = missing === "error" || missing === "zero" ? missing : "default";
  return new Templates({ goTemplate: one.mode === "gotemplate", missingKey }, needs);
}

const contextOf = (one: ConformanceCase): GeneratorContext => ({
  set: "set",
  facts: { clusters: [], repositories: new Map() },
  templates: templatesOf(one),
  needs,
  wants: () => {},
  spare: undefined,
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
