import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { defaultProject, parseAppProject, projectAllows, type AppProject } from "../app-project.ts";
import { applicationOf } from "../application.ts";
import { applicationSetOf, type ApplicationSet } from "../application-set.ts";
import { defaultServer } from "../default-server.ts";
import { field, isList, isObject, type JsonObject } from "../document.ts";
import type { ClusterFact } from "../facts.ts";
import { localClusterName, localServer } from "../generators/clusters.ts";
import type { Labels } from "../records.ts";
import {
  clusterNameHere,
  localCluster,
  secretTypeLabel,
  type ArgoCluster,
} from "./cluster-secret.ts";
import type { Exported, ExportedApplication } from "./exported.ts";
import { withoutUserInfo, type Finding } from "./finding.ts";
import {
  applicationDifferences,
  generatorsOf,
  objectIn,
  projectDifferences,
  setDifferences,
} from "./unsupported.ts";

/** What becomes of an export: files of a fleet repository, clusters to add, and what there is to say. */
export type ImportPlan = {
  /** By path, from the top of the repository. */
  readonly files: readonly { readonly path: string; readonly document: JsonObject }[];
  /** As the hub will know them. */
  readonly clusters: readonly ClusterFact[];
  /** Sets that can be read, each with the Applications that Argo CD made of it. */
  readonly sets: readonly {
    readonly set: ApplicationSet;
    readonly applications: readonly ExportedApplication[];
  }[];
  readonly standalone: readonly string[];
  readonly projects: readonly string[];
  readonly findings: readonly Finding[];
};

/** Decides what an export becomes. Sets are carried over as they are; what they made is not written again. */
export function planImport(exported: Exported): ImportPlan {
  const findings: Finding[] = [...exported.findings];
  const sets = readSets(exported, findings);
  const known = new Set(exported.sets.map(({ name }) => name));
  const standalone = exported.applications.filter(({ set }) => set === undefined);
  for (const { name, set } of exported.applications)
    if (set !== undefined && !known.has(set))
      findings.push({
        verdict: "left-out",
        kind: "Application",
        name,
        reason: `ApplicationSet ${set} made it and is not in the export`,
      });
  const clusters = clustersHere(
    exported,
    sets.map(({ set }) => set),
    findings,
  );
  addApplicationFindings(exported, clusters, findings);
  if (exported.clusters.length === 0 && exported.sets.length + exported.applications.length > 0)
    findings.push({
      verdict: "to-do",
      kind: "Cluster",
      name: "every cluster",
      reason: `no cluster is in the export; add their Secrets to it, which kubectl get secrets -l ${secretTypeLabel}=cluster gives, or read the namespace itself`,
    });
  for (const { name, document } of exported.projects)
    for (const reason of projectDifferences(document))
      findings.push({ verdict: "differs", kind: "AppProject", name, reason });
  findings.push(...repositoryFindings(exported));
  const filesOf = (folder: string, objects: Exported["sets"]): ImportPlan["files"] =>
    objects.map(({ name, document }) => ({ path: `fleet/${folder}/${name}.yaml`, document }));
  return {
    files: [
      ...filesOf("projects", exported.projects),
      ...filesOf("sets", exported.sets),
      ...filesOf("applications", standalone),
    ],
    clusters: clusters.facts,
    sets,
    standalone: standalone.map(({ name }) => name),
    projects: exported.projects.map(({ name }) => name),
    findings,
  };
}

function readSets(exported: Exported, findings: Finding[]): ImportPlan["sets"] {
  return exported.sets.flatMap(({ name, document }) => {
    const set = applicationSetOf(document);
    if (set.ok) {
      findings.push(...setDifferences(set.value));
      return [
        { set: set.value, applications: exported.applications.filter((one) => one.set === name) },
      ];
    }
    findings.push({
      verdict: "differs",
      kind: "ApplicationSet",
      name,
      reason: `it is written, and refused by the hub: ${set.problem.message}`,
    });
    return [];
  });
}

