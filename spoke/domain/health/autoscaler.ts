import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, suspended, type Assessment } from "./assessment.ts";
import { conditionsOf, readConditions, type Condition } from "./conditions.ts";

const failures: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["AbleToScale", new Set(["FailedGetScale", "FailedUpdateScale"])],
  [
    "ScalingActive",
    new Set([
      "FailedGetResourceMetric",
      "FailedGetObjectMetric",
      "FailedGetPodsMetric",
      "FailedGetExternalMetric",
      "FailedComputeMetricsReplicas",
      "InvalidSelector",
    ]),
  ],
]);

export function assessAutoscaler(object: KubeObject): Assessment {
  const conditions = conditionsIn(object);
  const failed = conditions.find(({ type, reason }) => failures.get(type)?.has(reason) === true);
  if (failed !== undefined) return degraded(failed.message);
  const disabled = conditions.find(
    ({ type, reason }) => type === "ScalingActive" && reason === "ScalingDisabled",
  );
  if (disabled !== undefined) return suspended(disabled.message);
  const good = conditions.find(
    ({ type, status }) =>
      (type === "AbleToScale" || type === "ScalingLimited") && status === "True",
  );
  return good === undefined ? progressing("Waiting to Autoscale") : healthy(good.message);
}

/** autoscaling/v1 has no conditions of its own; the API server keeps them in an annotation. */
function conditionsIn(object: KubeObject): readonly Condition[] {
  if (object.apiVersion !== "autoscaling/v1") return conditionsOf(object);
  const text = object.metadata.annotations?.["autoscaling.alpha.kubernetes.io/conditions"];
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? readConditions(list) : [];
  } catch {
    // Somebody else's annotation; the autoscaler reads as one that has not spoken yet.
    return [];
  }
}
