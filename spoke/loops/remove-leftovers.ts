import { splitApiVersion, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { LiveObject } from "../domain/live.ts";
import { removalSteps } from "../domain/order.ts";
import { failureAmong, type Pass } from "../domain/pass.ts";
import { syncOptionsOf } from "../domain/sync-options.ts";
import type { ApplicationWork } from "./application-work.ts";
import { firstUnsettled } from "./first-unsettled.ts";
import { isSuperseded, planOf, waitForBundleOf, type OngoingPass } from "./ongoing-pass.ts";
import { namesOf, removeOwned } from "./remove-owned.ts";
import { sideBySide } from "./side-by-side.ts";

/** The end of a pass: once all that is wanted is well, what is owned and no longer wanted goes, step by step. */
export async function removeLeftovers(pass: OngoingPass, signal: AbortSignal): Promise<Pass> {
  const { work, bundle, needs, settings } = pass;
  const { inventories, view } = needs;
  recoverMarked(pass);
  forgetGone(pass);
  const prunes = planOf(pass).actions.filter((action) => action.kind === "prune");
  if (prunes.length === 0) return { kind: "done", message: doneMessage(work) };
  const unread = needs.applications().find((name) => view.isUnread(name));
  if (unread !== undefined) return waitForBundleOf(unread, pass);
  const waitingFor = firstUnsettled(pass, bundle.objects);
  if (waitingFor !== undefined)
    return { kind: "held-up", waitingFor: `${waitingFor}, before anything is pruned` };
  if (isSuperseded(pass)) return { kind: "superseded" };
  const steps = removalSteps(prunes.map(({ entry }) => removable(pass, entry)));
  for (const step of steps) {
    const pending = step.filter(({ live }) => !isBeingRemoved(live, work));
    const remove = ({ entry }: Removable): Promise<void> =>
      removeOwned(work, entry, () => !isSuperseded(pass), needs, signal);
    await sideBySide(pending, settings.objectsAtOnceMost, remove, signal);
    if (isSuperseded(pass)) return { kind: "superseded" };
    const keys = step.map(({ key }) => key);
    const failed = failureAmong(keys, work.problems);
    if (failed !== undefined) return failed;
    const left = keys.filter((key) => inventories.of(work.application).has(key));
    if (left.length > 0) return { kind: "removing", waitingFor: `${namesOf(left)} to be gone` };
  }
  return { kind: "done", message: doneMessage(work) };
}

/** The inventory was lost for these; the marker says they are ours, and the next generation may prune them. */
function recoverMarked(pass: OngoingPass): void {
  const { work, attempt, needs } = pass;
  for (const action of planOf(pass).actions) {
    if (action.kind !== "recover") continue;
    const { key } = action;
    const { uid, object } = action.live;
    const { version } = splitApiVersion(object.apiVersion);
    const entry = { key, version, uid, applied: "", fingerprint: "" };
    needs.inventories.set(work.application, entry);
    work.recovered.add(key);
    work.recoveredAt = attempt.generation;
  }
}

function forgetGone(pass: OngoingPass): void {
  const { work, needs } = pass;
  for (const action of planOf(pass).actions)
    if (action.kind === "forget") needs.inventories.delete(work.application, action.entry.key);
}

type Removable = {
  readonly key: ObjectKey;
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  readonly syncWave: number;
  readonly defines: undefined;
};

function removable({ work, found, needs }: OngoingPass, entry: InventoryEntry): Removable {
  const live = needs.view.live(work, entry.key, found);
  return {
    key: entry.key,
    entry,
    live,
    syncWave: live === undefined ? 0 : syncOptionsOf(live.object).syncWave,
    defines: undefined,
  };
}

const isBeingRemoved = (live: LiveObject | undefined, work: ApplicationWork): boolean =>
  live?.object.metadata.deletionTimestamp !== undefined || work.removing.has(live?.uid ?? "");

function doneMessage({ appliedCount, removedCount }: ApplicationWork): string {
  if (appliedCount + removedCount === 0) return "nothing to do";
  return `applied ${appliedCount}, removed ${removedCount}`;
}
