/** Every kind the cluster serves: the built-in ones, and those that CustomResourceDefinitions add and take away. */
import type { JsonMap } from "./json.ts";
import { builtInSchemas } from "./schema/built-in.ts";
import { any, type Schema } from "./schema/schema.ts";

export type ScalePaths = {
  readonly replicas: readonly [string, ...string[]];
  readonly statusReplicas: readonly [string, ...string[]];
  readonly selector: readonly [string, ...string[]] | undefined;
};

export type Kind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Status is written through its own endpoint, and the object's endpoint leaves it alone. */
  readonly hasStatus: boolean;
  readonly scale: ScalePaths | undefined;
  /** `metadata.generation` counts the changes of everything but metadata and status. */
  readonly hasGeneration: boolean;
  readonly schema: Schema;
  /** Writing without a resourceVersion is allowed. */
  readonly unconditionalUpdate: boolean;
  /** `group/plural`: objects are kept under it, whatever version they were written in. */
  readonly key: string;
  /** For kinds defined by a CustomResourceDefinition: the OpenAPI schema it gave. */
  readonly custom: { readonly openApi: JsonMap; readonly definition: string } | undefined;
  /** The resource version at which the kind came to be; watches cannot start before it. */
  readonly since: number;
};

export const apiVersionOf = (kind: { readonly group: string; readonly version: string }): string =>
  kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;

export const kindKey = (group: string, plural: string): string => `${group}/${plural}`;

type Traits = {
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
  readonly cluster?: true;
  readonly noStatus?: true;
  readonly scale?: true;
  readonly generation?: true;
  readonly conditional?: true;
};

const all = ["all"];

const builtIns: readonly (readonly [
  group: string,
  version: string,
  kind: string,
  plural: string,
  traits: Traits,
])[] = [
  ["", "v1", "Namespace", "namespaces", { short: ["ns"], cluster: true }],
  ["", "v1", "Node", "nodes", { short: ["no"], cluster: true }],
  ["", "v1", "Pod", "pods", { short: ["po"], categories: all, generation: true }],
  ["", "v1", "Service", "services", { short: ["svc"], categories: all }],
  ["", "v1", "ConfigMap", "configmaps", { short: ["cm"], noStatus: true }],
  ["", "v1", "Secret", "secrets", { noStatus: true }],
  ["", "v1", "ServiceAccount", "serviceaccounts", { short: ["sa"], noStatus: true }],
  ["", "v1", "Event", "events", { short: ["ev"], noStatus: true }],
  ["", "v1", "PersistentVolume", "persistentvolumes", { short: ["pv"], cluster: true }],
  ["", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", { short: ["pvc"] }],
  ["", "v1", "Endpoints", "endpoints", { short: ["ep"], noStatus: true }],
  ["", "v1", "LimitRange", "limitranges", { short: ["limits"], noStatus: true }],
  ["", "v1", "ResourceQuota", "resourcequotas", { short: ["quota"] }],
  [
    "",
    "v1",
    "ReplicationController",
    "replicationcontrollers",
    { short: ["rc"], categories: all, scale: true, generation: true },
  ],
  [
    "apps",
    "v1",
    "Deployment",
    "deployments",
    { short: ["deploy"], categories: all, scale: true, generation: true },
  ],
  [
    "apps",
    "v1",
    "ReplicaSet",
    "replicasets",
    { short: ["rs"], categories: all, scale: true, generation: true },
  ],
  [
    "apps",
    "v1",
    "StatefulSet",
    "statefulsets",
    { short: ["sts"], categories: all, scale: true, generation: true },
  ],
  ["apps", "v1", "DaemonSet", "daemonsets", { short: ["ds"], categories: all, generation: true }],
  ["apps", "v1", "ControllerRevision", "controllerrevisions", { noStatus: true }],
  ["batch", "v1", "Job", "jobs", { categories: all, generation: true }],
  ["batch", "v1", "CronJob", "cronjobs", { short: ["cj"], categories: all, generation: true }],
  ["networking.k8s.io", "v1", "Ingress", "ingresses", { short: ["ing"], generation: true }],
  [
    "networking.k8s.io",
    "v1",
    "NetworkPolicy",
    "networkpolicies",
    { short: ["netpol"], noStatus: true, generation: true },
  ],
  [
    "networking.k8s.io",
    "v1",
    "IngressClass",
    "ingressclasses",
    { cluster: true, noStatus: true, generation: true },
  ],
  [
    "policy",
    "v1",
    "PodDisruptionBudget",
    "poddisruptionbudgets",
    { short: ["pdb"], generation: true, conditional: true },
  ],
  [
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    { short: ["hpa"], categories: all },
  ],
  ["rbac.authorization.k8s.io", "v1", "Role", "roles", { noStatus: true }],
  [
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRole",
    "clusterroles",
    { cluster: true, noStatus: true },
  ],
  ["rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", { noStatus: true }],
  [
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    { cluster: true, noStatus: true },
  ],
  [
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    {
      short: ["crd", "crds"],
      categories: ["api-extensions"],
      cluster: true,
      generation: true,
      conditional: true,
    },
  ],
  [
    "storage.k8s.io",
    "v1",
    "StorageClass",
    "storageclasses",
    { short: ["sc"], cluster: true, noStatus: true },
  ],
  [
    "scheduling.k8s.io",
    "v1",
    "PriorityClass",
    "priorityclasses",
    { short: ["pc"], cluster: true, noStatus: true, generation: true },
  ],
  ["coordination.k8s.io", "v1", "Lease", "leases", { noStatus: true, conditional: true }],
];

const builtInKinds: readonly Kind[] = builtIns.map(([group, version, kind, plural, traits]) => ({
  group,
  version,
  kind,
  listKind: `${kind}List`,
  plural,
  singular: kind.toLowerCase(),
  shortNames: traits.short ?? [],
  categories: traits.categories ?? [],
  namespaced: traits.cluster !== true,
  hasStatus: traits.noStatus !== true,
  scale:
    traits.scale === true
      ? {
          replicas: ["spec", "replicas"],
          statusReplicas: ["status", "replicas"],
          selector: ["status", "selector"],
        }
      : undefined,
  hasGeneration: traits.generation === true,
  schema: builtInSchemas[kindKey(group, plural)] ?? any,
  unconditionalUpdate: traits.conditional !== true,
  key: kindKey(group, plural),
  custom: undefined,
  since: 0,
}));

const builtInByPath = new Map(
  builtInKinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]),
);

