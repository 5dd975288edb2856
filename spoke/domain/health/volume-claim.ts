import { textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { degraded, healthy, progressing, unknown, type Assessment } from "./assessment.ts";

export function assessVolumeClaim(object: KubeObject): Assessment {
  switch (textAt(object, "status", "phase")) {
    case "Bound":
      return healthy();
    case "Pending":
      return progressing();
    case "Lost":
      return degraded();
    default:
      return unknown();
  }
}
