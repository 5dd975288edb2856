import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, suspended, type Assessment } from "./assessment.ts";
import { conditionsOf } from "./conditions.ts";

/** A condition counts while its status is True: a Job that was resumed is running, not suspended. */
export function assessJob(object: KubeObject): Assessment {
  const holds = conditionsOf(object).filter((condition) => condition.status === "True");
  const messageOf = (type: string) => holds.find((condition) => condition.type === type)?.message;
  const failed = messageOf("Failed") ?? messageOf("FailureTarget");
  if (failed !== undefined) return degraded(failed);
  const paused = messageOf("Suspended");
  if (paused !== undefined) return suspended(paused);
  const complete = messageOf("Complete");
  return complete === undefined ? progressing() : healthy(complete);
}
