import { isFields, numberAt, textAt, valueAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { healthy, progressing, type Assessment } from "./assessment.ts";
import { isBehind } from "./generation.ts";

export function assessStatefulSet(object: KubeObject): Assessment {
  const observed = numberAt(object, "status", "observedGeneration") ?? 0;
  if (observed === 0 || isBehind(object))
    return progressing("Waiting for statefulset spec update to be observed...");

  const replicas = numberAt(object, "spec", "replicas");
  const ready = numberAt(object, "status", "readyReplicas") ?? 0;
  const updated = numberAt(object, "status", "updatedReplicas") ?? 0;
  if (replicas !== undefined && ready < replicas)
    return progressing(`Waiting for ${replicas - ready} pods to be ready...`);

  const strategy = textAt(object, "spec", "updateStrategy", "type");
  const rolling = valueAt(object, "spec", "updateStrategy", "rollingUpdate");
  if (strategy === "RollingUpdate" && isFields(rolling)) {
    const partition = numberAt(rolling, "partition");
    if (replicas !== undefined && partition !== undefined && updated < replicas - partition)
      return progressing(
        `Waiting for partitioned roll out to finish: ${updated} out of ${replicas - partition} new pods have been updated...`,
      );
    return healthy(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  const current = textAt(object, "status", "currentRevision");
  const wanted = textAt(object, "status", "updateRevision");
  if (strategy === "OnDelete")
    return healthy(
      wanted === current
        ? `statefulset has ${ready} ready pods`
        : `statefulset has ${ready} ready pods, some of them still at revision ${current}`,
    );
  if (wanted !== current)
    return progressing(
      `waiting for statefulset rolling update to complete ${updated} pods at revision ${wanted}...`,
    );
  const pods = numberAt(object, "status", "currentReplicas") ?? 0;
  return healthy(`statefulset rolling update complete ${pods} pods at revision ${current}...`);
}
