/** What an API server puts into an empty cluster by itself: system namespaces and the roles everybody expects. */
import type { JsonMap } from "./json.ts";
import { builtIn } from "./kinds.ts";
import type { KubeObject } from "./object.ts";
import type { Resources } from "./resources.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

const rbac = "rbac.authorization.k8s.io";

const everything: JsonMap = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };
const reading = ["get", "list", "watch"];
const writing = ["create", "delete", "deletecollection", "patch", "update"];

/** Coarser than the real ones, which list every resource; what they allow on workloads is the same. */
const clusterRoles: { readonly [name: string]: readonly JsonMap[] } = {
  "cluster-admin": [everything, { nonResourceURLs: ["*"], verbs: ["*"] }],
  admin: [everything],
  edit: workloadRules([...reading, ...writing]),
  view: workloadRules(reading),
};

function workloadRules(verbs: readonly string[]): readonly JsonMap[] {
  return [
    {
      apiGroups: [""],
      resources: [
        "configmaps",
        "endpoints",
        "events",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "replicationcontrollers",
        "serviceaccounts",
        "services",
      ],
      verbs,
    },
    { apiGroups: ["apps", "autoscaling", "batch", "policy"], resources: ["*"], verbs },
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs },
  ];
}

export function bootstrap(resources: Resources, namespaces: readonly string[]): void {
  const make = (key: string, object: KubeObject): void => {
    resources.make(builtIn(key), object, "kube-apiserver");
  };
  for (const name of [...systemNamespaces, ...namespaces])
    make("/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const [name, rules] of Object.entries(clusterRoles))
    make(`${rbac}/clusterroles`, {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      rules,
    });
  make(`${rbac}/clusterrolebindings`, {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "cluster-admin" },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup: rbac, kind: "Group", name: "system:masters" }],
  });
}
