import { numberAt, valueAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, suspended, type Assessment } from "./assessment.ts";
import { conditionOf } from "./conditions.ts";
import { isBehind } from "./generation.ts";

/** How long a finished rollout may be without enough available pods before that is called a failure. */
const unavailableGraceMs = 60_000;

export function assessDeployment(object: KubeObject, nowMs: number): Assessment {
  if (valueAt(object, "spec", "paused") === true) return suspended("Deployment is paused");
  if (isBehind(object))
    return progressing(
      "Waiting for rollout to finish: observed deployment generation less than desired generation",
    );
  if (conditionOf(object, "Progressing")?.reason === "ProgressDeadlineExceeded")
    return degraded(`Deployment "${object.metadata.name}" exceeded its progress deadline`);

  const replicas = numberAt(object, "spec", "replicas");
  const updated = numberAt(object, "status", "updatedReplicas") ?? 0;
  const total = numberAt(object, "status", "replicas") ?? 0;
  const available = numberAt(object, "status", "availableReplicas") ?? 0;
  const failure = conditionOf(object, "ReplicaFailure");
  // Quota and admission refuse the very first pod; waiting for the deadline would only hide the reason.
  if (failure?.status === "True" && updated === 0 && replicas !== 0)
    return degraded(failure.message);
  if (replicas !== undefined && updated < replicas)
    return progressing(
      `Waiting for rollout to finish: ${updated} out of ${replicas} new replicas have been updated...`,
    );
  if (total > updated)
    return progressing(
      `Waiting for rollout to finish: ${total - updated} old replicas are pending termination...`,
    );
  if (available < updated) return unavailable(object, available, updated, nowMs);
  return healthy();
}

/** Pods that fail after their rollout ended never run into the progress deadline. */
function unavailable(
  object: KubeObject,
  available: number,
  updated: number,
  nowMs: number,
): Assessment {
  const waiting = `Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`;
  const condition = conditionOf(object, "Available");
  const isRolledOut = conditionOf(object, "Progressing")?.reason === "NewReplicaSetAvailable";
  if (!isRolledOut || condition?.status !== "False" || condition.sinceMs === undefined)
    return progressing(waiting);
  const failsAtMs = condition.sinceMs + unavailableGraceMs;
  return nowMs >= failsAtMs
    ? degraded(condition.message)
    : { ...progressing(waiting), reviewAtMs: failsAtMs };
}
