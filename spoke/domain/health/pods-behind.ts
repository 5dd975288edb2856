import { unreachable } from "../../../proto/kit/unreachable.ts";
import { isFields, listAt, numberAt, textAt, valueAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, type Assessment } from "./assessment.ts";
import { conditionOf } from "./conditions.ts";
import { unschedulableGraceMs } from "./pod.ts";

/**
 * Why a workload is not well, by its pods.
 *
 * A workload's own status counts pods and does not say what is wrong with them: that an image cannot be
 * pulled, or that a container exits with 3. So while a workload is not healthy its pods are looked at.
 */

/** One thing that is the matter with one pod. */
export type PodFinding = {
  readonly pod: string;
  readonly text: string;
} & (
  | { readonly kind: "stuck" } // It will not come right by itself.
  | { readonly kind: "unschedulable"; readonly sinceMs: number | undefined }
  | { readonly kind: "waiting" } // It may well come right.
);

/** Where the pods of a workload are; `undefined` for what has none. */
export type PodSelector = { readonly namespace: string; readonly labelSelector: string };

const workloads = new Set([
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "apps/v1/DaemonSet",
  "apps/v1/ReplicaSet",
  "batch/v1/Job",
]);

export function podSelectorOf(object: KubeObject): PodSelector | undefined {
  const { namespace } = object.metadata;
  if (namespace === undefined || !workloads.has(`${object.apiVersion}/${object.kind}`))
    return undefined;
  const labels = valueAt(object, "spec", "selector", "matchLabels");
  const equal = isFields(labels)
    ? Object.entries(labels).flatMap(([key, value]) =>
        typeof value === "string" ? [`${key}=${value}`] : [],
      )
    : [];
  const expressions = listAt(object, "spec", "selector", "matchExpressions").map(expressionText);
  const labelSelector = [...equal, ...expressions].join(",");
  // Without a selector every pod of the namespace would be meant.
  return labelSelector === "" ? undefined : { namespace, labelSelector };
}

function expressionText(expression: unknown): string {
  const key = textAt(expression, "key");
  const values = `(${listAt(expression, "values").join(",")})`;
  switch (textAt(expression, "operator")) {
    case "In":
      return `${key} in ${values}`;
    case "NotIn":
      return `${key} notin ${values}`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}

/** What is the matter with the pods that count, the worst first, one for each thing that is the matter. */
export function findingsIn(
  workload: KubeObject,
  pods: readonly KubeObject[],
): readonly PodFinding[] {
  const retries = workload.kind === "Job";
  const found = podsThatCount(workload, pods).flatMap((pod) => findingOf(pod, retries) ?? []);
  return (["stuck", "unschedulable", "waiting"] as const).flatMap((kind) =>
    oncePerText(found.filter((finding) => finding.kind === kind)),
  );
}

/** A Deployment that replaces bad pods is judged by the new ones, however long the old ones are kept. */
function podsThatCount(workload: KubeObject, pods: readonly KubeObject[]): readonly KubeObject[] {
  const present = pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  if (workload.kind !== "Deployment") return present;
  const newest = new Set(
    present
      .filter((pod) => createdAt(pod) === latest(present.map(createdAt)))
      .map((pod) => revisionOf(pod)),
  );
  return present.filter((pod) => newest.has(revisionOf(pod)));
}

const createdAt = (pod: KubeObject): string => pod.metadata.creationTimestamp ?? "";

const latest = (times: readonly string[]): string =>
  times.reduce((last, time) => (time > last ? time : last), "");

const revisionOf = (pod: KubeObject): string => pod.metadata.labels?.["pod-template-hash"] ?? "";

function oncePerText(findings: readonly PodFinding[]): readonly PodFinding[] {
  const groups = Map.groupBy(findings, ({ text }) => text);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const pod = same.length === 1 ? first.pod : `${first.pod} and ${same.length - 1} more`;
    return [{ ...first, pod }];
  });
}

