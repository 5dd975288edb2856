/** What the API server adds to objects it takes in, and what it keeps when an update is silent about it. */
import {
  at,
  isMap,
  listAt,
  mapAt,
  mapsAt,
  sameJson,
  textAt,
  type Json,
  type JsonMap,
} from "./json.ts";
import { uidOf, withMeta, type KubeObject } from "./object.ts";

export type Allocator = {
  readonly clusterIp: () => string;
  readonly nodePort: () => number;
};

export function createAllocator(): Allocator {
  let addresses = 10;
  let ports = 30_000;
  return {
    clusterIp: () => {
      addresses += 1;
      return `10.96.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`;
    },
    nodePort: () => {
      ports = ports >= 32_767 ? 30_001 : ports + 1;
      return ports;
    },
  };
}

/** A claim is in use as long as a pod mounts it: a controller says when it is not. */
export const claimFinalizer = "kubernetes.io/pvc-protection";

/** The object as it is first kept: defaults are in, identity is set. */
export function admitNew(key: string, object: KubeObject, allocator: Allocator): KubeObject {
  const fresh = withInitialStatus(key, object);
  switch (key) {
    case "/namespaces":
      return { ...fresh, spec: { ...mapAt(fresh, "spec"), finalizers: ["kubernetes"] } };
    case "/services":
      return withAddresses(fresh, undefined, allocator);
    case "/pods":
      return withPodDefaults(fresh);
    case "batch/jobs":
      return withJobSelector(fresh);
    case "apps/daemonsets":
      return withMeta(fresh, {
        annotations: { ...fresh.metadata.annotations, [templateCount]: "1" },
      });
    case "/persistentvolumeclaims":
      return withMeta(fresh, {
        finalizers: [
          ...(fresh.metadata.finalizers ?? []).filter((one) => one !== claimFinalizer),
          claimFinalizer,
        ],
      });
    case "apiextensions.k8s.io/customresourcedefinitions":
      return withMeta(fresh, {
        finalizers: [
          ...(fresh.metadata.finalizers ?? []),
          "customresourcecleanup.apiextensions.k8s.io",
        ],
      });
    default:
      return fresh;
  }
}

/** The object as an update leaves it: what was allocated stays when the update is silent. */
export function admitChange(
  key: string,
  was: KubeObject,
  object: KubeObject,
  allocator: Allocator,
): KubeObject {
  switch (key) {
    case "/services":
      return withAddresses(withoutPublished(object, was), was, allocator);
    case "/namespaces":
      // Only the finalize endpoint writes these.
      return { ...object, spec: mapAt(was, "spec") };
    case "apps/daemonsets":
      return withTemplateCount(object, was);
    case "/secrets":
      return object["type"] === undefined && was["type"] !== undefined
        ? { ...object, type: was["type"] }
        : object;
    case "batch/jobs":
      return at(object, "spec", "selector") === undefined
        ? {
            ...object,
            spec: { ...mapAt(object, "spec"), selector: at(was, "spec", "selector") ?? {} },
          }
        : object;
    default:
      return object;
  }
}

const emptyStatus: { readonly [key: string]: JsonMap } = {
  "/namespaces": { phase: "Active" },
  "/services": { loadBalancer: {} },
  "/pods": { phase: "Pending" },
  "/persistentvolumes": { phase: "Pending" },
  "/persistentvolumeclaims": { phase: "Pending" },
  "/resourcequotas": {},
  "/replicationcontrollers": { replicas: 0 },
  "apps/deployments": {},
  "apps/replicasets": { replicas: 0 },
  "apps/statefulsets": { replicas: 0, availableReplicas: 0 },
  "apps/daemonsets": {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  },
  "batch/jobs": {},
  "batch/cronjobs": {},
  "networking.k8s.io/ingresses": { loadBalancer: {} },
  "policy/poddisruptionbudgets": {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
  },
  "autoscaling/horizontalpodautoscalers": { desiredReplicas: 0, currentMetrics: null },
  "apiextensions.k8s.io/customresourcedefinitions": {
    conditions: [],
    acceptedNames: { plural: "", kind: "" },
    storedVersions: [],
  },
};

/** Nodes bring their own status; everybody else starts with an empty one. */
function withInitialStatus(key: string, object: KubeObject): KubeObject {
  const status = emptyStatus[key];
  return status === undefined ? object : { ...object, status };
}

const templateCount = "deprecated.daemonset.template.generation";

/** A changed template counts, and the annotation that says so stays through an update without it. */
function withTemplateCount(object: KubeObject, was: KubeObject): KubeObject {
  const count = Number(was.metadata.annotations?.[templateCount] ?? "1");
  const isSame = sameJson(at(object, "spec", "template"), at(was, "spec", "template"));
  return withMeta(object, {
    annotations: {
      ...object.metadata.annotations,
      [templateCount]: String(isSame ? count : count + 1),
    },
  });
}

