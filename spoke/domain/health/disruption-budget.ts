import { isFields } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, type Assessment } from "./assessment.ts";
import { conditionsOf } from "./conditions.ts";

export function assessDisruptionBudget(object: KubeObject): Assessment {
  if (!isFields(object["status"])) return progressing("Waiting for status");
  // Too few pods to allow a disruption is what a budget is for.
  const failed = conditionsOf(object).find(
    ({ status, reason }) => status === "False" && reason !== "InsufficientPods",
  );
  return failed === undefined ? healthy() : degraded(failed.message || failed.reason);
}
