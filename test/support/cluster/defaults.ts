/** What the API server fills in where an author is silent. Nobody owns a default that an apply left open. */
import { isMap, listAt, mapAt, textAt, without, type Json, type JsonMap } from "./json.ts";
import type { KubeObject } from "./object.ts";

/** The object with its kind's defaults; the same object when there is nothing to fill in. */
export function defaulted(key: string, object: KubeObject): KubeObject {
  const fill = defaultsByKind[key];
  return fill === undefined ? object : { ...object, ...fill(object) };
}

type Fill = (object: KubeObject) => JsonMap;

/** Fields that are missing (or null) take the given values. */
function filled(map: JsonMap, defaults: { readonly [field: string]: Json | undefined }): JsonMap {
  let changed: Record<string, Json> | undefined;
  for (const [field, value] of Object.entries(defaults)) {
    if (value === undefined || (map[field] !== undefined && map[field] !== null)) continue;
    changed ??= { ...map };
    changed[field] = value;
  }
  return changed ?? map;
}

/** The map with one of its fields replaced, if it is there. */
function inside(map: JsonMap, field: string, change: (value: JsonMap) => JsonMap): JsonMap {
  const value = map[field];
  if (!isMap(value)) return map;
  const changed = change(value);
  return changed === value ? map : { ...map, [field]: changed };
}

/** The map with every item of a list field replaced, if it is there. */
function each(map: JsonMap, field: string, change: (item: JsonMap) => JsonMap): JsonMap {
  const list = listAt(map, field);
  if (list.length === 0) return map;
  const changed = list.map((item) => (isMap(item) ? change(item) : item));
  return changed.every((item, index) => item === list[index]) ? map : { ...map, [field]: changed };
}

const through = (map: JsonMap, ...steps: readonly ((map: JsonMap) => JsonMap)[]): JsonMap =>
  steps.reduce((value, step) => step(value), map);

const spec = (change: (spec: JsonMap) => JsonMap): Fill => {
  return (object) => ({ spec: change(mapAt(object, "spec")) });
};

