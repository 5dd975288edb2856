/** What a cloud and a few small controllers do for Services, Ingresses, volumes, budgets and quotas. */
import { claimFinalizer } from "../admission.ts";
import { withConditions, type Condition } from "../conditions.ts";
import { at, compact, listAt, mapAt, mapsAt, numberAt, textAt, type JsonMap } from "../json.ts";
import { builtIn } from "../kinds.ts";
import { isTerminating, namespaceOf, uidOf, type KubeObject } from "../object.ts";
import { quotaNames } from "../quota.ts";
import { labelsOf, matchesLabels, requirementsOf } from "../selectors.ts";
import { itself, managerName, nameOf, type Controller, type Host } from "./host.ts";
import { isActive, isReady } from "./pods.ts";
import { portion } from "./workloads.ts";

const services = builtIn("/services");
const ingresses = builtIn("networking.k8s.io/ingresses");
const claims = builtIn("/persistentvolumeclaims");
const volumes = builtIn("/persistentvolumes");
const classes = builtIn("storage.k8s.io/storageclasses");
const pods = builtIn("/pods");
const quotas = builtIn("/resourcequotas");
const budgets = builtIn("policy/poddisruptionbudgets");
const autoscalers = builtIn("autoscaling/horizontalpodautoscalers");

const provisionMs = 1000;

export const createSurroundings = (host: Host): readonly Controller[] => [
  createAddressController(
    host,
    "load-balancers",
    services,
    (object) => textAt(object, "spec", "type") === "LoadBalancer",
  ),
  createAddressController(host, "ingresses", ingresses, () => true),
  createEndpointsController(host),
  createClaimController(host),
  createQuotaController(host),
  createBudgetController(host),
  createAutoscalerController(host),
];

/** Gives an address to whatever is reached from outside, a moment after it asked. */
function createAddressController(
  host: Host,
  name: string,
  kind: typeof services,
  wantsAddress: (object: KubeObject) => boolean,
): Controller {
  let addresses = 0;
  const has = (object: KubeObject): boolean =>
    listAt(object, "status", "loadBalancer", "ingress").length > 0;
  return {
    name,
    concerns: itself(kind.key),
    reconcile: (found) => {
      const object = host.get(kind.key, found);
      if (object === undefined || isTerminating(object)) return;
      if (!wantsAddress(object)) {
        if (has(object)) host.setStatus(kind.key, object, { loadBalancer: {} });
        return;
      }
      if (has(object)) return;
      host.world.time.after(provisionMs, () => {
        const now = host.get(kind.key, found);
        if (now === undefined || uidOf(now) !== uidOf(object) || has(now) || !wantsAddress(now))
          return;
        addresses += 1;
        const entry =
          kind === services
            ? { ip: addressOf(addresses), ipMode: "VIP" }
            : { ip: addressOf(addresses) };
        host.setStatus(
          kind.key,
          now,
          { ...mapAt(now, "status"), loadBalancer: { ingress: [entry] } },
          "cloud-controller-manager",
        );
      });
    },
  };
}

const addressOf = (index: number): string => `203.0.113.${(index % 250) + 1}`;

/** The addresses of a Service's ready pods. */
function createEndpointsController(host: Host): Controller {
  const { store } = host.world;
  const endpoints = builtIn("/endpoints");
  return {
    name: "endpoints",
    concerns: (change) => {
      if (change.kind === services.key) return itself(services.key)(change);
      if (change.kind !== pods.key) return [];
      const isNews =
        change.is === undefined ||
        change.was === undefined ||
        isReady(change.was) !== isReady(change.is);
      return isNews
        ? store
            .list(services.key, namespaceOf(change.last))
            .filter((service) => selects(service, change.last))
            .map(nameOf)
        : [];
    },
    reconcile: (name) => {
      const service = host.get(services.key, name);
      const current = host.get(endpoints.key, name);
      if (service === undefined) {
        if (current !== undefined) host.remove(endpoints, current);
        return;
      }
      if (Object.keys(mapAt(service, "spec", "selector")).length === 0) return;
      const ready = store
        .list(pods.key, name.namespace)
        .filter((pod) => isActive(pod) && isReady(pod) && selects(service, pod));
      const addresses = ready.map((pod) => ({
        ip: textAt(pod, "status", "podIP"),
        nodeName: textAt(pod, "spec", "nodeName"),
        targetRef: {
          kind: "Pod",
          namespace: name.namespace,
          name: pod.metadata.name,
          uid: uidOf(pod),
        },
      }));
      const ports = mapsAt(service, "spec", "ports").map((port) =>
        compact({
          name: at(port, "name"),
          port: numberAt(port, "targetPort") ?? numberAt(port, "port"),
          protocol: at(port, "protocol"),
        }),
      );
      const subsets = addresses.length === 0 ? [] : [{ addresses, ports }];
      if (current === undefined) {
        host.make(endpoints.key, {
          apiVersion: "v1",
          kind: "Endpoints",
          metadata: {
            ...name,
            labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
          },
          ...(subsets.length === 0 ? {} : { subsets }),
        });
        return;
      }
      const target = { kind: endpoints, ...name, subresource: "" };
      host.world.resources.replace(target, current, { ...current, subsets }, managerName);
    },
  };
}

