import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, type Assessment } from "./assessment.ts";
import { conditionOf, conditionsOf } from "./conditions.ts";

/** A CustomResourceDefinition is healthy once its kind can be used. */
export function assessDefinition(object: KubeObject): Assessment {
  if (conditionsOf(object).length === 0) return progressing("Status conditions not found");
  const terminating = conditionOf(object, "Terminating");
  if (terminating?.status === "True")
    return progressing(`CRD is terminating: ${terminating.message}`);
  const names = conditionOf(object, "NamesAccepted");
  if (names?.status === "False")
    return degraded(`CRD names have not been accepted: ${names.message}`);
  const established = conditionOf(object, "Established");
  if (established?.status !== "True")
    return established?.reason === "Installing"
      ? progressing("CRD is being installed")
      : degraded("CRD is not established");
  const schema = conditionOf(object, "NonStructuralSchema");
  if (schema?.status === "True") return degraded(`Schema violations found: ${schema.message}`);
  return healthy("CRD is healthy");
}
