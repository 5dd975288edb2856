import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { SyncPolicy } from "../../proto/words/desired.ts";
import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import { FieldReader, isObject, type JsonObject } from "./document.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import type { Labels } from "./records.ts";

/** How a folder of manifests is read. Patterns are Argo CD's: a glob, or `{a,b}`; empty means none. */
export type DirectoryOptions = {
  readonly recurse: boolean;
  readonly include: string;
  readonly exclude: string;
};

export type ApplicationSource = {
  readonly repoURL: string;
  /** Folder without slashes at its ends; empty for the root. */
  readonly path: string;
  /** Branch, tag or commit; `HEAD` when it was left out. */
  readonly targetRevision: string;
  readonly directory: DirectoryOptions;
};

export type Destination = {
  readonly name: string;
  readonly server: string;
  readonly namespace: string;
};

/** Written on Applications whose removal takes their objects along, by itself or with a `/` and a manner. */
export const resourcesFinalizer = "resources-finalizer.argocd.argoproj.io";

/** Reads an Application document. Fails only when it has no usable name; every other flaw is its `problem`. */
export function applicationOf(document: JsonObject): Result<Application, ProblemDraft> {
  const metadata = new FieldReader(document, "").inside("metadata");
  const name = parseApplicationName(metadata.value("name"));
  if (name.ok) return ok(new Application(name.value, document));
  const found = metadata.value("name");
  const message = found === undefined || found === "" ? "it has no metadata.name" : name.problem;
  return fail(problem(codes.badApplication, `application without a usable name: ${message}`));
}

/** What an Application's document says. */
type Parts = {
  readonly project: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly source: ApplicationSource;
  readonly destination: Destination;
  readonly policy: SyncPolicy;
  /** Whether removal leaves the objects in the cluster: no resources finalizer. */
  readonly keepObjects: boolean;
  /** Why it cannot be rendered or offered as it is (a source we do not support, two destinations). */
  readonly problem: ProblemDraft | undefined;
};

/** What is said of an Application besides its document. */
type Said = Partial<Pick<Parts, "policy" | "problem">>;

/**
 * One workload in one cluster, as generated or as written.
 *
 * Holds nothing but its document, and reads what is asked for out of that: a set may have hundreds of thousands,
 * and what is read of one takes a third as much again as the document itself.
 */
export class Application {
  readonly name: ApplicationName;
  /** The whole document, fields we do not read included. */
  readonly document: JsonObject;
  readonly #said: Said | undefined;

  constructor(name: ApplicationName, document: JsonObject, said?: Said) {
    this.name = name;
    this.document = document;
    this.#said = said;
  }

  get project(): string {
    return this.#read().project;
  }

  get labels(): Labels {
    return this.#read().labels;
  }

  get annotations(): Labels {
    return this.#read().annotations;
  }

  get source(): ApplicationSource {
    return this.#read().source;
  }

  get destination(): Destination {
    return this.#read().destination;
  }

  get policy(): SyncPolicy {
    return this.#said?.policy ?? this.#read().policy;
  }

  get keepObjects(): boolean {
    return this.#read().keepObjects;
  }

  get problem(): ProblemDraft | undefined {
    return this.#said?.problem ?? this.#read().problem;
  }

