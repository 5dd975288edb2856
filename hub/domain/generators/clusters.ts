import { ok } from "../../../proto/kit/result.ts";
import { field, FieldReader, isObject, objectOf, type JsonObject } from "../document.ts";
import type { ClusterFact } from "../facts.ts";
import type { Params } from "../params.ts";
import type { Labels } from "../records.ts";
import { labelsMatch, parseLabelSelector } from "../selector.ts";
import { wellFormed } from "../template/bytes.ts";
import { normalize } from "../template/normalize.ts";
import { compareBytes, nilList, StringMap, typedList, type GoValue } from "../template/value.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { readValues, withValues, type Words } from "./values.ts";

/** Argo CD keeps clusters as Secrets with this label, and shows it among the others. */
const secretTypeLabel = "argocd.argoproj.io/secret-type";

/** Where Argo CD finds the cluster it runs in, and what it calls it. */
export const localServer = "https://kubernetes.default.svc";
export const localClusterName = "in-cluster";

/** `clusters`: one set of params per registered cluster that the selector admits, by name. */
export function clustersParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
  const fields = new FieldReader(body, path);
  const flatList = fields.flag("flatList") ?? false;
  const selectorObject = fields.object("selector");
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const values = readValues(body, path);
  if (!values.ok) return values;
  const selector = parseLabelSelector(
    withoutSecretType(selectorObject),
    "label-values",
    `${path}.selector`,
  );
  if (!selector.ok)
    return generatorFailure(
      `error getting cluster secrets: error converting label selector: ${selector.problem}`,
    );
  const found = context.facts.clusters
    .filter((cluster) => labelsMatch(selector.value, labelsOf(cluster)))
    .toSorted((a, b) => compareBytes(a.name, b.name));
  const { goTemplate } = context.templates;
  const sets = found.map((cluster) => (goTemplate ? goParams(cluster) : flatParams(cluster)));
  if (
    context.facts.localCluster === true &&
    isEmptySelector(selectorObject) &&
    !found.some((cluster) => cluster.server === localServer)
  )
    sets.push(localParams());
  // One cluster less would change the one set that lists them all.
  const spare = flatList ? undefined : context.spare;
  const words: Words = (index) =>
    `error appending templated values for ${index < found.length ? "cluster" : "local cluster"}`;
  const complete = withValues(sets, values.value, { templates: context.templates, spare }, words);
  if (!complete.ok || !flatList) return complete;
  const type = "map[string]interface {}";
  const clusters = complete.value.length === 0 ? nilList(type) : typedList(type, complete.value);
  return ok([new Map<string, GoValue>([["clusters", clusters]])]);
}

/** Argo CD puts its own word over what `matchLabels` says of the label that makes a Secret a cluster. */
function withoutSecretType(selector: JsonObject | undefined): JsonObject | undefined {
  const labels = selector === undefined ? undefined : field(selector, "matchLabels");
  if (selector === undefined || !isObject(labels) || !Object.hasOwn(labels, secretTypeLabel))
    return selector;
  const others = Object.entries(labels).filter(([key]) => key !== secretTypeLabel);
  return objectOf([...Object.entries(selector), ["matchLabels", objectOf(others)]]);
}

function isEmptySelector(selector: JsonObject | undefined): boolean {
  if (selector === undefined) return true;
  const labels = field(selector, "matchLabels");
  const expressions = field(selector, "matchExpressions");
  return (
    !(isObject(labels) && Object.keys(labels).length > 0) &&
    !(Array.isArray(expressions) && expressions.length > 0)
  );
}

const labelsOf = (cluster: ClusterFact): Labels =>
  Object.hasOwn(cluster.labels, secretTypeLabel)
    ? cluster.labels
    : { ...cluster.labels, [secretTypeLabel]: "cluster" };

const named = (cluster: ClusterFact): Map<string, GoValue> =>
  new Map<string, GoValue>([
    ["name", cluster.name],
    ["nameNormalized", normalize(cluster.name)],
    ["server", wellFormed(cluster.server)],
    ["project", wellFormed(cluster.project ?? "")],
  ]);

/** Annotations are any text that a request held, half a character among it. */
const textsOf = (texts: Labels): readonly (readonly [string, string])[] =>
  Object.entries(texts).map(([key, value]) => [wellFormed(key), wellFormed(value)]);

function goParams(cluster: ClusterFact): Params {
  const metadata = new Map<string, GoValue>();
  const labels = new StringMap(textsOf(labelsOf(cluster)));
  const annotations = new StringMap(textsOf(cluster.annotations));
  if (labels.size > 0) metadata.set("labels", labels);
  if (annotations.size > 0) metadata.set("annotations", annotations);
  return named(cluster).set("metadata", metadata);
}

function flatParams(cluster: ClusterFact): Params {
  const params = named(cluster);
  for (const [key, value] of textsOf(cluster.annotations))
    params.set(`metadata.annotations.${key}`, value);
  for (const [key, value] of textsOf(labelsOf(cluster)))
    params.set(`metadata.labels.${key}`, value);
  return params;
}

const localParams = (): Params =>
  new Map<string, GoValue>([
    ["name", localClusterName],
    ["nameNormalized", localClusterName],
    ["server", localServer],
    ["project", ""],
  ]);
