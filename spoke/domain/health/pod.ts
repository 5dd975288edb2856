import { isFields, listAt, numberAt, textAt, valueAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, unknown, type Assessment } from "./assessment.ts";
import { conditionOf } from "./conditions.ts";

/** How long the scheduler may find no node before that is called a failure. */
export const unschedulableGraceMs = 60_000;

export function assessPod(object: KubeObject, nowMs: number): Assessment {
  const longRunning = isLongRunning(object);
  const stuck = longRunning ? stuckContainers(object) : [];
  if (stuck.length > 0) return degraded(stuck.filter((message) => message !== "").join(", "));

  const message = textAt(object, "status", "message");
  switch (textAt(object, "status", "phase")) {
    case "Pending":
      return pending(object, message, nowMs);
    case "Succeeded":
      return healthy(message);
    case "Failed":
      return degraded(message || failureOf(object));
    case "Running":
      return longRunning ? running(object, message) : progressing(message);
    default:
      return unknown(message);
  }
}

function isLongRunning(object: KubeObject): boolean {
  const policy = textAt(object, "spec", "restartPolicy");
  if (policy === "Always" || policy === "") return true;
  const annotations = object.metadata.annotations ?? {};
  const isHook = "argocd.argoproj.io/hook" in annotations || "helm.sh/hook" in annotations;
  return !isHook && annotations["argocd.argoproj.io/ignore-restart-policy"] === "true";
}

/** One message, perhaps empty, for each container that cannot start. */
const stuckContainers = (object: KubeObject): readonly string[] =>
  [
    ...listAt(object, "status", "initContainerStatuses"),
    ...listAt(object, "status", "containerStatuses"),
  ]
    .map((container) => valueAt(container, "state", "waiting"))
    .filter((waiting) => /^Err|Error$|BackOff$/.test(textAt(waiting, "reason")))
    .map((waiting) => textAt(waiting, "message"));

function pending(object: KubeObject, message: string, nowMs: number): Assessment {
  const scheduled = conditionOf(object, "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable")
    return progressing(message);
  if (scheduled.sinceMs === undefined) return progressing(message);
  const failsAtMs = scheduled.sinceMs + unschedulableGraceMs;
  return nowMs >= failsAtMs
    ? degraded(scheduled.message)
    : { ...progressing(message), reviewAtMs: failsAtMs };
}

function running(object: KubeObject, message: string): Assessment {
  if (conditionOf(object, "Ready")?.status === "True") return healthy(message);
  const hasFailedBefore = listAt(object, "status", "containerStatuses").some((container) =>
    isFields(valueAt(container, "lastState", "terminated")),
  );
  return hasFailedBefore ? degraded(message) : progressing(message);
}

/** The first container that says how it ended, init containers before the others. */
function failureOf(object: KubeObject): string {
  const containers = [
    ...listAt(object, "status", "initContainerStatuses"),
    ...listAt(object, "status", "containerStatuses"),
  ];
  for (const container of containers) {
    const terminated = valueAt(container, "state", "terminated");
    const message = textAt(terminated, "message");
    if (message !== "") return message;
    if (textAt(terminated, "reason") === "OOMKilled") return "OOMKilled";
    const exitCode = numberAt(terminated, "exitCode") ?? 0;
    if (exitCode !== 0)
      return `container "${textAt(container, "name")}" failed with exit code ${exitCode}`;
  }
  return "";
}
