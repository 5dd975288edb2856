import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { parseApplicationName } from "../../../proto/words/ids.ts";
import {
  describe,
  emptyObject,
  field,
  isList,
  isObject,
  readDocument,
  type JsonObject,
} from "../document.ts";
import {
  appliedCopy,
  clusterOfSecret,
  secretTypeLabel,
  type ArgoCluster,
} from "./cluster-secret.ts";
import type { Finding } from "./finding.ts";

/** One document of an export. */
export type ExportedDocument = {
  /** For people: `applications.yaml (document 2)`. */
  readonly place: string;
  readonly value: unknown;
};

export type ExportedObject = {
  readonly name: string;
  readonly namespace: string;
  /** What its author wrote: without status and without what API server and tools keep in it. */
  readonly document: JsonObject;
};

export type ExportedApplication = ExportedObject & {
  /** The ApplicationSet that made it. */
  readonly set: string | undefined;
  /** The Application that made it (an app of apps). */
  readonly parent: string | undefined;
};

/** What an export of Argo CD holds, each kind by name, no name twice. */
export type Exported = {
  readonly sets: readonly ExportedObject[];
  readonly applications: readonly ExportedApplication[];
  readonly projects: readonly ExportedObject[];
  readonly clusters: readonly ArgoCluster[];
  readonly findings: readonly Finding[];
};

/** Sorts the documents of an export by what they are. Nothing of a Secret but a cluster's name is kept. */
export function readExport(documents: readonly ExportedDocument[]): Exported {
  const reader = new ExportReader();
  for (const { place, value } of documents) {
    if (value === null || value === undefined) continue;
    const read = readDocument(value);
    if (!read.ok) reader.leaveOut("File", place, read.problem);
    else if (isObject(read.value)) reader.add(read.value, place);
    else
      reader.leaveOut("File", place, `it is ${kindOfValue(read.value)}, not a Kubernetes object`);
  }
  return reader.whole();
}

// Never the value itself: this may be anything, a token too.
const kindOfValue = (value: Json): string =>
  isList(value) ? "a list" : typeof value === "string" ? "text" : `a ${typeof value}`;

type Kind = "ApplicationSet" | "Application" | "AppProject";

class ExportReader {
  readonly #sets = new Map<string, ExportedObject>();
  readonly #applications = new Map<string, ExportedApplication>();
  readonly #projects = new Map<string, ExportedObject>();
  readonly #clusters = new Map<string, ArgoCluster>();
  readonly #findings: Finding[] = [];

  leaveOut(kind: Finding["kind"], name: string, reason: string): void {
    this.#findings.push({ verdict: "left-out", kind, name, reason });
  }

