import { textAt } from "../fields.ts";
import type { KubeObject } from "../kube-object.ts";

/**
 * What an object that is Progressing waits for, where its status has no words for it; empty when there is
 * nothing to say. Somebody else has to bring it: the cluster may have nobody who does.
 */
export function whatIsAwaited(object: KubeObject): string {
  switch (object.kind) {
    case "PersistentVolumeClaim": {
      const named = textAt(object, "spec", "storageClassName");
      return `waits for a volume${named === "" ? "" : ` of storage class ${named}`}`;
    }
    case "Service":
      return "waits for the address of a load balancer";
    case "Ingress": {
      const named = textAt(object, "spec", "ingressClassName");
      return `waits for an address from the controller of ${named === "" ? "its ingress class" : `ingress class ${named}`}`;
    }
    default:
      return "";
  }
}