/** A built-in kind by `group/plural`. Throws TypeError for one there is not: that is a bug. */
export function builtIn(key: string): Kind {
  const found = builtInKinds.find((kind) => kind.key === key);
  if (found === undefined) throw new TypeError(`${key} is not a built-in kind`);
  return found;
}

/** The kinds of one cluster. */
export class Kinds {
  /** By the name of the definition that brought them. */
  readonly #custom = new Map<string, readonly Kind[]>();

  find(group: string, version: string, plural: string): Kind | undefined {
    return (
      builtInByPath.get(`${group}/${version}/${plural}`) ??
      this.#customKinds().find(
        (kind) => kind.group === group && kind.version === version && kind.plural === plural,
      )
    );
  }

  /** Whether the group is the API server's own. The core group is one. */
  isBuiltInGroup(group: string): boolean {
    return builtInKinds.some((kind) => kind.group === group);
  }

  byKind(group: string, version: string, name: string): Kind | undefined {
    return this.all().find(
      (kind) => kind.group === group && kind.version === version && kind.kind === name,
    );
  }

  /** One version of a kind, whichever; for walking over everything that is kept. */
  byKey(key: string): Kind | undefined {
    return this.all().find((kind) => kind.key === key);
  }

  all(): readonly Kind[] {
    return [...builtInKinds, ...this.#customKinds()];
  }

  /** The versions of a custom kind, the one it is kept in first. */
  define(definition: string, versions: readonly Kind[]): void {
    this.#custom.set(definition, versions);
  }

  undefine(definition: string): void {
    this.#custom.delete(definition);
  }

  ofDefinition(definition: string): readonly Kind[] {
    return this.#custom.get(definition) ?? [];
  }

  #customKinds(): readonly Kind[] {
    return this.#custom.size === 0 ? [] : [...this.#custom.values()].flat();
  }
}