  add(object: JsonObject, place: string): void {
    const kind = field(object, "kind");
    const items = field(object, "items");
    if (
      isList(items) &&
      (kind === undefined || (typeof kind === "string" && kind.endsWith("List")))
    ) {
      for (const [index, item] of items.entries())
        if (isObject(item)) this.add(withKindOfList(item, kind), `${place}, item ${index + 1}`);
      return;
    }
    const apiVersion = field(object, "apiVersion");
    if (kind === "Secret" && apiVersion === "v1") return this.#addSecret(object);
    if (typeof apiVersion !== "string" || !apiVersion.startsWith("argoproj.io/")) {
      // What else a namespace holds is none of our business, and is not named.
      if (typeof apiVersion !== "string" || typeof kind !== "string")
        this.leaveOut(
          "File",
          place,
          "it has no apiVersion and kind, so it is no Kubernetes object",
        );
      return;
    }
    switch (kind) {
      case "ApplicationSet":
        return this.#addNamed(kind, object, place, this.#sets, (one) => one);
      case "Application":
        return this.#addNamed(kind, object, place, this.#applications, (one) => ({
          ...one,
          set: ownerOf(object, "ApplicationSet"),
          parent: parentOf(object),
        }));
      case "AppProject":
        return this.#addNamed(kind, object, place, this.#projects, (one) => one);
      default:
        return this.leaveOut("File", place, `${describe(kind)} is no kind that is carried over`);
    }
  }

  #addSecret(secret: JsonObject): void {
    const metadata = field(secret, "metadata");
    const labels = isObject(metadata) ? field(metadata, "labels") : undefined;
    const type = isObject(labels) ? field(labels, secretTypeLabel) : undefined;
    if (type === "repository" || type === "repo-creds") {
      this.#findings.push({
        verdict: "to-do",
        kind: "Repository",
        name: `secret ${nameOf(metadata)}`,
        reason:
          "it holds credentials of a repository, which are not read; give them to the hub as repositoryCredentials",
      });
      return;
    }
    if (type !== "cluster") return;
    const cluster = clusterOfSecret(secret);
    const before = this.#clusters.get(cluster.name);
    if (before === undefined) this.#clusters.set(cluster.name, cluster);
    else if (before.secret !== cluster.secret)
      this.leaveOut(
        "Cluster",
        cluster.name,
        `secrets ${before.secret} and ${cluster.secret} have one name; the first is carried over`,
      );
  }

  #addNamed<T extends ExportedObject>(
    kind: Kind,
    object: JsonObject,
    place: string,
    found: Map<string, T>,
    make: (one: ExportedObject) => T,
  ): void {
    const metadata = field(object, "metadata");
    const name = nameOf(metadata);
    const checked = parseApplicationName(name);
    if (!checked.ok)
      return this.leaveOut(
        kind,
        name === "" ? place : JSON.stringify(name.slice(0, 80)),
        name === "" ? "it has no metadata.name" : "its name is not a DNS subdomain",
      );
    const namespace = isObject(metadata) ? field(metadata, "namespace") : undefined;
    const one = make({
      name,
      namespace: typeof namespace === "string" ? namespace : "",
      document: asWritten(object),
    });
    const before = found.get(name);
    if (before === undefined) found.set(name, one);
    else if (canonicalJson(before.document) !== canonicalJson(one.document))
      this.leaveOut(
        kind,
        name,
        `there are two of this name, in ${before.namespace} and ${one.namespace}; a hub has each name once, and the first is carried over`,
      );
  }

  whole(): Exported {
    return {
      sets: byName(this.#sets),
      applications: byName(this.#applications),
      projects: byName(this.#projects),
      clusters: byName(this.#clusters),
      findings: this.#findings,
    };
  }
}

const byName = <T extends { readonly name: string }>(found: ReadonlyMap<string, T>): readonly T[] =>
  [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));

function nameOf(metadata: Json | undefined): string {
  const name = isObject(metadata) ? field(metadata, "name") : undefined;
  return typeof name === "string" ? name : "";
}

/** Items of a typed list may leave out what the list says. */
function withKindOfList(item: JsonObject, listKind: Json | undefined): JsonObject {
  if (field(item, "kind") !== undefined || typeof listKind !== "string") return item;
  const kind = listKind.replace(/List$/, "");
  const apiVersion = kind === "Secret" ? "v1" : "argoproj.io/v1alpha1";
  return { ...item, kind, apiVersion: field(item, "apiVersion") ?? apiVersion };
}

function ownerOf(object: JsonObject, kind: string): string | undefined {
  const metadata = field(object, "metadata");
  const owners = isObject(metadata) ? field(metadata, "ownerReferences") : undefined;
  if (!isList(owners)) return undefined;
  for (const owner of owners)
    if (isObject(owner) && field(owner, "kind") === kind) {
      const name = field(owner, "name");
      if (typeof name === "string") return name;
    }
  return undefined;
}

/** Argo CD marks what an Application made: `parent:group/kind:namespace/name`. */
function parentOf(object: JsonObject): string | undefined {
  const metadata = field(object, "metadata");
  const annotations = isObject(metadata) ? field(metadata, "annotations") : undefined;
  const mark = isObject(annotations) ? field(annotations, trackingId) : undefined;
  return typeof mark === "string" && mark.includes(":")
    ? mark.slice(0, mark.indexOf(":"))
    : undefined;
}

const trackingId = "argocd.argoproj.io/tracking-id";

/** Annotations that say what was done with an object, not what it is. */
const bookkeeping = new Set([
  appliedCopy,
  trackingId,
  "argocd.argoproj.io/refresh",
  "argocd.argoproj.io/hydrate",
  "argocd.argoproj.io/application-set-refresh",
  "notified.notifications.argoproj.io",
]);

/** An object as its author would write it: what others keep in it is left out, all else stays as it is. */
function asWritten(object: JsonObject): JsonObject {
  const written = emptyObject();
  const metadata = field(object, "metadata");
  for (const key of ["apiVersion", "kind"]) written[key] = field(object, key) ?? "";
  written["metadata"] = isObject(metadata) ? writtenMetadata(metadata) : emptyObject();
  const spec = field(object, "spec");
  if (spec !== undefined) written["spec"] = spec;
  return written;
}

function writtenMetadata(metadata: JsonObject): JsonObject {
  const kept = emptyObject();
  for (const key of ["name", "namespace", "labels", "annotations", "finalizers"]) {
    const value = field(metadata, key);
    if (value === undefined || value === null) continue;
    if (key !== "annotations" || !isObject(value)) {
      kept[key] = value;
      continue;
    }
    const annotations = emptyObject();
    for (const [name, text] of Object.entries(value))
      if (!bookkeeping.has(name)) annotations[name] = text;
    if (Object.keys(annotations).length > 0) kept[key] = annotations;
  }
  return kept;
}