function addApplicationFindings(
  exported: Exported,
  clusters: ClustersHere,
  findings: Finding[],
): void {
  const projects = projectsOf(exported);
  const bySet = new Map<string, Map<string, number>>();
  for (const { name, set, parent, document } of exported.applications) {
    const reasons = [
      ...applicationDifferences(document),
      ...placeDifferences(document, clusters, projects),
    ];
    if (parent !== undefined && set === undefined)
      findings.push({
        verdict: "note",
        kind: "Application",
        name,
        reason: `Application ${parent} made it (an app of apps); it is written on its own, so take its manifest out of what ${parent} deploys`,
      });
    for (const reason of reasons) {
      if (set === undefined)
        findings.push({ verdict: "differs", kind: "Application", name, reason });
      else {
        const counts = bySet.get(set) ?? new Map<string, number>();
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
        bySet.set(set, counts);
      }
    }
  }
  // The same for each of a set's Applications, so said once.
  for (const [set, counts] of bySet)
    for (const [reason, count] of counts)
      findings.push({
        verdict: "differs",
        kind: "ApplicationSet",
        name: set,
        reason: `${count} of its Applications: ${reason}`,
      });
}

/** Why an Application may not go here where it goes in Argo CD. */
function placeDifferences(
  document: JsonObject,
  { facts, renamed }: ClustersHere,
  projects: ReadonlyMap<string, AppProject>,
): readonly string[] {
  const read = applicationOf(document);
  if (!read.ok) return [];
  const { destination, project: projectName } = read.value;
  const { name, server } = destination;
  const newName = renamed.get(name);
  if (newName !== undefined)
    return [`its destination names cluster ${name}, which is called ${newName} here; write that`];
  const project = projects.get(projectName);
  if (project === undefined) return [`its project ${projectName} is not in the export`];
  // Where no cluster came along, that is said once.
  if (facts.length === 0 || (name === "") === (server === "")) return [];
  const cluster = facts.find((fact) => (name === "" ? fact.server === server : fact.name === name));
  if (cluster === undefined)
    return [`its destination, cluster ${name === "" ? server : name}, is not in the export`];
  const allowed = projectAllows(project, read.value, cluster);
  return allowed.ok ? [] : [allowed.problem.message];
}

function projectsOf(exported: Exported): ReadonlyMap<string, AppProject> {
  const projects = new Map([[defaultProject.name, defaultProject]]);
  for (const { name, document } of exported.projects) {
    const project = parseAppProject(document);
    if (project.ok) projects.set(name, project.value);
  }
  return projects;
}

type ClustersHere = {
  readonly facts: readonly ClusterFact[];
  /** Argo CD's name → the one here, where they differ. */
  readonly renamed: ReadonlyMap<string, string>;
};

function clustersHere(
  exported: Exported,
  sets: readonly ApplicationSet[],
  findings: Finding[],
): ClustersHere {
  const facts = new Map<string, ClusterFact>();
  const renamed = new Map<string, string>();
  const written = exported.sets.map(({ document }) => canonicalJson(document)).join("\n");
  const say = (verdict: Finding["verdict"], name: string, reason: string): void => {
    findings.push({ verdict, kind: "Cluster", name, reason });
  };
  const all = [...exported.clusters];
  if (!all.some(({ server }) => server === localServer) && needsLocal(exported, sets))
    all.push(localCluster);
  for (const cluster of all) {
    const name = clusterNameHere(cluster.name);
    if (name === undefined || facts.has(name)) {
      say(
        "left-out",
        cluster.name,
        name === undefined
          ? "no DNS label can be made of its name"
          : `another cluster has the name ${name} here already`,
      );
      continue;
    }
    if (name !== cluster.name) {
      renamed.set(cluster.name, name);
      say(
        "differs",
        cluster.name,
        `it is called ${name} here, since names of clusters are DNS labels; templates see that name`,
      );
    }
    if (cluster.project !== "")
      say(
        "differs",
        cluster.name,
        `it belongs to project ${cluster.project} in Argo CD; templates see no project here`,
      );
    if (cluster.server === "")
      say(
        "differs",
        cluster.name,
        "its server is not known, so destinations that name a server do not find it: add --server to its command",
      );
    const unwanted = Object.keys(cluster.annotations).filter((key) => !wants(written, key));
    if (unwanted.length > 0)
      say(
        "note",
        cluster.name,
        `annotations that no ApplicationSet mentions are left out: ${unwanted.join(", ")}`,
      );
    say("to-do", cluster.name, joinSentence(cluster));
    facts.set(name, {
      id: name as string as ClusterId,
      name,
      server: cluster.server === "" ? defaultServer(name) : cluster.server,
      labels: cluster.labels,
      annotations: without(cluster.annotations, unwanted),
    });
  }
  return { facts: [...facts.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)), renamed };
}

