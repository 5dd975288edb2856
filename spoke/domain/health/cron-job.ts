import { isFields, listAt, textAt, valueAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, suspended, type Assessment } from "./assessment.ts";

export function assessCronJob(object: KubeObject): Assessment {
  if (valueAt(object, "spec", "suspend") === true) return suspended("CronJob is Suspended");
  if (!isFields(object["status"])) return progressing("Waiting for the first status");
  const scheduledAtMs = Date.parse(textAt(object, "status", "lastScheduleTime"));
  if (Number.isNaN(scheduledAtMs)) return healthy("CronJob has not been scheduled yet");
  if (listAt(object, "status", "active").length > 0) return healthy("CronJob is running");
  const succeededAtMs = Date.parse(textAt(object, "status", "lastSuccessfulTime"));
  if (Number.isNaN(succeededAtMs)) return healthy("CronJob has not succeeded yet");
  return succeededAtMs < scheduledAtMs
    ? degraded("CronJob has not completed its last execution successfully")
    : healthy("CronJob has completed its last execution successfully");
}