const selects = (service: KubeObject, pod: KubeObject): boolean => {
  const selector = requirementsOf(mapAt(service, "spec", "selector"));
  return selector.length > 0 && matchesLabels(selector, labelsOf(pod));
};

/** Binds claims: at once, or once a pod uses them, as their class says. */
function createClaimController(host: Host): Controller {
  const { store, time } = host.world;
  const className = (claim: KubeObject): string => {
    const given = textAt(claim, "spec", "storageClassName");
    if (given !== "") return given;
    const standard = store
      .list(classes.key)
      .find(
        (one) =>
          one.metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
      );
    return standard?.metadata.name ?? "";
  };
  const isUsed = (claim: KubeObject): boolean =>
    store
      .list(pods.key, namespaceOf(claim))
      .some((pod) => claimsOf(pod).includes(claim.metadata.name));

  /** A pod that runs nowhere yet mounts nothing. */
  const isMounted = (claim: KubeObject): boolean =>
    store
      .list(pods.key, namespaceOf(claim))
      .some(
        (pod) =>
          textAt(pod, "spec", "nodeName") !== "" && claimsOf(pod).includes(claim.metadata.name),
      );

  const release = (claim: KubeObject): void => {
    const finalizers = claim.metadata.finalizers ?? [];
    const left = finalizers.filter((one) => one !== claimFinalizer);
    if (left.length < finalizers.length)
      host.setMeta(claims, claim, { finalizers: left.length === 0 ? undefined : left });
  };

  const bind = (claim: KubeObject): void => {
    const volume = `pvc-${uidOf(claim)}`;
    const spec = mapAt(claim, "spec");
    const storageClassName = className(claim);
    const capacity = { storage: textAt(spec, "resources", "requests", "storage") };
    if (store.get(volumes.key, "", volume) === undefined) {
      const made = host.make(volumes.key, {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: volume },
        spec: {
          capacity,
          accessModes: listAt(spec, "accessModes"),
          persistentVolumeReclaimPolicy: "Delete",
          storageClassName,
          hostPath: { path: `/simulated/${volume}` },
          claimRef: {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            namespace: namespaceOf(claim),
            name: claim.metadata.name,
            uid: uidOf(claim),
          },
        },
      });
      host.setStatus(volumes.key, made, { phase: "Bound" });
    }
    const placed = host.setSpec(claims.key, claim, { volumeName: volume, storageClassName });
    const accessModes = listAt(spec, "accessModes");
    host.setStatus(claims.key, placed, { phase: "Bound", accessModes, capacity });
  };

  return {
    name: claims.plural,
    concerns: (change) => {
      if (change.kind === pods.key && (change.was === undefined || change.is === undefined))
        return claimsOf(change.last).map((name) => ({
          namespace: namespaceOf(change.last),
          name,
        }));
      if (change.kind === classes.key) return store.list(claims.key).map(nameOf);
      return itself(claims.key)(change);
    },
    reconcile: (name) => {
      const claim = host.get(claims.key, name);
      if (claim === undefined) return;
      if (isTerminating(claim)) {
        if (!isMounted(claim)) release(claim);
        return;
      }
      if (textAt(claim, "status", "phase") === "Bound") return;
      const storage = store.get(classes.key, "", className(claim));
      if (storage === undefined) return;
      const waits = textAt(storage, "volumeBindingMode") === "WaitForFirstConsumer";
      if (waits && !isUsed(claim)) return;
      time.after(provisionMs, () => {
        const now = host.get(claims.key, name);
        const isOpen = now !== undefined && textAt(now, "status", "phase") !== "Bound";
        if (isOpen && !isTerminating(now)) bind(now);
      });
    },
  };
}

const claimsOf = (pod: KubeObject): readonly string[] =>
  mapsAt(pod, "spec", "volumes")
    .map((volume) => textAt(volume, "persistentVolumeClaim", "claimName"))
    .filter((name) => name !== "");

/** Keeps count of what a quota limits. */
function createQuotaController(host: Host): Controller {
  const { store, resources } = host.world;
  return {
    name: quotas.plural,
    concerns: (change) => {
      if (change.kind === quotas.key) return itself(quotas.key)(change);
      const isCounted = change.was === undefined || change.is === undefined;
      const namespace = namespaceOf(change.last);
      return isCounted && namespace !== "" && store.count(quotas.key, namespace) > 0
        ? store.list(quotas.key, namespace).map(nameOf)
        : [];
    },
    reconcile: (name) => {
      const quota = host.get(quotas.key, name);
      if (quota === undefined) return;
      const hard = mapAt(quota, "spec", "hard");
      const counts = new Map(
        resources
          .kinds()
          .flatMap((kind) =>
            quotaNames(kind).map((counted) => [counted, store.count(kind.key, name.namespace)]),
          ),
      );
      const used = Object.fromEntries(
        Object.keys(hard).map((resource) => [resource, String(counts.get(resource) ?? 0)]),
      );
      host.setStatus(quotas.key, quota, { hard, used });
    },
  };
}

