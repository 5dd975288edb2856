/**
 * Which fields the API keeps when they say nothing: `false`, `0` or an empty text.
 *
 * In Go, a field without a pointer that is left out when empty cannot tell "not set" from "set to nothing", and
 * so such a value is gone once an object was stored. A list of exceptions, by name: most fields are like that.
 */
import type { Json } from "../json.ts";

const kept = new Set(
  [
    // Texts.
    "address apiGroup apiVersion appProtocol cachingMode claimName completionMode conditionType",
    "container devicePath driver fieldPath fsGroupChangePolicy gmsaCredentialSpec holderIdentity",
    "ingressClassName internalTrafficPolicy ip ipFamilyPolicy ipMode key kind labelSelectorPath",
    "loadBalancerClass localhostProfile managedBy mountPath mountPropagation name nodeAffinityPolicy",
    "nodeTaintsPolicy operator path pathType plural podReplacementPolicy preemptionPolicy procMount",
    "provisioner reclaimPolicy resource resourceName runAsUserName runtimeClassName schedule scope",
    "selectPolicy server service singularName specReplicasPath status statusReplicasPath",
    "storageClassName supplementalGroupsPolicy timeZone topologyKey trafficDistribution type uid",
    "unhealthyPodEvictionPolicy value volumeAttributesClassName volumeBindingMode volumeHandle",
    "volumeID volumeMode volumePath whenUnsatisfiable group",
    // Truths.
    "allocateLoadBalancerNodePorts allowPrivilegeEscalation allowVolumeExpansion",
    "automountServiceAccountToken blockOwnerDeletion controller enableServiceLinks hostProcess",
    "hostUsers immutable manualSelector optional privileged readOnlyRootFilesystem ready",
    "runAsNonRoot served setHostnameAsFQDN shareProcessNamespace started storage suspend",
    // Numbers.
    "activeDeadlineSeconds averageUtilization backoffLimit backoffLimitPerIndex collisionCount",
    "completions containerPort currentHealthy currentNumberScheduled defaultMode",
    "deletionGracePeriodSeconds desiredHealthy desiredNumberScheduled desiredReplicas",
    "disruptionsAllowed endPort exitCode expectedPods expirationSeconds failedJobsHistoryLimit",
    "fsGroup leaseDurationSeconds leaseTransitions maxReplicas maxSkew minDomains minReplicas mode",
    "numberMisscheduled numberReady parallelism partition port priority progressDeadlineSeconds",
    "replicas restartCount revision revisionHistoryLimit runAsGroup runAsUser seconds",
    "stabilizationWindowSeconds startingDeadlineSeconds successfulJobsHistoryLimit",
    "terminatingReplicas terminationGracePeriodSeconds tolerationSeconds ttlSecondsAfterFinished",
    "weight",
  ].flatMap((line) => line.split(" ")),
);

/** Names that are kept in most places and not below these fields. */
const droppedBelow: { readonly [parent: string]: readonly string[] } = {
  env: ["value"],
  tolerations: ["key", "operator", "value"],
  httpGet: ["path"],
  paths: ["path"],
  ports: ["name"],
  subjects: ["apiGroup"],
  spec: ["type"],
  strategy: ["type"],
  updateStrategy: ["type"],
  secretRef: ["name"],
  configMapRef: ["name"],
  imagePullSecrets: ["name"],
};

/** Whether a value is gone once stored; `parent` is the name of the field that holds the field's object. */
export function isForgotten(parent: string, field: string, value: Json): boolean {
  if (value !== "" && value !== 0 && value !== false) return false;
  return !kept.has(field) || (droppedBelow[parent] ?? []).includes(field);
}