function probe(value: JsonMap): JsonMap {
  const full = filled(value, {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  return inside(full, "httpGet", (httpGet) => filled(httpGet, { path: "/", scheme: "HTTP" }));
}

function pullPolicy(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (name.includes("@")) return "IfNotPresent";
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

const hook = (value: JsonMap): JsonMap =>
  inside(value, "httpGet", (httpGet) => filled(httpGet, { path: "/", scheme: "HTTP" }));

function container(value: JsonMap): JsonMap {
  const full = filled(value, {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: pullPolicy(textAt(value, "image")),
  });
  return through(
    full,
    (map) => each(map, "ports", (port) => filled(port, { protocol: "TCP" })),
    (map) =>
      each(map, "env", (variable) =>
        inside(variable, "valueFrom", (source) =>
          inside(source, "fieldRef", (reference) => filled(reference, { apiVersion: "v1" })),
        ),
      ),
    (map) => inside(map, "livenessProbe", probe),
    (map) => inside(map, "readinessProbe", probe),
    (map) => inside(map, "startupProbe", probe),
    (map) =>
      inside(map, "lifecycle", (lifecycle) =>
        inside(inside(lifecycle, "postStart", hook), "preStop", hook),
      ),
  );
}

/** A limit without a request asks for the limit. */
function resources(value: JsonMap): JsonMap {
  const limits = mapAt(value, "limits");
  if (Object.keys(limits).length === 0) return value;
  const requests = filled(mapAt(value, "requests"), limits);
  return requests === mapAt(value, "requests") ? value : { ...value, requests };
}

function volume(value: JsonMap): JsonMap {
  const mode = (source: JsonMap): JsonMap => filled(source, { defaultMode: 420 });
  const downward = (source: JsonMap): JsonMap =>
    each(source, "items", (item) =>
      inside(item, "fieldRef", (reference) => filled(reference, { apiVersion: "v1" })),
    );
  const hasSource = Object.keys(value).some((field) => field !== "name");
  return through(
    hasSource ? value : { ...value, emptyDir: {} },
    (map) => inside(map, "secret", mode),
    (map) => inside(map, "configMap", mode),
    (map) => inside(map, "downwardAPI", (source) => downward(mode(source))),
    (map) =>
      inside(map, "projected", (source) =>
        each(mode(source), "sources", (part) =>
          through(
            part,
            (one) => inside(one, "downwardAPI", downward),
            (one) =>
              inside(one, "serviceAccountToken", (token) =>
                filled(token, { expirationSeconds: 3607 }),
              ),
          ),
        ),
      ),
    (map) => inside(map, "hostPath", (source) => filled(source, { type: "" })),
    (map) =>
      inside(map, "ephemeral", (source) =>
        inside(source, "volumeClaimTemplate", (template) =>
          inside(template, "spec", (claim) => filled(claim, { volumeMode: "Filesystem" })),
        ),
      ),
  );
}

function podSpec(value: JsonMap): JsonMap {
  const account = textAt(value, "serviceAccountName") || textAt(value, "serviceAccount");
  const full = filled(value, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    ...(account === "" ? {} : { serviceAccountName: account, serviceAccount: account }),
  });
  return through(
    full,
    (map) => each(map, "containers", container),
    (map) => each(map, "initContainers", container),
    (map) => each(map, "ephemeralContainers", container),
    (map) => each(map, "volumes", volume),
  );
}

/** A template without metadata gets an empty one, as Go's zero values do. */
const template = (value: JsonMap): JsonMap =>
  inside(filled(value, { metadata: {} }), "spec", podSpec);

const deployment = spec((value) => {
  const strategy = mapAt(value, "strategy");
  const type = textAt(strategy, "type") || "RollingUpdate";
  const rolling = { maxSurge: "25%", maxUnavailable: "25%" };
  const full = filled(value, {
    replicas: 1,
    strategy: {},
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  const withStrategy = inside(full, "strategy", (given) =>
    filled(
      type === "RollingUpdate"
        ? {
            ...given,
            rollingUpdate: filled(mapAt(given, "rollingUpdate"), rolling),
          }
        : given,
      { type },
    ),
  );
  return inside(withStrategy, "template", template);
});

const replicas = spec((value) => inside(filled(value, { replicas: 1 }), "template", template));

const statefulSet = spec((value) => {
  const full = filled(value, {
    replicas: 1,
    podManagementPolicy: "OrderedReady",
    updateStrategy: {},
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    serviceName: "",
  });
  const withStrategy = inside(full, "updateStrategy", (given) => {
    const type = textAt(given, "type") || "RollingUpdate";
    return filled(
      type === "RollingUpdate"
        ? {
            ...given,
            rollingUpdate: filled(mapAt(given, "rollingUpdate"), { partition: 0 }),
          }
        : given,
      { type },
    );
  });
  const withClaims = each(withStrategy, "volumeClaimTemplates", (claim) =>
    inside(
      filled(claim, {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        status: { phase: "Pending" },
      }),
      "spec",
      (claimSpec) => filled(claimSpec, { volumeMode: "Filesystem" }),
    ),
  );
  return inside(withClaims, "template", template);
});

/** A deprecated count of templates lives on as an annotation. */
const templateGeneration = "deprecated.daemonset.template.generation";

const daemonSet: Fill = (object) => ({
  metadata: {
    ...object.metadata,
    annotations: { [templateGeneration]: "0", ...object.metadata.annotations },
  },
  spec: daemonSetSpec(mapAt(object, "spec")),
});

function daemonSetSpec(value: JsonMap): JsonMap {
  const full = filled(value, { updateStrategy: {}, revisionHistoryLimit: 10 });
  const withStrategy = inside(full, "updateStrategy", (given) => {
    const type = textAt(given, "type") || "RollingUpdate";
    const rolling = { maxUnavailable: 1, maxSurge: 0 };
    return filled(
      type === "RollingUpdate"
        ? { ...given, rollingUpdate: filled(mapAt(given, "rollingUpdate"), rolling) }
        : given,
      { type },
    );
  });
  return inside(withStrategy, "template", template);
}

function jobSpec(value: JsonMap): JsonMap {
  const isOpen = value["completions"] === undefined && value["parallelism"] === undefined;
  const full = filled(value, {
    ...(isOpen ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    manualSelector: false,
    podReplacementPolicy:
      value["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed",
  });
  return inside(full, "template", template);
}

/** A Job without labels has its pods'. */
const job: Fill = (object) => {
  const labels = mapAt(object, "spec", "template", "metadata", "labels");
  const isBare = Object.keys(mapAt(object, "metadata", "labels")).length === 0;
  return {
    spec: jobSpec(mapAt(object, "spec")),
    ...(isBare && Object.keys(labels).length > 0
      ? { metadata: { ...object.metadata, labels } }
      : {}),
  };
};

const cronJob = spec((value) =>
  inside(
    filled(value, {
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    }),
    "jobTemplate",
    // The API server leaves most of a Job's defaults to the Jobs that the template makes.
    (jobTemplate) =>
      inside(filled(jobTemplate, { metadata: {} }), "spec", (job) =>
        inside(job, "template", template),
      ),
  ),
);

const service = spec((value) => {
  const type = textAt(value, "type") || "ClusterIP";
  const isExternal = type === "ExternalName";
  const publishes = type === "NodePort" || type === "LoadBalancer";
  const full = filled(value, {
    type,
    sessionAffinity: "None",
    ...(isExternal ? {} : { internalTrafficPolicy: "Cluster" }),
    ...(publishes ? { externalTrafficPolicy: "Cluster" } : {}),
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: true } : {}),
    ...(textAt(value, "sessionAffinity") === "ClientIP"
      ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } }
      : {}),
  });
  const withPorts = each(full, "ports", (port) =>
    filled(port, { protocol: "TCP", targetPort: port["port"] }),
  );
  return textAt(withPorts, "sessionAffinity") === "None"
    ? without(withPorts, "sessionAffinityConfig")
    : withPorts;
});

/** `stringData` is for writing only: its values end up encoded in `data`. */
const secret: Fill = (object) => {
  const given = mapAt(object, "stringData");
  const encoded = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key,
      Buffer.from(typeof value === "string" ? value : "").toString("base64"),
    ]),
  );
  const type = textAt(object, "type") || "Opaque";
  return Object.keys(encoded).length === 0
    ? { type }
    : { type, data: { ...mapAt(object, "data"), ...encoded } };
};