function createBudgetController(host: Host): Controller {
  const { store, time } = host.world;
  return {
    name: budgets.plural,
    concerns: (change) => {
      if (change.kind !== pods.key) return itself(budgets.key)(change);
      const namespace = namespaceOf(change.last);
      return store.count(budgets.key, namespace) === 0
        ? []
        : store.list(budgets.key, namespace).map(nameOf);
    },
    reconcile: (name) => {
      const budget = host.get(budgets.key, name);
      if (budget === undefined || isTerminating(budget)) return;
      const spec = mapAt(budget, "spec");
      const selector = requirementsOf(spec["selector"]);
      const chosen = store
        .list(pods.key, name.namespace)
        .filter((pod) => isActive(pod) && matchesLabels(selector, labelsOf(pod)));
      const expectedPods = chosen.length;
      const currentHealthy = chosen.filter(isReady).length;
      const desiredHealthy =
        "minAvailable" in spec
          ? portion(spec["minAvailable"], expectedPods, "up")
          : expectedPods - portion(spec["maxUnavailable"], expectedPods, "up");
      const disruptionsAllowed = Math.max(0, currentHealthy - desiredHealthy);
      const isEnough = disruptionsAllowed > 0;
      const conditions = withConditions(budget, time.stamp(), [
        {
          type: "DisruptionAllowed",
          status: isEnough ? "True" : "False",
          reason: isEnough ? "SufficientPods" : "InsufficientPods",
          message: "",
        },
      ]);
      host.setStatus(budgets.key, budget, {
        observedGeneration: budget.metadata.generation ?? 1,
        disruptionsAllowed,
        currentHealthy,
        desiredHealthy,
        expectedPods,
        conditions: conditions.map((condition): JsonMap => ({
          ...condition,
          observedGeneration: budget.metadata.generation ?? 1,
        })),
      });
    },
  };
}

function createAutoscalerController(host: Host): Controller {
  const { store, time } = host.world;
  const scalable: { readonly [kind: string]: string } = {
    Deployment: "apps/deployments",
    StatefulSet: "apps/statefulsets",
    ReplicaSet: "apps/replicasets",
  };
  const targetOf = (autoscaler: KubeObject): KubeObject | undefined => {
    const reference = mapAt(autoscaler, "spec", "scaleTargetRef");
    const key = scalable[textAt(reference, "kind")];
    return key === undefined
      ? undefined
      : store.get(key, namespaceOf(autoscaler), textAt(reference, "name"));
  };
  return {
    name: autoscalers.plural,
    concerns: (change) => {
      if (!Object.values(scalable).includes(change.kind)) return itself(autoscalers.key)(change);
      return store
        .list(autoscalers.key, namespaceOf(change.last))
        .filter(
          (one) => textAt(one, "spec", "scaleTargetRef", "name") === change.last.metadata.name,
        )
        .map(nameOf);
    },
    reconcile: (name) => {
      const autoscaler = host.get(autoscalers.key, name);
      if (autoscaler === undefined || isTerminating(autoscaler)) return;
      const target = targetOf(autoscaler);
      const now = time.stamp();
      const current = target === undefined ? 0 : (numberAt(target, "spec", "replicas") ?? 1);
      const conditions: readonly Condition[] =
        target === undefined
          ? [
              {
                type: "AbleToScale",
                status: "False",
                reason: "FailedGetScale",
                message: "the HPA controller was unable to get the target's current scale",
              },
            ]
          : [
              {
                type: "AbleToScale",
                status: "True",
                reason: "ReadyForNewScale",
                message: "recommended size matches current size",
              },
              {
                type: "ScalingActive",
                status: current === 0 ? "False" : "True",
                reason: current === 0 ? "ScalingDisabled" : "ValidMetricFound",
                message:
                  current === 0
                    ? "scaling is disabled since the replica count of the target is zero"
                    : "the HPA was able to successfully calculate a replica count",
              },
              {
                type: "ScalingLimited",
                status: "False",
                reason: "DesiredWithinRange",
                message: "the desired count is within the acceptable range",
              },
            ];
      host.setStatus(autoscalers.key, autoscaler, {
        currentReplicas: current,
        desiredReplicas: current,
        currentMetrics: [],
        conditions: withConditions(autoscaler, now, conditions),
      });
      scaleIntoRange(autoscaler, target, current);
    },
  };

  function scaleIntoRange(
    autoscaler: KubeObject,
    target: KubeObject | undefined,
    current: number,
  ): void {
    if (target === undefined || current === 0) return;
    const least = numberAt(autoscaler, "spec", "minReplicas") ?? 1;
    const most = numberAt(autoscaler, "spec", "maxReplicas") ?? least;
    const wanted = Math.min(Math.max(current, least), most);
    const key = scalable[target.kind];
    if (wanted !== current && key !== undefined) host.setSpec(key, target, { replicas: wanted });
  }
}
