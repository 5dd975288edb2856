import { listAt, textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { healthy, progressing, type Assessment } from "./assessment.ts";

export function assessService(object: KubeObject): Assessment {
  if (textAt(object, "spec", "type") !== "LoadBalancer") return healthy();
  return listAt(object, "status", "loadBalancer", "ingress").length > 0 ? healthy() : progressing();
}
