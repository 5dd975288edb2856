import { listAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, progressing, type Assessment } from "./assessment.ts";
import { conditionOf, conditionsOf } from "./conditions.ts";

/** How long a namespace may take to be emptied once something is in the way. */
const namespaceStuckGraceMs = 60_000;

/** How long finalizers may hold any other object. */
const finalizersGraceMs = 300_000;

/** How an object fares that is being deleted. */
export function assessDeletion(object: KubeObject, nowMs: number): Assessment {
  if (object.apiVersion === "v1" && object.kind === "Namespace") return ofNamespace(object, nowMs);
  const { finalizers = [] } = object.metadata;
  if (finalizers.length === 0) return pending("");
  return within(
    object,
    finalizersGraceMs,
    nowMs,
    pending(""),
    degraded(pendingText(`waits for finalizers ${finalizers.join(", ")}`)),
  );
}

function ofNamespace(object: KubeObject, nowMs: number): Assessment {
  const failure = conditionOf(object, "NamespaceDeletionContentFailure");
  if (failure?.status === "True")
    return degraded(`namespace cannot be emptied: ${failure.message}`);
  const remaining = remainingIn(object);
  if (remaining === "") return pending("");
  const text = pendingText(remaining);
  return within(object, namespaceStuckGraceMs, nowMs, pending(remaining), degraded(text));
}

function within(
  object: KubeObject,
  graceMs: number,
  nowMs: number,
  before: Assessment,
  after: Assessment,
): Assessment {
  const sinceMs = Date.parse(object.metadata.deletionTimestamp ?? "");
  if (Number.isNaN(sinceMs)) return before;
  const failsAtMs = sinceMs + graceMs;
  return nowMs >= failsAtMs ? after : { ...before, reviewAtMs: failsAtMs };
}

const pending = (why: string): Assessment => progressing(pendingText(why));

const pendingText = (why: string): string =>
  why === "" ? "Pending deletion" : `Pending deletion: ${why}`;

const explaining = new Set([
  "NamespaceDeletionDiscoveryFailure",
  "NamespaceDeletionGroupVersionParsingFailure",
  "NamespaceDeletionContentFailure",
  "NamespaceContentRemaining",
  "NamespaceFinalizersRemaining",
]);

const ordinaryFinalizers = new Set(["foregroundDeletion", "orphan"]);

/** What keeps an object that is being deleted; empty when nothing but the cluster's own work does. */
export function whyStillThere(object: KubeObject): string {
  if (object.apiVersion === "v1" && object.kind === "Namespace") return remainingIn(object);
  const held = (object.metadata.finalizers ?? []).filter((one) => !ordinaryFinalizers.has(one));
  return held.length === 0 ? "" : `finalizers ${held.join(", ")}`;
}

/** What keeps a namespace that is being deleted, in the cluster's own words; empty while it says nothing. */
export function remainingIn(namespace: KubeObject): string {
  const said = conditionsOf(namespace)
    .filter(({ type, status }) => explaining.has(type) && status === "True")
    .map(({ message }) => message);
  const own = [
    ...(namespace.metadata.finalizers ?? []),
    ...listAt(namespace, "spec", "finalizers").filter(
      (one) => typeof one === "string" && one !== "kubernetes",
    ),
  ];
  return [
    ...said,
    ...(own.length === 0 ? [] : [`the namespace itself has finalizers ${own.join(", ")}`]),
  ].join("; ");
}
