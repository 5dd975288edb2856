import type { DesiredApplication } from "../../proto/words/desired.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import { describeApplicationProblem } from "../domain/conditions.ts";
import { applyOrder, type SyncWave } from "../domain/order.ts";
import type { Pass } from "../domain/pass.ts";
import type { Action, DesiredObject } from "../domain/plan.ts";
import type { Attempt } from "../domain/sync.ts";
import { afterSyncWave } from "./after-sync-wave.ts";
import type { ApplicationWork } from "./application-work.ts";
import { applyClaimed } from "./apply-claimed.ts";
import type { LoadedBundle } from "./bundles.ts";
import { chooseObjects } from "./choose-objects.ts";
import { findDoomed, namespaceIn } from "./doomed-namespaces.ts";
import { ensureNamespace } from "./ensure-namespace.ts";
import { firstUnsettled } from "./first-unsettled.ts";
import {
  isSuperseded,
  waitForBundleOf,
  type OngoingPass,
  type PassNeeds,
  type PassSettings,
} from "./ongoing-pass.ts";
import { removeLeftovers } from "./remove-leftovers.ts";
import { sideBySide } from "./side-by-side.ts";
import { waitForNamespaces } from "./wait-for-namespaces.ts";

/**
 * Brings an application as far towards its bundle as can be done without waiting for the cluster.
 *
 * It starts from what the cluster holds, whatever happened before, so it is also how an attempt goes on
 * after a wait, a failure or a restart. Every key is in the durable inventory before its object is applied.
 * What it meets object by object is left in `work.problems`. Throws Trouble when the API server is away.
 */
export async function carryOut(
  work: ApplicationWork,
  attempt: Attempt,
  desired: DesiredApplication,
  bundle: LoadedBundle,
  needs: PassNeeds,
  settings: PassSettings,
  signal: AbortSignal,
): Promise<Pass> {
  work.problems.clear();
  for (const key of bundle.duplicates) work.problems.set(key, { kind: "duplicate" });
  const save = (): Promise<void> => needs.inventories.save(work.application, signal);
  try {
    const pass = await passOver(
      {
        work,
        attempt,
        desired,
        bundle,
        needs,
        settings,
        found: new Map(),
        foundWhole: new Map(),
        bundleProblem: undefined,
      },
      signal,
    );
    await save();
    return pass;
  } catch (error) {
    signal.throwIfAborted();
    // Best effort: what was applied is in memory, and the next pass writes it.
    await save().catch(() => undefined);
    throw error;
  }
}

async function passOver(pass: OngoingPass, signal: AbortSignal): Promise<Pass> {
  const { work, bundle, needs } = pass;
  const rival = bundle.objects
    .map(({ key }) => needs.inventories.otherOwner(key, work.application))
    .find((owner) => owner !== undefined && needs.view.isUnread(owner));
  if (rival !== undefined) return waitForBundleOf(rival, pass);
  const syncWaves = applyOrder(bundle.objects);
  for (const [index, syncWave] of syncWaves.entries()) {
    const stopped = await applySyncWave(pass, syncWave, signal);
    if (stopped !== undefined) return stopped;
    const isLast = index === syncWaves.length - 1;
    const waitingFor = isLast ? undefined : firstUnsettled(pass, objectsIn(syncWave));
    if (waitingFor !== undefined) return { kind: "held-up", waitingFor };
  }
  return await removeLeftovers(pass, signal);
}

/** `undefined`: nothing keeps the pass from going on. */
async function applySyncWave(
  pass: OngoingPass,
  syncWave: SyncWave<DesiredObject>,
  signal: AbortSignal,
): Promise<Pass | undefined> {
  const { work, needs, settings } = pass;
  const all = objectsIn(syncWave);
  const keys = all.map(({ key }) => key);
  const doomed = await findDoomed(work, keys, needs, signal);
  const members = all.filter(({ key }) => !doomed.has(namespaceIn(key) ?? ""));
  const actions = new Map<ObjectKey, Action>();
  const chosen = await chooseObjects(pass, members, actions, signal);
  if (isSuperseded(pass)) return { kind: "superseded" };
  if (chosen.size > 0) {
    const created = members.filter(({ key }) => actions.get(key)?.kind === "create");
    await ensureNamespace(pass, created, signal);
  }
  for (const group of syncWave.groups) {
    let pending = group.objects.filter((object) => chosen.has(object));
    while (pending.length > 0) {
      if (isSuperseded(pass)) return { kind: "superseded" };
      const taken: DesiredObject[] = [];
      const apply = async (object: DesiredObject): Promise<void> => {
        const isNew = actions.get(object.key)?.kind === "create";
        if ((await applyClaimed(pass, object, isNew, signal)) === "taken") taken.push(object);
      };
      await sideBySide(pending, settings.objectsAtOnceMost, apply, signal);
      if (pass.bundleProblem !== undefined) {
        const { message } = describeApplicationProblem(pass.bundleProblem);
        return { kind: "failed", message };
      }
      pending = taken.length === 0 ? [] : [...(await chooseObjects(pass, taken, actions, signal))];
    }
  }
  const stopped = await afterSyncWave(pass, members, actions, signal);
  if (stopped?.kind === "superseded") return stopped;
  // Also when something else failed: what was left out has to say why.
  const waiting = await waitForNamespaces(pass, all, doomed, signal);
  return stopped?.kind === "failed" ? stopped : (waiting ?? stopped);
}

const objectsIn = (syncWave: SyncWave<DesiredObject>): readonly DesiredObject[] =>
  syncWave.groups.flatMap(({ objects }) => objects);
