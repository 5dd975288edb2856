import type { BackoffPolicy } from "../../proto/kit/backoff.ts";
import { describeError, NotPermitted, Trouble } from "../../proto/kit/trouble.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Command } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import { isAllApplied } from "../domain/plan.ts";
import { idle, isRunning } from "../domain/sync.ts";
import { actingFor } from "./acting-for.ts";
import type { Alarms } from "./alarms.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { Attempts } from "./attempts.ts";
import { bundleIdentity, loadBundle } from "./bundles.ts";
import { carryOut } from "./carry-out.ts";
import type { KindsInUse } from "./kinds-in-use.ts";
import type { PassNeeds, PassSettings } from "./ongoing-pass.ts";
import type { PodLooks } from "./pod-looks.ts";
import { readAgain } from "./read-again.ts";
import { removeApplication } from "./remove-application.ts";
import type { Reporter } from "./reporter.ts";

export type VisitNeeds = PassNeeds & {
  readonly alarms: Alarms<ApplicationName>;
  readonly kinds: KindsInUse;
  readonly attempts: Attempts;
  readonly podLooks: PodLooks;
  readonly reporter: Reporter;
  /** Says what an application declares from now on, to whom it is news. */
  readonly declare: (work: ApplicationWork, keys: Iterable<ObjectKey>) => void;
  readonly wake: (application: ApplicationName) => void;
  readonly answer: (command: Command, succeeded: boolean, message: string) => void;
  readonly refuseCommands: (work: ApplicationWork, why: string) => void;
  readonly onRemoved: (work: ApplicationWork, generation: Generation) => void;
};

export type VisitSettings = PassSettings & { readonly retry: BackoffPolicy };

export type Visits = {
  /**
   * One turn of an application, wanted or ordered away: all that can be done for it without waiting for the
   * cluster, the clock or the hub. What it waits for then wakes it up. Trouble is logged and reported, not thrown.
   */
  readonly visit: (work: ApplicationWork, signal: AbortSignal) => Promise<void>;
};

/** Looking again at once is for what moved meanwhile. More than this is a fight, or a bug. */
const roundsMost = 10;

/**
 * Visits to the applications of one cluster.
 *
 * Two visits of one application must not overlap; whoever calls sees to that. Visits of different
 * applications may: a claim one of them makes in the inventories is seen by the others at once. What is
 * wanted of an application may change during its visit, which then stops short; another follows.
 */
