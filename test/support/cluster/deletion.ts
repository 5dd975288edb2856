/** When an object may go, and what it waits for until then. */
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { at, isList, numberAt, textAt } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { isTerminating, type KubeObject } from "./object.ts";
import type { DeleteOptions } from "./verbs.ts";

const orphanFinalizer = "orphan";

const foregroundFinalizer = "foregroundDeletion";

/** Namespaces that no one may delete. */
export const immortal = new Set(["default", "kube-system", "kube-public"]);

/** Whether an object that is to be deleted has nothing left to wait for. */
export function isReadyToGo(kind: Kind, object: KubeObject): boolean {
  if (!isTerminating(object)) return false;
  if ((object.metadata.finalizers ?? []).length > 0) return false;
  if ((object.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (kind.key !== "/namespaces") return true;
  const finalizers = at(object, "spec", "finalizers");
  return !isList(finalizers) || finalizers.length === 0;
}

/** Kinds whose dependents stay when a client does not say what should become of them. */
const orphansByDefault = new Set(["batch/jobs", "/replicationcontrollers"]);

export function deletionFinalizers(
  kind: Kind,
  object: KubeObject,
  propagation: DeleteOptions["propagation"],
): readonly string[] {
  const finalizers = object.metadata.finalizers ?? [];
  const rest = finalizers.filter(
    (finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer,
  );
  switch (propagation) {
    case "Orphan":
      return [...rest, orphanFinalizer];
    case "Foreground":
      return [...rest, foregroundFinalizer];
    case "Background":
      return rest;
    case undefined:
      if (rest.length !== finalizers.length) return finalizers;
      return orphansByDefault.has(kind.key) && !isTerminating(object)
        ? [...rest, orphanFinalizer]
        : finalizers;
    default:
      return unreachable(propagation, "propagation policy");
  }
}

/** Only pods that run somewhere are given time to stop. */
export function graceOf(kind: Kind, object: KubeObject, asked: number | undefined): number {
  if (kind.key !== "/pods") return 0;
  const phase = textAt(object, "status", "phase");
  if (textAt(object, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed")
    return 0;
  return asked ?? numberAt(object, "spec", "terminationGracePeriodSeconds") ?? 30;
}