/** `retries`: the workload starts failed pods again and says itself when it has given up. */
function findingOf(pod: KubeObject, retries: boolean): PodFinding | undefined {
  const { name } = pod.metadata;
  if (textAt(pod, "status", "phase") === "Failed")
    return { pod: name, kind: "waiting", text: howItFailed(pod) };
  const unscheduled = conditionOf(pod, "PodScheduled");
  if (unscheduled?.status === "False") {
    const text = `${unscheduled.reason}: ${unscheduled.message}`;
    return unscheduled.reason === "Unschedulable"
      ? { pod: name, kind: "unschedulable", text, sinceMs: unscheduled.sinceMs }
      : { pod: name, kind: "waiting", text };
  }
  const containers = containersOf(pod);
  for (const container of containers) {
    const stuck = whyStuck(container, retries);
    if (stuck !== undefined) return { pod: name, ...stuck };
  }
  if (textAt(pod, "status", "phase") !== "Running" || retries) return undefined;
  const unready = containers.find((container) => valueAt(container, "ready") === false);
  if (unready === undefined || "terminated" in stateOf(unready)) return undefined;
  return { pod: name, kind: "waiting", text: `${nameIn(unready)} is not ready` };
}

const containersOf = (pod: KubeObject): readonly unknown[] => [
  ...listAt(pod, "status", "initContainerStatuses"),
  ...listAt(pod, "status", "containerStatuses"),
];

const stateOf = (container: unknown): object => {
  const state = valueAt(container, "state");
  return isFields(state) ? state : {};
};

const nameIn = (container: unknown): string => `container "${textAt(container, "name")}"`;

/** One crash happens to the best; after this many it is a habit. */
const restartsLeast = 2;

function whyStuck(
  container: unknown,
  retries: boolean,
): { readonly kind: "stuck" | "waiting"; readonly text: string } | undefined {
  const waiting = valueAt(container, "state", "waiting");
  const reason = textAt(waiting, "reason");
  const last = exitOf(valueAt(container, "lastState", "terminated"));
  if (reason === "CrashLoopBackOff") {
    const text = `${nameIn(container)} CrashLoopBackOff: ${last || textAt(waiting, "message")}`;
    return { kind: retries ? "waiting" : "stuck", text };
  }
  if (/^Err|Error$|BackOff$|^InvalidImageName$/.test(reason)) {
    const message = textAt(waiting, "message");
    return {
      kind: "stuck",
      text: `${nameIn(container)} ${reason}${message === "" ? "" : `: ${message}`}`,
    };
  }
  // Running again, for a moment: a loop is not over because it is at its beginning.
  const restarts = numberAt(container, "restartCount") ?? 0;
  const isReady = valueAt(container, "ready") === true;
  if (last === "" || isReady || restarts < restartsLeast || retries) return undefined;
  return { kind: "stuck", text: `${nameIn(container)} keeps failing: ${last}` };
}

/**
 * `exit code 3 (Error)`; empty for what did not end badly. A container's last words stay in the cluster: they
 * may be the end of its log.
 */
function exitOf(terminated: unknown): string {
  const code = numberAt(terminated, "exitCode");
  if (code === undefined || code === 0) return "";
  const reason = textAt(terminated, "reason");
  return `exit code ${code}${reason === "" ? "" : ` (${reason})`}`;
}

function howItFailed(pod: KubeObject): string {
  for (const container of containersOf(pod)) {
    const exit = exitOf(valueAt(container, "state", "terminated"));
    if (exit !== "") return `${nameIn(container)} failed: ${exit}`;
  }
  const said = [textAt(pod, "status", "reason"), textAt(pod, "status", "message")];
  return said.filter((text) => text !== "").join(": ") || "failed";
}

/** The workload's own assessment, with what its pods say where that explains or worsens it. */
export function withFindings(
  assessment: Assessment,
  findings: readonly PodFinding[],
  nowMs: number,
): Assessment {
  const [worst] = findings;
  if (worst === undefined || !isUnwell(assessment)) return assessment;
  const own = assessment.message.replace(/\.{3}$/, "");
  const message = `${own === "" ? "" : `${own}: `}pod ${worst.pod}: ${worst.text}`;
  switch (worst.kind) {
    case "stuck":
      return degraded(message);
    case "waiting":
      return { ...assessment, message };
    case "unschedulable": {
      if (worst.sinceMs === undefined) return { ...assessment, message };
      const failsAtMs = worst.sinceMs + unschedulableGraceMs;
      if (nowMs >= failsAtMs) return degraded(message);
      const { reviewAtMs = failsAtMs } = assessment;
      return { ...assessment, message, reviewAtMs: Math.min(reviewAtMs, failsAtMs) };
    }
    default:
      return unreachable(worst, "pod finding");
  }
}

export const isUnwell = ({ state }: Assessment): boolean =>
  state === "Progressing" || state === "Degraded";