export function createVisits(needs: VisitNeeds, settings: VisitSettings): Visits {
  const { cluster, inventories, bundles, hubId, nowMs, log } = needs;
  const { alarms, kinds, attempts, podLooks, declare, wake, answer } = needs;
  const { report, reportRemoval } = needs.reporter;

  async function visit(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    // Every visit sets anew what it has to be woken up for.
    alarms.clear(work.application);
    try {
      if (work.tombstone === undefined) await visitWanted(work, signal);
      else await visitRemoved(work, signal);
    } catch (error) {
      signal.throwIfAborted();
      onFailure(work, error);
    }
  }

  function onFailure(work: ApplicationWork, error: unknown): void {
    const { application } = work;
    const level = error instanceof Trouble ? "warn" : "error";
    const problem = describeError(error);
    log[level]("application was not looked after", { application, problem });
    if (error instanceof NotPermitted)
      work.denial = { kind: "not-permitted", message: error.message };
    if (isRunning(work.state)) attempts.onFailure(work, problem);
    else lookAgain(work);
    if (work.tombstone === undefined) report(work);
    else reportRemoval(work);
  }

  function lookAgain(work: ApplicationWork): void {
    work.loadFailures += 1;
    alarms.set(work.application, nowMs() + attempts.pauseMs(work.loadFailures));
  }

  async function visitWanted(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const { application } = work;
    // It was being removed and is wanted again.
    if (work.state.kind !== "idle" && work.state.attempt.reason === "tombstone") work.state = idle;
    if (work.state.kind === "idle" && hasUnreadableKinds(work)) work.isStale = true;
    await doRefreshes(work, signal);
    // Each round carries on a pass; it ends when only the cluster, the clock or the hub can move things.
    for (let rounds = 1; ; rounds += 1) {
      if (work.isDropped || work.tombstone !== undefined) return wake(application);
      if (!(await isReady(work, signal))) return;
      if (!attempts.decide(work) || !(await pass(work, signal))) break;
      if (rounds < roundsMost) continue;
      log.warn("application did not come to rest", { application, rounds });
      alarms.set(application, nowMs() + settings.retry.firstMs);
      break;
    }
    if (hasUnreadableKinds(work)) alarms.set(application, nowMs() + settings.retry.mostMs);
    await podLooks.refresh(work, signal);
    report(work);
  }

  const hasUnreadableKinds = (work: ApplicationWork): boolean =>
    (work.bundle?.unreadable.size ?? 0) > 0;

  /** Has its bundle read and its kinds watched. When not, whatever is missing wakes it up. */
  async function isReady(work: ApplicationWork, signal: AbortSignal): Promise<boolean> {
    const { desired } = work;
    if (desired === undefined) return false;
    if (work.isStale || work.bundle?.identity !== bundleIdentity(desired, hubId())) {
      // What happens while it is read makes it stale again.
      work.isStale = false;
      const loaded = await loadBundle(desired, bundles, signal).catch((error: unknown) => {
        work.isStale = true;
        throw error;
      });
      if (work.desired !== desired) return await isReady(work, signal);
      if (!loaded.ok) {
        work.isStale = true;
        work.problem = loaded.problem;
        lookAgain(work);
        attempts.answerAll(work, false, "the bundle cannot be read");
        if (await kinds.watch(work, signal)) report(work);
        return false;
      }
      work.bundle = loaded.value;
      work.loadFailures = 0;
      declare(
        work,
        loaded.value.objects.map(({ key }) => key),
      );
    }
    const isWatched = await kinds.watch(work, signal);
    noteApplied(work);
    return isWatched;
  }

  /** Carries out one pass. True: look again at once. */
  async function pass(work: ApplicationWork, signal: AbortSignal): Promise<boolean> {
    // A retry may have to look anew for kinds that were missing.
    if (!(await isReady(work, signal))) return false;
    const { desired, bundle, state } = work;
    if (desired === undefined || bundle === undefined || !isRunning(state)) return false;
    if (state.kind === "fetching") {
      attempts.onFetched(work);
      report(work);
    }
    const { attempt } = state;
    const acting = { ...needs, cluster: actingFor(work, cluster) };
    const outcome = await carryOut(work, attempt, desired, bundle, acting, settings, signal);
    work.denial = undefined;
    noteApplied(work);
    return attempts.onPass(work, outcome);
  }

  function noteApplied(work: ApplicationWork): void {
    const { desired, bundle } = work;
    if (desired === undefined || bundle === undefined) return;
    if (bundle.identity !== bundleIdentity(desired, hubId())) return;
    const inventory = inventories.of(work.application);
    const isHeldEmpty =
      bundle.objects.length === 0 && inventory.size > 0 && !desired.policy.allowEmpty;
    work.problem = isHeldEmpty ? { kind: "bundle-empty" } : undefined;
    if (work.recoveredAt !== desired.generation) work.recovered.clear();
    if (isHeldEmpty || !isAllApplied(bundle.objects, inventory)) return;
    work.appliedGeneration = desired.generation;
    work.appliedRevision = desired.revision;
  }

  async function doRefreshes(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const refreshes = work.commands.filter(({ order }) => order === "refresh");
    if (refreshes.length === 0) return;
    work.commands = work.commands.filter(({ order }) => order !== "refresh");
    try {
      work.isStale = true;
      if (await isReady(work, signal)) await readAgain(work, needs, settings, signal);
      report(work, true);
      for (const order of refreshes) answer(order, true, "read again from the cluster");
    } catch (error) {
      signal.throwIfAborted();
      for (const order of refreshes) answer(order, false, describeError(error));
      throw error;
    }
  }

  async function visitRemoved(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const { tombstone, application } = work;
    if (tombstone === undefined) return;
    needs.refuseCommands(work, "the application is being removed");
    if (!tombstone.keepObjects && inventories.of(application).size > 0) {
      if (!(await kinds.watch(work, signal))) return;
      if (!attempts.decideRemoval(work, tombstone.generation)) return;
      attempts.onFetched(work);
      const acting = { ...needs, cluster: actingFor(work, cluster) };
      const outcome = await removeApplication(work, acting, settings, signal);
      work.denial = undefined;
      attempts.onPass(work, outcome);
      if (outcome.kind !== "done") return reportRemoval(work);
    }
    await inventories.forget(application, signal);
    if (work.isDropped || work.tombstone !== tombstone) return wake(application);
    log.info("application removed", {
      application,
      generation: tombstone.generation,
      cause: tombstone.cause,
      actor: tombstone.actor,
      kept: tombstone.keepObjects,
    });
    needs.onRemoved(work, tombstone.generation);
  }

  return { visit };
}
