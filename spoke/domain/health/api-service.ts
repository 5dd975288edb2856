import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, type Assessment } from "./assessment.ts";
import { conditionOf } from "./conditions.ts";

/** How long an API may be unavailable before that is called a failure. */
const apiUnavailableGraceMs = 60_000;

export function assessApiService(object: KubeObject, nowMs: number): Assessment {
  const available = conditionOf(object, "Available");
  if (available === undefined) return progressing("Waiting to be processed");
  const message = `${available.reason}: ${available.message}`;
  if (available.status === "True") return healthy(message);
  if (available.sinceMs === undefined) return progressing(message);
  const failsAtMs = available.sinceMs + apiUnavailableGraceMs;
  return nowMs >= failsAtMs
    ? degraded(message)
    : { ...progressing(message), reviewAtMs: failsAtMs };
}
