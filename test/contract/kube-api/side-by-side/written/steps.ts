import type { Json, JsonMap } from "../../../../support/cluster/json.ts";
import { configMapsPath, deploymentsPath, metadataOf, servicesPath } from "../../bench.ts";
import type { Query } from "../../client.ts";
import type { Place } from "../pair.ts";
import { lastObject, type Step } from "../script.ts";

/** What is sent, in a place of its own. */
export type Steps = (place: Place) => readonly Step[];

export type NamedSteps = readonly [name: string, steps: Steps];

export const apply = (manager: string, path: string, body: Json, query: Query = {}): Step => ({
  verb: "apply",
  path,
  body,
  query: { fieldManager: manager, ...query },
});

export const create = (path: string, body: Json, query: Query = {}): Step => ({
  verb: "create",
  path,
  body,
  query: { fieldManager: "hand", ...query },
});

export const get = (path: string, query: Query = {}): Step => ({ verb: "get", path, query });

export const remove = (path: string, body?: Json, query: Query = {}): Step => ({
  verb: "delete",
  path,
  query,
  ...(body === undefined ? {} : { body }),
});

export const patch = (
  verb: "merge" | "json" | "strategic",
  path: string,
  body: Json,
  query: Query = {},
): Step => ({ verb, path, body, query: { fieldManager: "hand", ...query } });

/** Sends back what was said last, changed. */
export const update = (
  path: string,
  change: (was: JsonMap) => JsonMap,
  query: Query = {},
): Step => ({
  verb: "update",
  path,
  body: (earlier) => change(lastObject(earlier)),
  query: { fieldManager: "hand", ...query },
});

export const withMetadata = (object: JsonMap, changes: JsonMap): JsonMap => ({
  ...object,
  metadata: { ...metadataOf(object), ...changes },
});

export const noUid = "00000000-0000-0000-0000-000000000000";

export const pathsIn = ({ namespace }: Place) => {
  const group = (name: string, plural: string): string =>
    `/apis/${name}/namespaces/${namespace}/${plural}`;
  return {
    maps: configMapsPath(namespace),
    map: `${configMapsPath(namespace)}/one`,
    deployments: deploymentsPath(namespace),
    web: `${deploymentsPath(namespace)}/web`,
    services: servicesPath(namespace),
    service: `${servicesPath(namespace)}/web`,
    secrets: `/api/v1/namespaces/${namespace}/secrets`,
    accounts: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    claims: `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
    quotas: `/api/v1/namespaces/${namespace}/resourcequotas`,
    ranges: `/api/v1/namespaces/${namespace}/limitranges`,
    namespace: `/api/v1/namespaces/${namespace}`,
    statefulSets: group("apps/v1", "statefulsets"),
    daemonSets: group("apps/v1", "daemonsets"),
    jobs: group("batch/v1", "jobs"),
    cronJobs: group("batch/v1", "cronjobs"),
    ingresses: group("networking.k8s.io/v1", "ingresses"),
    policies: group("networking.k8s.io/v1", "networkpolicies"),
    budgets: group("policy/v1", "poddisruptionbudgets"),
    autoscalers: group("autoscaling/v2", "horizontalpodautoscalers"),
    roles: group("rbac.authorization.k8s.io/v1", "roles"),
    bindings: group("rbac.authorization.k8s.io/v1", "rolebindings"),
  };
};
