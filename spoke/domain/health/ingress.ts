import { listAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";
import { healthy, progressing, type Assessment } from "./assessment.ts";

export const assessIngress = (object: KubeObject): Assessment =>
  listAt(object, "status", "loadBalancer", "ingress").length > 0 ? healthy() : progressing();
