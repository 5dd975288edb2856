import { splitApiVersion } from "../../../proto/words/object-key.ts";
import type { ResourceType } from "../../../spoke/domain/kube-object.ts";

export const typeKey = (group: string, kind: string): string => `${group}/${kind}`;

export const allVerbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

export const builtInTypes: readonly ResourceType[] = (
  [
    ["v1", "ConfigMap", "configmaps", true],
    ["v1", "Namespace", "namespaces", false],
    ["v1", "PersistentVolume", "persistentvolumes", false],
    ["v1", "PersistentVolumeClaim", "persistentvolumeclaims", true],
    ["v1", "Pod", "pods", true],
    ["v1", "Secret", "secrets", true],
    ["v1", "Service", "services", true],
    ["v1", "ServiceAccount", "serviceaccounts", true],
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false],
    ["apps/v1", "DaemonSet", "daemonsets", true],
    ["apps/v1", "Deployment", "deployments", true],
    ["apps/v1", "ReplicaSet", "replicasets", true],
    ["apps/v1", "StatefulSet", "statefulsets", true],
    ["autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true],
    ["batch/v1", "CronJob", "cronjobs", true],
    ["batch/v1", "Job", "jobs", true],
    ["networking.k8s.io/v1", "Ingress", "ingresses", true],
    ["networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true],
    ["policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true],
    ["rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false],
    ["rbac.authorization.k8s.io/v1", "Role", "roles", true],
    ["rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true],
  ] as const
).map(([apiVersion, kind, plural, namespaced]) => ({
  ...splitApiVersion(apiVersion),
  kind,
  plural,
  namespaced,
  verbs: allVerbs,
}));
