import { numberAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, type Assessment } from "./assessment.ts";
import { conditionOf } from "./conditions.ts";
import { isBehind } from "./generation.ts";

export function assessReplicaSet(object: KubeObject): Assessment {
  if (isBehind(object))
    return progressing(
      "Waiting for rollout to finish: observed replica set generation less than desired generation",
    );
  const failure = conditionOf(object, "ReplicaFailure");
  if (failure?.status === "True") return degraded(failure.message);
  const replicas = numberAt(object, "spec", "replicas");
  const available = numberAt(object, "status", "availableReplicas") ?? 0;
  if (replicas !== undefined && available < replicas)
    return progressing(
      `Waiting for rollout to finish: ${available} out of ${replicas} new replicas are available...`,
    );
  return healthy();
}
