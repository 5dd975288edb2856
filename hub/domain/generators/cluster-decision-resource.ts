import { ok, type Result } from "../../../proto/kit/result.ts";
import { emptyObject, field, FieldReader, isList, isObject, type JsonObject } from "../document.ts";
import type { Params } from "../params.ts";
import type { ProblemDraft } from "../problem.ts";
import type { Labels } from "../records.ts";
import { labelsMatch, parseLabelSelector } from "../selector.ts";
import { printValue } from "../template/print.ts";
import { goValueOf, StringMap, type GoValue } from "../template/value.ts";
import { localClusterName, localServer } from "./clusters.ts";
import { generatorFailure, type ParamsResult, type GeneratorContext } from "./context.ts";
import { remoteFact } from "./remote.ts";
import { readValues } from "./values.ts";

/**
 * `clusterDecisionResource`: one set of params per decision in the status of the resources it names, as far
 * as a cluster of that name is known. Its `values` are put in as they are written.
 */
export function clusterDecisionParams(
  body: JsonObject,
  path: string,
  context: GeneratorContext,
): ParamsResult {
  const fields = new FieldReader(body, path);
  const name = fields.text("name");
  const selectorObject = fields.object("labelSelector");
  if (fields.problems.length > 0) return generatorFailure(fields.problems.join("; "));
  const values = readValues(body, path);
  if (!values.ok) return values;
  const fact = remoteFact("clusterDecisionResource", "decisions", body, path, context);
  if (!fact.ok) return fact;
  if (fact.value.kind === "failed") return generatorFailure(fact.value.message);
  const { configMap, resources } = fact.value;
  if (configMap === undefined)
    return generatorFailure(
      `error reading configMapRef: configmaps ${JSON.stringify(fields.text("configMapRef"))} not found`,
    );
  if (!hasKind(configMap))
    return generatorFailure(
      "there is a problem with the apiVersion, kind or resourceName provided",
    );
  if ((name === "") !== saysAnything(selectorObject))
    return generatorFailure(
      "there is a problem with the definition of the ClusterDecisionResource generator",
    );
  const selected = selectResources(resources, name, selectorObject, path);
  if (!selected.ok) return selected;
  if (selected.value.length === 0) return generatorFailure("no clusterDecisionResources found");
  const matchKey = configMap["matchKey"] ?? "";
  if (matchKey === "") return ok([]);
  const listKey = configMap["statusListKey"] ?? "";
  const servers = serversByName(context);
  const decisions = selected.value.flatMap((resource) =>
    decisionsOf(resource, listKey === "" ? "clusters" : listKey),
  );
  return ok(
    decisions.flatMap((decision) => {
      const cluster = printValue(goValueOf(field(decision, matchKey) ?? null));
      const server = servers.get(cluster);
      if (server === undefined) return [];
      return [decisionParams(cluster, server, decision, values.value, context)];
    }),
  );
}

function serversByName({ facts }: GeneratorContext): ReadonlyMap<string, string> {
  const servers = new Map<string, string>(
    facts.clusters.map((cluster) => [cluster.name, cluster.server]),
  );
  if (facts.localCluster === true && ![...servers.values()].includes(localServer))
    servers.set(localClusterName, localServer);
  return servers;
}

/** A kind is asked for as the plural of its resource in a group with a version. */
const hasKind = (configMap: Labels): boolean =>
  (configMap["kind"] ?? "") !== "" && (configMap["apiVersion"] ?? "").indexOf("/") > 0;

/** An empty selector is as good as none. */
function saysAnything(selector: JsonObject | undefined): boolean {
  const fields = new FieldReader(selector ?? emptyObject(), "");
  return fields.has("matchLabels") || fields.has("matchExpressions");
}

function selectResources(
  resources: readonly JsonObject[],
  name: string,
  selectorObject: JsonObject | undefined,
  path: string,
): Result<readonly JsonObject[], ProblemDraft> {
  const metadataOf = (resource: JsonObject): FieldReader =>
    new FieldReader(resource, "").inside("metadata");
  if (name !== "")
    return ok(resources.filter((resource) => metadataOf(resource).text("name") === name));
  const selector = parseLabelSelector(selectorObject, "label-values", `${path}.labelSelector`);
  if (!selector.ok) return generatorFailure(`failed to get dynamic resources: ${selector.problem}`);
  return ok(
    resources.filter((resource) =>
      labelsMatch(selector.value, metadataOf(resource).textMap("labels")),
    ),
  );
}

function decisionsOf(resource: JsonObject, listKey: string): readonly JsonObject[] {
  const status = field(resource, "status");
  const list = field(isObject(status) ? status : emptyObject(), listKey);
  return isList(list) ? list.filter(isObject) : [];
}

function decisionParams(
  name: string,
  server: string,
  decision: JsonObject,
  values: Labels,
  { templates }: GeneratorContext,
): Params {
  const params = new Map<string, GoValue>([
    ["name", name],
    ["server", server],
  ]);
  for (const key of Object.keys(decision))
    params.set(key, printValue(goValueOf(field(decision, key) ?? null)));
  const named = Object.entries(values);
  if (templates.goTemplate) {
    if (named.length > 0) params.set("values", new StringMap(named));
  } else for (const [key, text] of named) params.set(`values.${key}`, text);
  return params;
}