/** A Service that is published no longer gives back what was allocated for that. */
function withoutPublished(object: KubeObject, was: KubeObject): KubeObject {
  const publishes = (one: KubeObject): boolean =>
    ["NodePort", "LoadBalancer"].includes(textAt(one, "spec", "type"));
  if (!publishes(was) || publishes(object)) return object;
  const before = mapAt(was, "spec");
  const spec = Object.fromEntries(
    Object.entries(mapAt(object, "spec")).filter(
      ([field, value]) => !publishedFields.has(field) || !sameJson(value, before[field]),
    ),
  );
  const taken = new Set(mapsAt(before, "ports").map((port) => port["nodePort"]));
  const ports = mapsAt(spec, "ports").map((port): JsonMap => {
    const { nodePort, ...rest } = port;
    return nodePort === undefined || taken.has(nodePort) ? rest : port;
  });
  return { ...object, spec: { ...spec, ports } };
}

const publishedFields = new Set([
  "externalTrafficPolicy",
  "healthCheckNodePort",
  "allocateLoadBalancerNodePorts",
  "loadBalancerClass",
]);

function withAddresses(
  object: KubeObject,
  was: KubeObject | undefined,
  allocator: Allocator,
): KubeObject {
  const spec = mapAt(object, "spec");
  const type = textAt(spec, "type");
  if (type === "ExternalName") {
    const { clusterIP: _a, clusterIPs: _b, ...rest } = spec;
    return { ...object, spec: rest };
  }
  const given = textAt(spec, "clusterIP");
  const kept = textAt(was, "spec", "clusterIP");
  const address = given || kept || allocator.clusterIp();
  const publishes = type === "NodePort" || type === "LoadBalancer";
  const before = mapsAt(was, "spec", "ports");
  const ports = mapsAt(spec, "ports").map((port): JsonMap => {
    if (!publishes || port["nodePort"] !== undefined) return port;
    const same = before.find(
      (other) => other["port"] === port["port"] && other["protocol"] === port["protocol"],
    );
    return { ...port, nodePort: same?.["nodePort"] ?? allocator.nodePort() };
  });
  const checksHealth = type === "LoadBalancer" && textAt(spec, "externalTrafficPolicy") === "Local";
  const healthPort = mapAt(was, "spec")["healthCheckNodePort"] ?? undefined;
  return {
    ...object,
    spec: {
      ...spec,
      ...(checksHealth && spec["healthCheckNodePort"] === undefined
        ? { healthCheckNodePort: healthPort ?? allocator.nodePort() }
        : {}),
      ...(ports.length === 0 ? {} : { ports }),
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: spec["ipFamilies"] ?? ["IPv4"],
      ipFamilyPolicy: spec["ipFamilyPolicy"] ?? "SingleStack",
    },
  };
}

const podTolerations: readonly Json[] = ["not-ready", "unreachable"].map((what) => ({
  key: `node.kubernetes.io/${what}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

function withPodDefaults(object: KubeObject): KubeObject {
  const spec = mapAt(object, "spec");
  const account = textAt(spec, "serviceAccountName") || "default";
  const resources = mapsAt(spec, "containers").map((container) => mapAt(container, "resources"));
  const hasAny = resources.some((one) => isMap(one["requests"]) || isMap(one["limits"]));
  return {
    ...object,
    spec: {
      ...spec,
      serviceAccountName: account,
      serviceAccount: account,
      priority: spec["priority"] ?? 0,
      preemptionPolicy: spec["preemptionPolicy"] ?? "PreemptLowerPriority",
      tolerations: [...listAt(spec, "tolerations"), ...podTolerations],
    },
    status: { phase: "Pending", qosClass: hasAny ? "Burstable" : "BestEffort" },
  };
}

/** Jobs select their own pods by the Job's uid, unless the author insists on a selector. */
function withJobSelector(object: KubeObject): KubeObject {
  const spec = mapAt(object, "spec");
  if (spec["manualSelector"] === true) return object;
  const uid = uidOf(object);
  const name = object.metadata.name;
  const template = mapAt(spec, "template");
  const labels = {
    ...mapAt(template, "metadata", "labels"),
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const made: KubeObject = {
    ...object,
    spec: {
      ...spec,
      selector: {
        matchLabels: {
          ...mapAt(spec, "selector", "matchLabels"),
          "batch.kubernetes.io/controller-uid": uid,
        },
      },
      template: { ...template, metadata: { ...mapAt(template, "metadata"), labels } },
    },
  };
  return object.metadata.labels === undefined ? withMeta(made, { labels }) : made;
}