const networkPolicy = spec((value) => {
  const rules = (map: JsonMap): JsonMap =>
    each(map, "ports", (port) => filled(port, { protocol: "TCP" }));
  const types = ["Ingress", ...(listAt(value, "egress").length > 0 ? ["Egress"] : [])];
  return through(
    filled(value, { policyTypes: types, podSelector: {} }),
    (map) => each(map, "ingress", rules),
    (map) => each(map, "egress", rules),
  );
});

const rbacGroup = "rbac.authorization.k8s.io";

const binding: Fill = (object) => {
  const reference = mapAt(object, "roleRef");
  const subjects = listAt(object, "subjects").map((subject) =>
    isMap(subject)
      ? filled(subject, textAt(subject, "kind") === "ServiceAccount" ? {} : { apiGroup: rbacGroup })
      : subject,
  );
  return {
    roleRef: filled(reference, { apiGroup: rbacGroup }),
    ...(subjects.length === 0 ? {} : { subjects }),
  };
};

const definition = spec((value) => {
  const names = mapAt(value, "names");
  const kind = textAt(names, "kind");
  return inside(filled(value, { conversion: { strategy: "None" } }), "names", (given) =>
    filled(given, { singular: kind.toLowerCase(), listKind: `${kind}List` }),
  );
});

const namespace: Fill = (object) => ({
  metadata: {
    ...object.metadata,
    labels: { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name },
  },
  spec: filled(mapAt(object, "spec"), {}),
  status: filled(mapAt(object, "status"), { phase: "Active" }),
});

const autoscaler = spec((value) =>
  filled(value, {
    minReplicas: 1,
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ],
  }),
);

const defaultsByKind: { readonly [key: string]: Fill } = {
  "/namespaces": namespace,
  "/pods": (object) => ({
    // Templates keep what their author wrote; only a pod that is to run asks for its limits.
    spec: ["containers", "initContainers"].reduce(
      (map, list) => each(map, list, (one) => inside(one, "resources", resources)),
      filled(podSpec(mapAt(object, "spec")), { enableServiceLinks: true }),
    ),
    status: filled(mapAt(object, "status"), { phase: "Pending" }),
  }),
  "/services": service,
  "/secrets": secret,
  "/persistentvolumes": (object) => ({
    spec: filled(mapAt(object, "spec"), {
      persistentVolumeReclaimPolicy: "Retain",
      volumeMode: "Filesystem",
    }),
    status: filled(mapAt(object, "status"), { phase: "Pending" }),
  }),
  "/persistentvolumeclaims": (object) => ({
    spec: filled(mapAt(object, "spec"), { volumeMode: "Filesystem" }),
    status: filled(mapAt(object, "status"), { phase: "Pending" }),
  }),
  "/replicationcontrollers": replicas,
  "apps/deployments": deployment,
  "apps/replicasets": replicas,
  "apps/statefulsets": statefulSet,
  "apps/daemonsets": daemonSet,
  "batch/jobs": job,
  "batch/cronjobs": cronJob,
  "networking.k8s.io/networkpolicies": networkPolicy,
  "autoscaling/horizontalpodautoscalers": autoscaler,
  "rbac.authorization.k8s.io/rolebindings": binding,
  "rbac.authorization.k8s.io/clusterrolebindings": binding,
  "apiextensions.k8s.io/customresourcedefinitions": definition,
  "storage.k8s.io/storageclasses": (object) =>
    filled(
      { reclaimPolicy: object["reclaimPolicy"] ?? "Delete" },
      { volumeBindingMode: object["volumeBindingMode"] ?? "Immediate" },
    ),
};

/** An object as it is kept: write-only fields are gone. */
export const withoutWriteOnly = (key: string, object: KubeObject): KubeObject =>
  key === "/secrets" && "stringData" in object
    ? {
        ...without(object, "stringData"),
        apiVersion: object.apiVersion,
        kind: object.kind,
        metadata: object.metadata,
      }
    : object;
