import type { Log } from "../../proto/kit/log.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import { objectName } from "../domain/conditions.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import { liveFrom } from "../domain/live.ts";
import { isOwned } from "../domain/plan.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { Inventories } from "./inventories.ts";

export type RemoveNeeds = {
  readonly cluster: Pick<ClusterApi, "get" | "remove">;
  readonly inventories: Inventories;
  readonly hubId: () => string;
  readonly log: Log;
};

/**
 * Asks for the removal of one object, after reading it once more: it must be there, marked as ours, and the
 * very one we applied. What turns out not to be ours leaves the inventory and stays in the cluster.
 *
 * An accepted removal is remembered in `work.removing` until the watches show that the object is gone. A
 * refused one is left in `work.problems`. Nothing is removed once `isOrdered` says that it is no longer meant.
 */
export async function removeOwned(
  work: ApplicationWork,
  entry: InventoryEntry,
  isOrdered: () => boolean,
  needs: RemoveNeeds,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, inventories, log } = needs;
  const { application } = work;
  const { key } = entry;
  if (!isOrdered()) return undefined;
  const object = await cluster.get(key, signal);
  if (!isOrdered()) return undefined;
  if (object === undefined) return onGone();
  const live = liveFrom(object);
  if (!isOwned(entry, live, { hubId: needs.hubId(), application })) return onNotOurs();
  const outcome = await cluster.remove(key, { uid: live.uid, propagation: "Foreground" }, signal);
  switch (outcome.kind) {
    case "removing":
      work.removing.add(live.uid);
      work.removedCount += 1;
      return undefined;
    case "absent":
      return onGone();
    case "not-ours":
      return onNotOurs();
    case "rejected": {
      const { reason, message } = outcome;
      return void work.problems.set(key, { kind: "removal-refused", reason, message });
    }
    default:
      return unreachable(outcome, "remove outcome");
  }

  function onGone(): void {
    work.removedCount += 1;
    inventories.delete(application, key);
  }

  function onNotOurs(): void {
    log.info("object left alone", { application, object: objectName(key) });
    inventories.delete(application, key);
  }
}

/** For people: `ConfigMap shop/a and 2 more`. */
export function namesOf(keys: readonly ObjectKey[]): string {
  const [first] = keys;
  if (first === undefined) return "nothing";
  return keys.length === 1 ? objectName(first) : `${objectName(first)} and ${keys.length - 1} more`;
}
