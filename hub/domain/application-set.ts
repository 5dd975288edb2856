import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import {
  emptyObject,
  field,
  FieldReader,
  isList,
  isObject,
  readDocument,
  type JsonObject,
} from "./document.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import type { Labels } from "./records.ts";
import { readStrategy, type RolloutStrategy } from "./rollout/strategy.ts";
import { readSetPolicy, type SetPolicy } from "./set-policy.ts";

/** An ApplicationSet as an author wrote it, checked. */
export type ApplicationSet = {
  readonly name: string;
  /** `argocd` when it was left out. */
  readonly namespace: string;
  readonly annotations: Labels;
  /** The project of the template, as written. */
  readonly project: string;
  /** False is Argo CD's older `{{name}}` replacement. */
  readonly goTemplate: boolean;
  readonly missingKey: MissingKey;
  /** In order; each has the generators it names, and its `selector`. */
  readonly generators: readonly GeneratorEntry[];
  /** `spec.template`: `metadata` and `spec`, as written; empty when it was left out. */
  readonly template: JsonObject;
  readonly templatePatch: string | undefined;
  /** Generated Applications get no finalizer of ours, so their removal leaves their objects. */
  readonly preserveResourcesOnDeletion: boolean;
  readonly policy: SetPolicy;
  /** `undefined`: all changes go out at once. */
  readonly strategy: RolloutStrategy | undefined;
  /** The whole document, fields we do not read included. */
  readonly document: JsonObject;
};

/** What a Go template does about a key that is not there: `<no value>`, a zero value, or an error. */
export type MissingKey = "default" | "zero" | "error";

/** One item of `spec.generators`, or of the children of matrix and merge. */
export type GeneratorEntry = {
  /** For messages: `spec.generators[0]`. */
  readonly path: string;
  /** The generators it names, in the order Argo CD runs them. */
  readonly generators: readonly Generator[];
  /** The label selector over what they give, as written; `undefined` admits all. */
  readonly selector: Json | undefined;
};

/** Argo CD's generators, in the order in which an entry with several of them runs. */
export const generatorKinds = [
  "list",
  "clusters",
  "git",
  "scmProvider",
  "clusterDecisionResource",
  "pullRequest",
  "matrix",
  "merge",
  "plugin",
] as const;

export type GeneratorKind = (typeof generatorKinds)[number];

/** What may stand inside of a matrix or merge, and what inside of one that stands in another. */
export const terminalKinds: readonly GeneratorKind[] = generatorKinds.filter(
  (kind) => kind !== "matrix" && kind !== "merge",
);

/** One generator with its fields as written; its own file reads them. */
export type Generator = {
  readonly kind: GeneratorKind;
  readonly path: string;
  readonly body: JsonObject;
};

/** Reads an ApplicationSet document. The problem names the field and the reason. */
export function parseApplicationSet(document: unknown): Result<ApplicationSet, ProblemDraft> {
  const read = readDocument(document);
  if (!read.ok) return fail(problem(codes.badApplicationSet, `ApplicationSet: ${read.problem}`));
  if (!isObject(read.value))
    return fail(problem(codes.badApplicationSet, "an ApplicationSet must be a mapping"));
  return applicationSetOf(read.value);
}

