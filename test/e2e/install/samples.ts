import type { KubeObject } from "../../../spoke/domain/kube-object.ts";

/** One small valid object of each kind the chart's roles name, by the resource as rules spell it. */

type Sample = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly isClusterWide?: true;
  /** What is in it beside its metadata. `mark` differs from one version of it to the next. */
  readonly body?: (name: string) => object;
  /** Names of this kind have a form of their own. */
  readonly nameOf?: (name: string) => string;
};

const pod = {
  containers: [{ name: "main", image: "registry.example/web:1" }],
  restartPolicy: "Always",
};
const template = { metadata: { labels: { app: "web" } }, spec: pod };
const selector = { matchLabels: { app: "web" } };
const jobTemplate = { spec: { ...pod, restartPolicy: "Never" } };
const noObjects = {
  failurePolicy: "Ignore",
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: ["nothing.example.com"],
        apiVersions: ["v1"],
        operations: ["CREATE"],
        resources: ["nothings"],
      },
    ],
  },
};
const rbac = "rbac.authorization.k8s.io/v1";
const roleRef = (kind: string) => ({
  apiGroup: "rbac.authorization.k8s.io",
  kind,
  name: "harmless",
});

/** By `group/resource`. */
export const samples: Readonly<Record<string, Sample>> = {
  "/configmaps": { apiVersion: "v1", kind: "ConfigMap", body: () => ({ data: { a: "b" } }) },
  "/secrets": { apiVersion: "v1", kind: "Secret", body: () => ({ stringData: { a: "b" } }) },
  "/services": {
    apiVersion: "v1",
    kind: "Service",
    body: () => ({ spec: { ports: [{ port: 80, protocol: "TCP" }] } }),
  },
  "/serviceaccounts": { apiVersion: "v1", kind: "ServiceAccount" },
  "/persistentvolumeclaims": {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    body: () => ({
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    }),
  },
  "/pods": { apiVersion: "v1", kind: "Pod", body: () => ({ spec: pod }) },
  "/podtemplates": { apiVersion: "v1", kind: "PodTemplate", body: () => ({ template }) },
  "/replicationcontrollers": {
    apiVersion: "v1",
    kind: "ReplicationController",
    body: () => ({ spec: { replicas: 0, selector: { app: "web" }, template } }),
  },
  "/endpoints": { apiVersion: "v1", kind: "Endpoints", body: () => ({ subsets: [] }) },
  "/limitranges": {
    apiVersion: "v1",
    kind: "LimitRange",
    body: () => ({
      spec: { limits: [{ type: "PersistentVolumeClaim", max: { storage: "1Ti" } }] },
    }),
  },
  "/resourcequotas": {
    apiVersion: "v1",
    kind: "ResourceQuota",
    body: () => ({ spec: { hard: { "count/nothings.nothing.example.com": "100" } } }),
  },
  "apps/deployments": {
    apiVersion: "apps/v1",
    kind: "Deployment",
    body: () => ({ spec: { replicas: 0, selector, template } }),
  },
  "apps/statefulsets": {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    body: () => ({ spec: { replicas: 0, serviceName: "web", selector, template } }),
  },
  "apps/daemonsets": {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    body: () => ({ spec: { selector, template } }),
  },
  "apps/replicasets": {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    body: () => ({ spec: { replicas: 0, selector, template } }),
  },
  "batch/jobs": {
    apiVersion: "batch/v1",
    kind: "Job",
    body: () => ({ spec: { template: jobTemplate } }),
  },
  "batch/cronjobs": {
    apiVersion: "batch/v1",
    kind: "CronJob",
    body: () => ({
      spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: jobTemplate } } },
    }),
  },
  "autoscaling/horizontalpodautoscalers": {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    body: () => ({
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      },
    }),
  },
  "policy/poddisruptionbudgets": {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    body: () => ({ spec: { maxUnavailable: 1, selector } }),
  },
  "networking.k8s.io/ingresses": {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    body: () => ({
      spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } },
    }),
  },
  "networking.k8s.io/networkpolicies": {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    body: () => ({ spec: { podSelector: {} } }),
  },
  "networking.k8s.io/ingressclasses": {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    isClusterWide: true,
    body: () => ({ spec: { controller: "example.com/controller" } }),
  },
  "discovery.k8s.io/endpointslices": {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    body: () => ({ addressType: "IPv4", endpoints: [], ports: [] }),
  },
  "rbac.authorization.k8s.io/roles": {
    apiVersion: rbac,
    kind: "Role",
    body: () => ({ rules: [] }),
  },
  "rbac.authorization.k8s.io/rolebindings": {
    apiVersion: rbac,
    kind: "RoleBinding",
    body: () => ({ roleRef: roleRef("Role"), subjects: [] }),
  },
  "rbac.authorization.k8s.io/clusterroles": {
    apiVersion: rbac,
    kind: "ClusterRole",
    isClusterWide: true,
    body: () => ({ rules: [] }),
  },
  "rbac.authorization.k8s.io/clusterrolebindings": {
    apiVersion: rbac,
    kind: "ClusterRoleBinding",
    isClusterWide: true,
    body: () => ({ roleRef: roleRef("ClusterRole"), subjects: [] }),
  },
  "/namespaces": { apiVersion: "v1", kind: "Namespace", isClusterWide: true },
  "/persistentvolumes": {
    apiVersion: "v1",
    kind: "PersistentVolume",
    isClusterWide: true,
    body: () => ({
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        hostPath: { path: "/nowhere" },
      },
    }),
  },
  "apiextensions.k8s.io/customresourcedefinitions": {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    isClusterWide: true,
    nameOf: (name) => `x${name}s.sample.example.com`,
    body: (name) => ({
      spec: {
        group: "sample.example.com",
        scope: "Namespaced",
        names: { plural: `x${name}s`, singular: `x${name}`, kind: `X${name.replaceAll("-", "")}` },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object" } },
          },
        ],
      },
    }),
  },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    isClusterWide: true,
    body: () => ({ webhooks: [] }),
  },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    isClusterWide: true,
    body: () => ({ webhooks: [] }),
  },
  "admissionregistration.k8s.io/validatingadmissionpolicies": {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    isClusterWide: true,
    body: () => ({ spec: { ...noObjects, validations: [{ expression: "true" }] } }),
  },
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    isClusterWide: true,
    body: () => ({ spec: { policyName: "none.example.com", validationActions: ["Audit"] } }),
  },
  "apiregistration.k8s.io/apiservices": {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    isClusterWide: true,
    nameOf: (name) => `v1.${name}.sample.example.com`,
    body: (name) => ({
      spec: {
        group: `${name}.sample.example.com`,
        version: "v1",
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: "default", name: "nowhere" },
      },
    }),
  },
  "storage.k8s.io/storageclasses": {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    isClusterWide: true,
    body: () => ({ provisioner: "example.com/none" }),
  },
  "storage.k8s.io/csidrivers": {
    apiVersion: "storage.k8s.io/v1",
    kind: "CSIDriver",
    isClusterWide: true,
    body: () => ({ spec: { attachRequired: false } }),
  },
  "scheduling.k8s.io/priorityclasses": {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    isClusterWide: true,
    body: () => ({ value: 7 }),
  },
  "node.k8s.io/runtimeclasses": {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    isClusterWide: true,
    body: () => ({ handler: "none" }),
  },
  // For rules that grant all kinds of a group.
  "stable.example.com/*": {
    apiVersion: "stable.example.com/v1",
    kind: "Widget",
    body: () => ({ spec: { size: 1 } }),
  },
  "cert-manager.io/*": {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    body: () => ({ spec: { size: 1 } }),
  },
};

/** The sample of a resource, marked as the object of a spoke so that its watch shows it. */
export function sampleOf(resource: string, name: string, namespace: string): KubeObject {
  const sample = samples[resource];
  if (sample === undefined) throw new Error(`there is no sample of ${resource}; add one`);
  return {
    apiVersion: sample.apiVersion,
    kind: sample.kind,
    metadata: {
      name: sample.nameOf?.(name) ?? name,
      ...(sample.isClusterWide === true ? {} : { namespace }),
      labels: { sample: "yes" },
    },
    ...sample.body?.(name),
  };
}

/** A definition of a custom kind whose objects may hold anything. */
export const definitionOf = (group: string, kind: string): object => {
  const singular = kind.toLowerCase();
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${singular}s.${group}`,
      // Asked of definitions in the groups of Kubernetes itself.
      annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: `${singular}s`, singular, kind },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          },
        },
      ],
    },
  };
};
