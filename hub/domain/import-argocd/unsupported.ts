import type { Json } from "../../../proto/words/digest.ts";
import { applicationOf } from "../application.ts";
import { generatorKinds, type ApplicationSet, type GeneratorKind } from "../application-set.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "../document.ts";
import type { Finding } from "./finding.ts";

/** Fields that are accepted and have no effect here, and what follows from that. */
const idleApplicationFields: readonly (readonly [path: readonly string[], effect: string])[] = [
  [["ignoreDifferences"], "differences in these fields are reported, and healed with selfHeal"],
  [["syncPolicy", "retry"], "a sync is tried again with delays of Wheelhouse's own"],
  [
    ["syncPolicy", "managedNamespaceMetadata"],
    "CreateNamespace=true makes the namespace without these labels and annotations",
  ],
];

const idleProjectFields: readonly (readonly [key: string, effect: string])[] = [
  ["roles", "access is by API token, with scope read or write"],
  ["syncWindows", "syncs are not held back by the time of day"],
  ["signatureKeys", "signatures of commits are not verified"],
  ["orphanedResources", "objects of nobody are not reported"],
  ["sourceNamespaces", "fleet documents come from Git, whatever their namespace"],
  ["permitOnlyProjectScopedClusters", "clusters belong to no project"],
];

const saysSomething = (value: Json | undefined): boolean => {
  if (value === undefined || value === null || value === "" || value === false) return false;
  if (isList(value)) return value.length > 0;
  return !isObject(value) || Object.keys(value).length > 0;
};

/** What an Application asks for that it does not get here, one sentence each. */
export function applicationDifferences(document: JsonObject): readonly string[] {
  const found: string[] = [];
  const application = applicationOf(document);
  if (!application.ok) return [application.problem.message];
  if (application.value.problem !== undefined) found.push(application.value.problem.message);
  const spec = objectIn(document, "spec");
  for (const [path, effect] of idleApplicationFields)
    if (saysSomething(valueAt(spec, path)))
      found.push(`spec.${path.join(".")} has no effect: ${effect}`);
  const options = valueAt(spec, ["syncPolicy", "syncOptions"]);
  for (const option of isList(options) ? options : [])
    if (typeof option === "string" && !/^(CreateNamespace=|ServerSideApply=true$)/.test(option))
      found.push(`the sync option ${option} has no effect`);
  return found;
}

export function projectDifferences(document: JsonObject): readonly string[] {
  const spec = objectIn(document, "spec");
  return idleProjectFields
    .filter(([key]) => saysSomething(field(spec, key)))
    .map(([key, effect]) => `spec.${key} has no effect: ${effect}`);
}

/** Generators that ask a service this hub is not connected to. */
const unconnectedKinds: readonly GeneratorKind[] = [
  "scmProvider",
  "pullRequest",
  "clusterDecisionResource",
  "plugin",
];

/** Every generator of a set, those inside matrix and merge too. */
export function generatorsOf(
  set: ApplicationSet,
): readonly { readonly kind: GeneratorKind; readonly body: JsonObject }[] {
  const found: { kind: GeneratorKind; body: JsonObject }[] = [];
  const walk = (entry: JsonObject): void => {
    for (const kind of generatorKinds) {
      const body = field(entry, kind);
      if (!isObject(body)) continue;
      found.push({ kind, body });
      const children = field(body, "generators");
      if (isList(children)) for (const child of children) if (isObject(child)) walk(child);
    }
  };
  for (const { generators } of set.generators)
    for (const { kind, body } of generators) walk({ [kind]: body });
  return found;
}

export function setDifferences(set: ApplicationSet): readonly Finding[] {
  const unconnected = [...new Set(generatorsOf(set).map(({ kind }) => kind))].filter((kind) =>
    unconnectedKinds.includes(kind),
  );
  return unconnected.map((kind) => ({
    verdict: "differs",
    kind: "ApplicationSet",
    name: set.name,
    reason: `the hub is not connected to the service that generator ${kind} asks; the set is written, and generates nothing until it is, or until you list its elements`,
  }));
}

export function objectIn(object: JsonObject, key: string): JsonObject {
  const value = field(object, key);
  return isObject(value) ? value : emptyObject();
}

function valueAt(object: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const key of path) value = isObject(value) ? field(value, key) : undefined;
  return value;
}
