/** ResourceQuotas by number of objects: what a namespace may still take. */
import { mapAt, textAt } from "./json.ts";
import type { Kind } from "./kinds.ts";
import { namespaceOf, type KubeObject } from "./object.ts";
import { quantityValue } from "./quantity.ts";
import type { Store } from "./store.ts";

/** Resources that quotas have always counted by their bare name. */
const bareNames = new Set([
  "/pods",
  "/services",
  "/configmaps",
  "/secrets",
  "/persistentvolumeclaims",
  "/resourcequotas",
  "/replicationcontrollers",
]);

/** `count/deployments.apps`, and for a few old kinds `pods`. */
export function quotaNames(kind: Pick<Kind, "group" | "plural" | "key">): readonly string[] {
  const counted = `count/${kind.plural}${kind.group === "" ? "" : `.${kind.group}`}`;
  return bareNames.has(kind.key) ? [counted, kind.plural] : [counted];
}

/** Why one more object of the kind is too many, in the words of a 403; `undefined` when there is room. */
export function quotaProblem(store: Store, kind: Kind, object: KubeObject): string | undefined {
  if (!kind.namespaced) return undefined;
  const used = store.count(kind.key, namespaceOf(object));
  for (const quota of store.list("/resourcequotas", namespaceOf(object))) {
    const hard = mapAt(quota, "spec", "hard");
    for (const name of quotaNames(kind)) {
      const limit = textAt(hard, name);
      if (limit === "" || used + 1 <= quantityValue(limit)) continue;
      return `exceeded quota: ${quota.metadata.name}, requested: ${name}=1, used: ${name}=${used}, limited: ${name}=${limit}`;
    }
  }
  return undefined;
}