/** The same for a document that was read already. */
export function applicationSetOf(document: JsonObject): Result<ApplicationSet, ProblemDraft> {
  const fields = new FieldReader(document, "");
  const metadata = fields.inside("metadata");
  const spec = fields.inside("spec");
  const name = metadata.text("name");
  const namespace = metadata.text("namespace");
  const template = spec.object("template");
  const unknown = new Set<string>();
  if (name === "") metadata.complain("name", "is missing");
  if (!spec.has("generators")) spec.complain("generators", "is missing");
  const patch = spec.text("templatePatch");
  const generators = readEntries(
    spec.list("generators"),
    spec.path("generators"),
    fields.problems,
    unknown,
  );
  const applied = appliedGenerators(metadata);
  for (const [index, { generators: named, path }] of generators.entries()) {
    if (named.length > 0) continue;
    // The API server drops what it does not know; what was applied still tells.
    for (const name of applied[index] ?? []) unknown.add(name);
    if (unknown.size === 0) fields.problems.push(`${path} names no generator`);
  }
  checkNested(generators, fields.problems, unknown);
  const set: ApplicationSet = {
    name,
    namespace: namespace === "" ? "argocd" : namespace,
    annotations: metadata.textMap("annotations"),
    project: spec.inside("template").inside("spec").text("project"),
    goTemplate: spec.flag("goTemplate") ?? false,
    missingKey: readMissingKey(spec),
    generators,
    template: template ?? emptyObject(),
    templatePatch: patch === "" ? undefined : patch,
    preserveResourcesOnDeletion:
      spec.inside("syncPolicy").flag("preserveResourcesOnDeletion") ?? false,
    policy: readSetPolicy(spec),
    strategy: readStrategy(spec),
    document,
  };
  const label = `ApplicationSet ${name === "" ? "without a name" : name}`;
  if (unknown.size > 0)
    return fail(
      problem(
        codes.unsupportedGenerator,
        `${label} contains unrecognized generators: ${[...unknown].toSorted().join(", ")}`,
      ),
    );
  if (fields.problems.length > 0)
    return fail(problem(codes.badApplicationSet, `${label}: ${fields.problems.join("; ")}`));
  return ok(set);
}

function readMissingKey(spec: FieldReader): MissingKey {
  let chosen: MissingKey = "default";
  for (const option of spec.texts("goTemplateOptions")) {
    const found = missingKeyOptions.get(option);
    if (found !== undefined) chosen = found;
    else
      spec.complain(
        "goTemplateOptions",
        `holds ${JSON.stringify(option)}, expected one of ${[...missingKeyOptions.keys()].join(", ")}`,
      );
  }
  return chosen;
}

const missingKeyOptions: ReadonlyMap<string, MissingKey> = new Map([
  ["missingkey=default", "default"],
  ["missingkey=invalid", "default"],
  ["missingkey=zero", "zero"],
  ["missingkey=error", "error"],
]);

/** Reads a list of generator entries. Names nobody knows go to `unknown`, everything else to `problems`. */
export function readEntries(
  items: readonly Json[],
  path: string,
  problems: string[],
  unknown: Set<string>,
  kinds: readonly GeneratorKind[] = generatorKinds,
): readonly GeneratorEntry[] {
  return items.flatMap((item, index) => {
    const place = `${path}[${index}]`;
    if (!isObject(item)) {
      problems.push(`${place} must be a mapping that names a generator`);
      return [];
    }
    return [readEntry(item, place, problems, unknown, kinds)];
  });
}

function readEntry(
  item: JsonObject,
  path: string,
  problems: string[],
  unknown: Set<string>,
  kinds: readonly GeneratorKind[],
): GeneratorEntry {
  const fields = new FieldReader(item, path, problems);
  for (const key of Object.keys(item)) {
    if (key !== "selector" && !generatorKinds.some((kind) => kind === key)) unknown.add(key);
  }
  const generators = kinds.flatMap((kind): readonly Generator[] => {
    const body = fields.object(kind);
    return body === undefined ? [] : [{ kind, path: `${path}.${kind}`, body }];
  });
  return { path, generators, selector: fields.object("selector") };
}

/** Names in each entry of the generators that were applied with kubectl, when that is written down. */
function appliedGenerators(metadata: FieldReader): readonly (readonly string[])[] {
  const text = field(
    metadata.object("annotations") ?? emptyObject(),
    "kubectl.kubernetes.io/last-applied-configuration",
  );
  if (typeof text !== "string") return [];
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return [];
  }
  const read = readDocument(applied);
  const spec = read.ok && isObject(read.value) ? field(read.value, "spec") : undefined;
  const entries = isObject(spec) ? field(spec, "generators") : undefined;
  if (!isList(entries)) return [];
  return entries.map((entry) =>
    isObject(entry) ? Object.keys(entry).filter((key) => key !== "selector") : [],
  );
}

/** Looks for names nobody knows at every level, so that a typo is refused before anything is generated. */
function checkNested(
  entries: readonly GeneratorEntry[],
  problems: string[],
  unknown: Set<string>,
): void {
  for (const { generators } of entries)
    for (const { kind, body, path } of generators) {
      if (kind !== "matrix" && kind !== "merge") continue;
      const list = new FieldReader(body, path, problems).list("generators");
      checkNested(readEntries(list, `${path}.generators`, problems, unknown), problems, unknown);
    }
}