/**
 * Whether a set may look at an annotation. Argo CD's own mark goes along with the others, since a template that
 * reads any annotation counts on there being some.
 */
const wants = (written: string, key: string): boolean =>
  written.includes(key === "managed-by" ? "metadata.annotations" : key);

const joinSentence = ({ name }: ArgoCluster): string =>
  name === localClusterName
    ? "it is the cluster Argo CD runs in: add it, and run a spoke there like anywhere else"
    : "add it and run its spoke; nothing that opens it was read, and the hub needs nothing of the kind";

function without(map: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

/** Whether anything names the cluster that Argo CD runs in, or selects every cluster. */
function needsLocal(exported: Exported, sets: readonly ApplicationSet[]): boolean {
  const named = exported.applications.some(({ document }) => {
    const destination = objectIn(objectIn(document, "spec"), "destination");
    return (
      field(destination, "name") === localClusterName ||
      field(destination, "server") === localServer
    );
  });
  return (
    named ||
    sets.some((set) =>
      generatorsOf(set).some(({ kind, body }) => kind === "clusters" && selectsAll(body)),
    )
  );
}

function selectsAll(body: JsonObject): boolean {
  const selector = objectIn(body, "selector");
  const expressions = field(selector, "matchExpressions");
  return (
    Object.keys(objectIn(selector, "matchLabels")).length === 0 &&
    !(isList(expressions) && expressions.length > 0)
  );
}

/** Every repository that something reads, and what it takes that the hub can. */
function repositoryFindings(exported: Exported): readonly Finding[] {
  const urls = new Set<string>();
  for (const { document } of [...exported.sets, ...exported.applications])
    collectUrls(document, urls);
  return [...urls].toSorted().map((url): Finding => {
    const name = withoutUserInfo(url);
    const about = { kind: "Repository", name } as const;
    if (name !== url)
      return {
        verdict: "differs",
        ...about,
        reason:
          "its address has a user or password inside, which the hub refuses and which must not go into Git: take it out of the files that name it",
      };
    if (url.startsWith("ssh://") || /^[^/\s]+@[^/\s:]+:/.test(url))
      return {
        verdict: "differs",
        ...about,
        reason: "it is read over ssh, which is not supported yet: write its https address",
      };
    return {
      verdict: "to-do",
      ...about,
      reason:
        "unless everybody may read it, give the hub credentials for it (repositoryCredentials)",
    };
  });
}

function collectUrls(value: Json, urls: Set<string>): void {
  if (isList(value)) for (const item of value) collectUrls(item, urls);
  else if (isObject(value))
    for (const [key, inner] of Object.entries(value)) {
      // Charts come from elsewhere, and what a template makes is seen where it was made.
      if (key === "repoURL" && typeof inner === "string") {
        if (inner !== "" && !inner.includes("{{") && field(value, "chart") === undefined)
          urls.add(inner);
      } else collectUrls(inner, urls);
    }
}
