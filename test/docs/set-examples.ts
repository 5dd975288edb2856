import assert from "node:assert/strict";
import {
  emptyObject,
  field,
  isList,
  isObject,
  type JsonObject,
} from "../../hub/domain/document.ts";
import { repositoryFactKey, type Facts, type RepositoryFact } from "../../hub/domain/facts.ts";
import type { Labels } from "../../hub/domain/records.ts";
import type { HostedRepository, PullRequest, RemoteFact } from "../../hub/domain/remote-facts.ts";
import { compareBytes } from "../../hub/domain/template/value.ts";
import { parseOne } from "../../hub/git/yaml.ts";
import type { Json } from "../../proto/words/digest.ts";
import { clusterFact } from "../hub/domain/builders.ts";

/** A set of the page, what stands before it, and what stands after it. */
export type Example = {
  readonly title: string;
  readonly facts: Facts;
  readonly set: JsonObject;
  readonly before: readonly JsonObject[];
  /** `undefined`: the page does not say. */
  applications: readonly Json[] | undefined;
  steps: Json | undefined;
  /** Which go together, once the set is gone. */
  removals: Json | undefined;
  problem: string | undefined;
};

export function nameOf(document: Json): string {
  const metadata = isObject(document) ? field(document, "metadata") : undefined;
  const name = isObject(metadata) ? field(metadata, "name") : undefined;
  return typeof name === "string" ? name : "";
}

/** The sets of a page with what is written about them, in fences like `yaml set`. */
export function readExamples(text: string): readonly Example[] {
  const found: Example[] = [];
  let facts: Facts = { clusters: [], repositories: new Map() };
  let before: readonly JsonObject[] = [];
  let title = "";
  for (const [, heading, kind, body = ""] of text.matchAll(
    /^#+ (.+)$|^```(?:yaml|text) (\w+)\n([\s\S]*?)^```$/gm,
  )) {
    if (heading !== undefined) title = heading;
    const last = found.at(-1);
    switch (kind) {
      case "facts":
        facts = factsOf(yaml(body), facts);
        break;
      case "before":
        before = objects(yaml(body));
        break;
      case "set":
        found.push({
          title,
          facts,
          before,
          set: object(yaml(body)),
          applications: undefined,
          steps: undefined,
          removals: undefined,
          problem: undefined,
        });
        before = [];
        break;
      case "applications":
        if (last !== undefined) last.applications = objects(yaml(body));
        break;
      case "steps":
        if (last !== undefined) last.steps = yaml(body);
        break;
      case "removals":
        if (last !== undefined) last.removals = yaml(body);
        break;
      case "problem":
        if (last !== undefined) last.problem = body.trim();
        break;
      default:
    }
  }
  return found;
}

function yaml(text: string): Json {
  const read = parseOne(text);
  assert.ok(read.ok, read.ok ? "" : `${read.problem}\n${text}`);
  return read.value;
}

const object = (value: Json | undefined): JsonObject => (isObject(value) ? value : emptyObject());
const objects = (value: Json | undefined): readonly JsonObject[] =>
  isList(value) ? value.filter(isObject) : [];

/** What a `facts` block says: of clusters, of repositories, or what a service answers. */
function factsOf(written: Json, before: Facts): Facts {
  const all = object(written);
  const clusters = objects(field(all, "clusters")).map((cluster) => ({
    ...clusterFact(nameOf({ metadata: cluster }), labels(cluster, "labels")),
    annotations: labels(cluster, "annotations"),
  }));
  const repositories = Object.entries(object(field(all, "repositories"))).map(
    ([url, files]) => [repositoryFactKey(url, "main"), repositoryOf(url, object(files))] as const,
  );
  return {
    clusters: clusters.length === 0 ? before.clusters : clusters,
    repositories: repositories.length === 0 ? before.repositories : new Map(repositories),
    remote: new Answers(object(field(all, "answers"))),
  };
}

const labels = (cluster: JsonObject, key: string): Labels => object(field(cluster, key)) as Labels;

function repositoryOf(repoURL: string, files: JsonObject): RepositoryFact {
  const paths = Object.keys(files).toSorted(compareBytes);
  const directories = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    for (const index of parts.keys()) directories.add(parts.slice(0, index + 1).join("/"));
  }
  return {
    repoURL,
    revision: "main",
    commit: "c",
    directories: [...directories].toSorted(compareBytes),
    files: paths,
    documents: new Map(paths.map((path) => [path, parseOne(textOf(field(files, path)))])),
  };
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** Whatever a generator asks, its kind has one answer. */
class Answers extends Map<string, RemoteFact> {
  readonly #answers: JsonObject;

  constructor(answers: JsonObject) {
    super();
    this.#answers = answers;
  }

  override get(key: string): RemoteFact | undefined {
    const kind = key.slice(0, key.indexOf(" "));
    const answer = field(this.#answers, kind);
    switch (kind) {
      case "scmProvider":
        return { kind: "repositories", repositories: objects(answer).map(hosted) };
      case "pullRequest":
        return {
          kind: "pull-requests",
          pulls: objects(answer) as unknown as readonly PullRequest[],
        };
      case "clusterDecisionResource":
        return {
          kind: "decisions",
          configMap: object(field(object(answer), "configMap")) as Labels,
          resources: objects(field(object(answer), "resources")),
        };
      case "plugin":
        return {
          kind: "plugin",
          configMap: { baseUrl: "http://tenants.example", token: "$token" },
          secrets: new Map([["argocd-secret", { token: "t" }]]),
          response: {
            status: 200,
            body: JSON.stringify({ output: { parameters: objects(answer) } }),
          },
        };
      default:
        return undefined;
    }
  }
}

const hosted = (repository: JsonObject): HostedRepository =>
  ({ repositoryId: 1, paths: [], ...repository }) as unknown as HostedRepository;

/** Generators that a set names, those inside others too. */
export function generatorsIn(set: JsonObject): readonly string[] {
  const inEntries = (entries: Json | undefined): readonly string[] =>
    objects(entries).flatMap((entry) =>
      Object.entries(entry).flatMap(([kind, body]) => [
        kind,
        ...inEntries(field(object(body), "generators")),
      ]),
    );
  return inEntries(field(object(field(set, "spec")), "generators"));
}
