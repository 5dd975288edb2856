import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Application } from "./application.ts";
import type { Json } from "../../proto/words/digest.ts";
import {
  readDestinationServiceAccount,
  type DestinationServiceAccount,
} from "./destination-service-account.ts";
import { FieldReader, isObject, readDocument, type JsonObject } from "./document.ts";
import type { ClusterFact } from "./facts.ts";
import { anyGlob } from "./patterns/glob.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { withoutTrailingSlashes } from "./trailing-slashes.ts";

export type GroupKind = { readonly group: string; readonly kind: string };

/** Limits on where applications come from, where they go and what they hold; as in Argo CD. */
export type AppProject = {
  readonly name: string;
  readonly sourceRepos: readonly string[];
  readonly destinations: readonly {
    readonly name: string;
    readonly server: string;
    readonly namespace: string;
  }[];
  /** `undefined`: not written, which means none for cluster kinds and all for namespaced ones. */
  readonly clusterResourceWhitelist: readonly GroupKind[] | undefined;
  readonly clusterResourceBlacklist: readonly GroupKind[];
  readonly namespaceResourceWhitelist: readonly GroupKind[] | undefined;
  readonly namespaceResourceBlacklist: readonly GroupKind[];
  /** `undefined`: not written, so applications are looked after with the spoke's own rights. */
  readonly destinationServiceAccounts: readonly DestinationServiceAccount[] | undefined;
  readonly document: JsonObject;
};

/** The project of applications that name none. It exists though nobody wrote it, and allows everything. */
export const defaultProject: AppProject = {
  name: "default",
  sourceRepos: ["*"],
  destinations: [{ name: "*", server: "*", namespace: "*" }],
  clusterResourceWhitelist: [{ group: "*", kind: "*" }],
  clusterResourceBlacklist: [],
  namespaceResourceWhitelist: undefined,
  namespaceResourceBlacklist: [],
  destinationServiceAccounts: undefined,
  document: {},
};

export function parseAppProject(document: unknown): Result<AppProject, ProblemDraft> {
  const read = readDocument(document);
  if (!read.ok) return fail(problem(codes.badProject, `project: ${read.problem}`));
  if (!isObject(read.value))
    return fail(problem(codes.badProject, "an AppProject must be a mapping"));
  const fields = new FieldReader(read.value, "");
  const name = fields.inside("metadata").text("name");
  if (name === "") fields.complain("metadata.name", "is missing");
  const spec = fields.inside("spec");
  const project: AppProject = {
    name,
    sourceRepos: spec.texts("sourceRepos"),
    destinations: objects(spec, "destinations").map((item) => ({
      name: item.text("name"),
      server: item.text("server"),
      namespace: item.text("namespace"),
    })),
    clusterResourceWhitelist: groupKinds(spec, "clusterResourceWhitelist"),
    clusterResourceBlacklist: groupKinds(spec, "clusterResourceBlacklist") ?? [],
    namespaceResourceWhitelist: groupKinds(spec, "namespaceResourceWhitelist"),
    namespaceResourceBlacklist: groupKinds(spec, "namespaceResourceBlacklist") ?? [],
    destinationServiceAccounts: spec.has("destinationServiceAccounts")
      ? objects(spec, "destinationServiceAccounts").map(readDestinationServiceAccount)
      : undefined,
    document: read.value,
  };
  if (fields.problems.length === 0) return ok(project);
  return fail(
    problem(
      codes.badProject,
      `project ${name === "" ? "without a name" : name}: ${fields.problems.join("; ")}`,
    ),
  );
}

function groupKinds(spec: FieldReader, key: string): readonly GroupKind[] | undefined {
  if (!spec.has(key)) return undefined;
  return objects(spec, key).map((item) => ({ group: item.text("group"), kind: item.text("kind") }));
}

const objects = (spec: FieldReader, key: string): readonly FieldReader[] =>
  spec.list(key).flatMap((item: Json, index) => {
    if (isObject(item))
      return [new FieldReader(item, `${spec.path(key)}[${index}]`, spec.problems)];
    spec.complain(`${key}[${index}]`, "must be a mapping");
    return [];
  });

/** Whether the project lets the application come from its source and go to its destination. */
export function projectAllows(
  project: AppProject,
  application: Application,
  cluster: ClusterFact,
): Result<undefined, ProblemDraft> {
  if (!sourcePermitted(project, application.source.repoURL))
    return fail(
      problem(
        codes.sourceNotPermitted,
        `project ${project.name} does not permit the repository ${JSON.stringify(application.source.repoURL)} (spec.sourceRepos)`,
      ),
    );
  const { namespace } = application.destination;
  if (!destinationPermitted(project, { name: cluster.name, server: cluster.server, namespace }))
    return fail(
      problem(
        codes.destinationNotPermitted,
        `project ${project.name} does not permit cluster ${cluster.name} with namespace ${JSON.stringify(namespace)} (spec.destinations)`,
      ),
    );
  return ok(undefined);
}

// A pattern that begins with "!" denies what the rest of it matches. As in Argo CD it also admits
// everything else, so a list of denials alone is an open door.

function sourcePermitted(project: AppProject, repoURL: string): boolean {
  const url = normalizedRepository(repoURL);
  let permitted = false;
  for (const pattern of project.sourceRepos) {
    const denial = pattern.startsWith("!");
    const normalized = normalizedRepository(denial ? pattern.slice(1) : pattern);
    const matches = pattern === "*" || anyGlob(normalized, url, "/");
    if (matches !== denial) permitted = true;
    else if (denial) return false;
  }
  return permitted;
}

function destinationPermitted(
  project: AppProject,
  destination: { readonly name: string; readonly server: string; readonly namespace: string },
): boolean {
  let permitted = false;
  for (const item of project.destinations) {
    const name = globAllows(item.name, destination.name);
    const server = globAllows(item.server, destination.server);
    const namespace = globAllows(item.namespace, destination.namespace);
    if ((name || server) && namespace) permitted = true;
    else if (namespace && ((!name && isDenial(item.name)) || (!server && isDenial(item.server))))
      return false;
    else if (!namespace && isDenial(item.namespace) && (name || server)) return false;
  }
  return permitted;
}

const isDenial = (pattern: string): boolean => pattern.startsWith("!");

const globAllows = (pattern: string, value: string): boolean =>
  isDenial(pattern)
    ? !anyGlob(pattern.slice(1), value, "")
    : pattern === "*" || anyGlob(pattern, value, "");

/** One spelling for the ways to write the same repository: no `.git`, no user, `ssh://` for `user@host:path`. */
export function normalizedRepository(url: string): string {
  const trimmed = url.trim().toLowerCase();
  const scp = /^(?:[^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(trimmed);
  const full = scp === null || trimmed.includes("://") ? trimmed : `ssh://${scp[1]}/${scp[2]}`;
  const withoutUser = full.replace(/^([a-z+]+:\/\/)[^@/]+@/, "$1");
  return withoutTrailingSlashes(withoutUser).replace(/\.git$/, "");
}
