import type { Json } from "../../../proto/words/digest.ts";

/** What a spoke may do in its cluster, as far as a plain manifest can be asked for. The chart can do more. */
export type SpokeRole = {
  /** The namespaces it manages, and nothing outside them; empty for the whole cluster. */
  readonly namespaces: readonly string[];
  /** Whether Git may hold Secrets: the spoke may then read every Secret within its reach. */
  readonly secrets: boolean;
  /** API groups of the custom resources Git may hold. */
  readonly customResourceGroups: readonly string[];
};

export const usualSpokeRole: SpokeRole = {
  namespaces: [],
  secrets: false,
  customResourceGroups: [],
};

type Rule = { readonly [field: string]: Json };

/** Look, watch, apply server-side, prune. A spoke never sends an update of an application's object. */
const verbs = ["get", "list", "watch", "create", "patch", "delete"];

const all = (group: string, resources: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});

const rbac = "rbac.authorization.k8s.io";

/** Kinds that live in a namespace. No rule names a subresource. */
export const namespacedRules = (role: SpokeRole): readonly Rule[] => [
  all("", [
    "configmaps",
    "services",
    "serviceaccounts",
    "persistentvolumeclaims",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "endpoints",
    "limitranges",
    "resourcequotas",
  ]),
  // To watch its own Secrets it must be able to read all of them.
  ...(role.secrets ? [all("", ["secrets"])] : []),
  all("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
  all("batch", ["jobs", "cronjobs"]),
  all("autoscaling", ["horizontalpodautoscalers"]),
  all("policy", ["poddisruptionbudgets"]),
  all("networking.k8s.io", ["ingresses", "networkpolicies"]),
  all("discovery.k8s.io", ["endpointslices"]),
  // The API server lets nobody grant more than they have.
  all(rbac, ["roles", "rolebindings"]),
  ...(role.customResourceGroups.length === 0
    ? []
    : [{ apiGroups: role.customResourceGroups, resources: ["*"], verbs }]),
  // The namespace itself, to say why nothing can be made in one that is being deleted.
  ...(role.namespaces.length === 0
    ? []
    : [{ apiGroups: [""], resources: ["namespaces"], verbs: ["get"] }]),
];

/** Kinds of the cluster itself. */
export const clusterRules: readonly Rule[] = [
  all("", ["namespaces", "persistentvolumes"]),
  all(rbac, ["clusterroles", "clusterrolebindings"]),
  all("apiextensions.k8s.io", ["customresourcedefinitions"]),
  all("admissionregistration.k8s.io", [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
  ]),
  all("apiregistration.k8s.io", ["apiservices"]),
  all("networking.k8s.io", ["ingressclasses"]),
  all("storage.k8s.io", ["storageclasses", "csidrivers"]),
  all("scheduling.k8s.io", ["priorityclasses"]),
  all("node.k8s.io", ["runtimeclasses"]),
];

/** The spoke's own objects in its own namespace: its identity and its inventories. */
export const ownRules = (role: SpokeRole): readonly Rule[] => [
  // A right to create cannot name what is created.
  { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
  {
    apiGroups: [""],
    resources: ["secrets"],
    resourceNames: ["wheelhouse-spoke-identity"],
    verbs: ["get", "update"],
  },
  // A role for the whole cluster has this right already.
  ...(role.namespaces.length === 0
    ? []
    : [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          verbs: ["list", "create", "patch", "delete"],
        },
      ]),
];
