import { textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, unknown, type Assessment } from "./assessment.ts";

export function assessWorkflow(object: KubeObject): Assessment {
  const message = textAt(object, "status", "message");
  switch (textAt(object, "status", "phase")) {
    case "":
    case "Pending":
    case "Running":
      return progressing(message);
    case "Succeeded":
      return healthy(message);
    case "Failed":
    case "Error":
      return degraded(message);
    default:
      return unknown(message);
  }
}