  /** The same, but for what is said here. */
  with(said: Said): Application {
    return new Application(this.name, this.document, { ...this.#said, ...said });
  }

  #read(): Parts {
    if (lastRead?.document !== this.document)
      lastRead = { document: this.document, parts: partsOf(this.name, this.document) };
    return lastRead.parts;
  }
}

/** Whoever looks at an Application mostly asks for several of its parts, and then goes on to the next. */
let lastRead: { readonly document: JsonObject; readonly parts: Parts } | undefined;

function partsOf(name: ApplicationName, document: JsonObject): Parts {
  const fields = new FieldReader(document, "");
  const metadata = fields.inside("metadata");
  const labels = metadata.textMap("labels");
  const annotations = metadata.textMap("annotations");
  const finalizers = metadata.texts("finalizers");
  const spec = fields.inside("spec");
  if (!fields.has("spec")) fields.complain("spec", "is missing");
  const project = spec.text("project");
  const policy = policyOf(spec);
  const malformed = (): ProblemDraft | undefined =>
    fields.problems.length === 0
      ? undefined
      : problem(codes.badApplication, `application ${name}: ${fields.problems.join("; ")}`);
  const destination = readDestination(spec);
  const source = readSource(spec);
  return {
    project: project === "" ? "default" : project,
    labels,
    annotations,
    source: source.value,
    destination: destination.value,
    policy,
    keepObjects: !finalizers.some(
      (finalizer) =>
        finalizer === resourcesFinalizer || finalizer.startsWith(`${resourcesFinalizer}/`),
    ),
    problem: malformed() ?? destination.problem ?? source.problem,
  };
}

type Read<T> = { readonly value: T; readonly problem: ProblemDraft | undefined };

function readDestination(spec: FieldReader): Read<Destination> {
  const fields = spec.inside("destination");
  const value = {
    name: fields.text("name"),
    server: fields.text("server"),
    namespace: fields.text("namespace"),
  };
  const bad = (reason: string): Read<Destination> => ({
    value,
    problem: problem(codes.badDestination, `application destination spec is invalid: ${reason}`),
  });
  if (value.name !== "" && value.server !== "")
    return bad(
      `application destination can't have both name and server defined: ${value.name} ${value.server}`,
    );
  if (value.name === "" && value.server === "")
    return bad("spec.destination must name a cluster or a server");
  return { value, problem: undefined };
}

/**
 * Applications of one set mostly share what their template says of syncing, and then what is read of it too.
 * Only what was read without a complaint is remembered.
 */
const policies = new WeakMap<JsonObject, SyncPolicy>();

function policyOf(spec: FieldReader): SyncPolicy {
  const written = spec.object("syncPolicy");
  const known = written === undefined ? undefined : policies.get(written);
  if (known !== undefined) return known;
  const complaints = spec.problems.length;
  const policy = readPolicy(spec);
  if (written !== undefined && spec.problems.length === complaints) policies.set(written, policy);
  return policy;
}

function readPolicy(spec: FieldReader): SyncPolicy {
  const policy = spec.inside("syncPolicy");
  const automated = policy.inside("automated");
  const enabled = policy.has("automated") && automated.flag("enabled") !== false;
  return {
    automated: enabled,
    prune: automated.flag("prune") ?? false,
    selfHeal: automated.flag("selfHeal") ?? false,
    allowEmpty: automated.flag("allowEmpty") ?? false,
    createNamespace: policy.texts("syncOptions").includes("CreateNamespace=true"),
    conflicts: "override",
  };
}

const unsupportedSources: readonly (readonly [key: string, what: string])[] = [
  ["chart", "Helm charts from a chart repository (spec.source.chart)"],
  ["helm", "Helm sources (spec.source.helm)"],
  ["kustomize", "Kustomize sources (spec.source.kustomize)"],
  ["plugin", "config management plugins (spec.source.plugin)"],
];

const plainDirectory: DirectoryOptions = { recurse: false, include: "", exclude: "" };

function readSource(spec: FieldReader): Read<ApplicationSource> {
  const fields = spec.inside("source");
  const directory = fields.inside("directory");
  const path = fields.text("path");
  const revision = fields.text("targetRevision");
  const value: ApplicationSource = {
    repoURL: fields.text("repoURL"),
    path: trimmedPath(path),
    targetRevision: revision === "" ? "HEAD" : revision,
    directory: fields.has("directory")
      ? {
          recurse: directory.flag("recurse") ?? false,
          include: directory.text("include"),
          exclude: directory.text("exclude"),
        }
      : plainDirectory,
  };
  const because = (code: string, message: string): Read<ApplicationSource> => ({
    value,
    problem: problem(code, message),
  });
  const unsupported = unsupportedSource(spec, fields, directory);
  if (unsupported !== undefined)
    return because(codes.unsupportedSource, `not supported yet: ${unsupported}`);
  if (!spec.has("source")) return because(codes.badSource, "spec.source is missing");
  if (value.repoURL === "") return because(codes.badSource, "spec.source.repoURL is missing");
  if (path.startsWith("/"))
    return because(
      codes.badSource,
      `spec.source.path must be relative to the repository, got ${JSON.stringify(path)}`,
    );
  if (value.path.split("/").includes(".."))
    return because(
      codes.badSource,
      `spec.source.path must stay inside the repository, got ${JSON.stringify(path)}`,
    );
  return { value, problem: undefined };
}

function unsupportedSource(
  spec: FieldReader,
  source: FieldReader,
  directory: FieldReader,
): string | undefined {
  if (spec.list("sources").length > 0) return "several sources (spec.sources)";
  if (spec.has("sourceHydrator")) return "the source hydrator (spec.sourceHydrator)";
  const found = unsupportedSources.find(([key]) => {
    const value = source.value(key);
    return value !== undefined && value !== "" && !(isObject(value) && isEmpty(value));
  });
  if (found !== undefined) return found[1];
  const jsonnet = directory.object("jsonnet");
  if (jsonnet !== undefined && !isEmpty(jsonnet)) return "Jsonnet (spec.source.directory.jsonnet)";
  return undefined;
}

const isEmpty = (value: JsonObject): boolean => Object.keys(value).length === 0;

/** `./apps/web/` and `apps/web` are one folder; `.` is the root. */
function trimmedPath(path: string): string {
  const segments = path.split("/");
  const trimmed = segments.filter((segment) => segment !== "" && segment !== ".");
  return trimmed.length === segments.length ? path : trimmed.join("/");
}
