import type { ObjectKey } from "../../proto/words/object-key.ts";
import { describeObjectProblem, objectName } from "../domain/conditions.ts";
import { whyStillThere } from "../domain/health/deletion.ts";
import { removalSteps } from "../domain/order.ts";
import type { Pass } from "../domain/pass.ts";
import { syncOptionsOf } from "../domain/sync-options.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { PassNeeds, PassSettings } from "./ongoing-pass.ts";
import { namesOf, removeOwned } from "./remove-owned.ts";
import { sideBySide } from "./side-by-side.ts";

/**
 * Removes an application as far as can be done without waiting for the cluster.
 *
 * Done once its inventory is empty. What stays by rule leaves the inventory too, and is logged. Stops where it
 * is when the order is taken back.
 */
export async function removeApplication(
  work: ApplicationWork,
  needs: PassNeeds,
  settings: PassSettings,
  signal: AbortSignal,
): Promise<Pass> {
  const { inventories, view, log } = needs;
  const { application, tombstone } = work;
  const isOrdered = (): boolean => !work.isDropped && work.tombstone === tombstone;
  work.problems.clear();
  const undecided = needs.applications().find((name) => view.isUnread(name));
  if (undecided !== undefined)
    return {
      kind: "held-up",
      waitingFor: `the bundle of application ${undecided} to be read, which may declare what this one has`,
      againAtMs: needs.nowMs() + 1_000,
    };

  for (const { kind, entry } of view.removal(work))
    if (kind === "forget") inventories.delete(application, entry.key);

  for (const removal of view.removal(work)) {
    if (removal.kind !== "leave") continue;
    inventories.delete(application, removal.entry.key);
    const object = objectName(removal.entry.key);
    log.info("object left in the cluster", { application, object, why: removal.why });
  }

  const removals = view.removal(work);
  const steps = removalSteps(
    removals
      .filter((removal) => removal.kind === "remove")
      .map(({ entry, live, isRemoving }) => ({
        key: entry.key,
        entry,
        isAsked: isRemoving || work.removing.has(live.uid),
        syncWave: syncOptionsOf(live.object).syncWave,
        defines: undefined,
      })),
  );
  for (const step of steps) {
    const pending = step.filter(({ isAsked }) => !isAsked);
    const remove = ({ entry }: (typeof pending)[number]): Promise<void> =>
      removeOwned(work, entry, isOrdered, needs, signal);
    await sideBySide(pending, settings.objectsAtOnceMost, remove, signal);
    if (!isOrdered()) return { kind: "superseded" };
    const [failed] = [...work.problems];
    if (failed !== undefined) {
      await inventories.save(application, signal);
      const [key, problem] = failed;
      const { message } = describeObjectProblem(key, problem);
      return { kind: "failed", message: `${objectName(key)}: ${message}` };
    }
    const left = step.map(({ key }) => key).filter((key) => inventories.of(application).has(key));
    if (left.length > 0)
      return { kind: "removing", waitingFor: `${namesOf(left)} to be gone${whyStill(left)}` };
  }
  function whyStill(keys: readonly ObjectKey[]): string {
    const live = keys.map((key) => view.live(work, key)).find((one) => one !== undefined);
    const why = live === undefined ? "" : whyStillThere(live.object);
    return why === "" ? "" : ` (${why})`;
  }

  const unread = [...inventories.of(application).keys()];
  if (unread.length > 0)
    return { kind: "held-up", waitingFor: `${namesOf(unread)} to be readable again` };
  return { kind: "done", message: `removed ${work.removedCount}` };
}
