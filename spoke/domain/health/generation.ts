import { numberAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";

/** Whether the object's controller has yet to see its newest spec. A controller that is ahead is not behind. */
export const isBehind = (object: KubeObject): boolean =>
  (numberAt(object, "status", "observedGeneration") ?? 0) < (object.metadata.generation ?? 0);

export const saysGeneration = (object: KubeObject): boolean =>
  numberAt(object, "status", "observedGeneration") !== undefined;
