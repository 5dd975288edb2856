import { numberAt, textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { healthy, progressing, type Assessment } from "./assessment.ts";
import { isBehind } from "./generation.ts";

export function assessDaemonSet(object: KubeObject): Assessment {
  if (isBehind(object))
    return progressing(
      "Waiting for rollout to finish: observed daemon set generation less than desired generation",
    );
  const updated = numberAt(object, "status", "updatedNumberScheduled") ?? 0;
  const desired = numberAt(object, "status", "desiredNumberScheduled") ?? 0;
  const available = numberAt(object, "status", "numberAvailable") ?? 0;
  if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete")
    return healthy(`daemon set ${updated} out of ${desired} new pods have been updated`);
  const waiting = `Waiting for daemon set "${object.metadata.name}" rollout to finish:`;
  if (updated < desired)
    return progressing(`${waiting} ${updated} out of ${desired} new pods have been updated...`);
  if (available < desired)
    return progressing(`${waiting} ${available} of ${desired} updated pods are available...`);
  return healthy();
}
