import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { Mailbox } from "../../proto/kit/mailbox.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { describeError, NotPermitted, Trouble } from "../../proto/kit/trouble.ts";
import { Turns } from "../../proto/kit/turns.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Ack, Command, CommandResult } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";
import type { ClusterApi, InventoryStore } from "../domain/cluster.ts";
import { noRepairs } from "../domain/heal.ts";
import type { HeldSet } from "../domain/held-set.ts";
import { isAllApplied, type PruneBrake } from "../domain/plan.ts";
import { reachOf, type Reach } from "../domain/reach.ts";
import { idle, isRunning } from "../domain/sync.ts";
import { actingFor } from "./acting-for.ts";
import { Alarms } from "./alarms.ts";
import { ApplicationWork } from "./application-work.ts";
import { createAttempts } from "./attempts.ts";
import { bundleIdentity, loadBundle, type BundleNeeds, type ReadBlob } from "./bundles.ts";
import { carryOut, type CarryOutNeeds } from "./carry-out.ts";
import { createClusterView } from "./cluster-view.ts";
import { Declarations } from "./declarations.ts";
import { Inventories } from "./inventories.ts";
import { createKindsInUse } from "./kinds-in-use.ts";
import { LiveObjects, type Touched } from "./live-objects.ts";
import { createPodLooks } from "./pod-looks.ts";
import { removeApplication } from "./remove-application.ts";
import { createReporter } from "./reporter.ts";
import { sideBySide } from "./side-by-side.ts";
import { createWatchLoop, watchLoopDefaults, type WatchLoopSettings } from "./watch-loop.ts";

export type SyncLoopNeeds = {
  readonly cluster: ClusterApi;
  readonly inventory: InventoryStore;
  /** From the disk, digest checked; `undefined` when it is not there. */
  readonly readBlob: ReadBlob;
  /** Whose desired set this is; stable from the first `setHeld` with anything in it. */
  readonly hubId: () => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** `undefined`: the application is gone from this cluster. */
  readonly onReport: (application: ApplicationName, report: ApplicationReport | undefined) => void;
  /** Applied and healthy, once for each generation. */
  readonly onAck: (ack: Ack) => void;
  /** A tombstone was carried out. */
  readonly onRemoved: (application: ApplicationName, generation: Generation) => void;
  readonly onCommandDone: (result: CommandResult) => void;
};

export type SyncLoopSettings = {
  /** Objects outside it are refused, and nothing outside it is watched. */
  readonly reach: Reach;
  /** Applications worked on at once. */
  readonly applicationsAtOnceMost: number;
  readonly objectsAtOnceMost: number;
  /** How often one object is applied in one attempt before somebody is said to fight over it. */
  readonly appliesMost: number;
  /** How long changes in the cluster are gathered before an application is looked at. */
  readonly coalesceMs: number;
  /** How long an attempt may wait for health before it counts as failed and begins anew. */
  readonly settleMsMost: number;
  /** How long a kind may be unreadable before it is reported. */
  readonly unreadableGraceMs: number;
  /** How long a workload may be unwell before its pods are looked at, and the pause after the first look. */
  readonly podsFirstMs: number;
  /** Longest pause between two looks at the pods of a workload that stays unwell. */
  readonly podsMostMs: number;
  readonly retry: BackoffPolicy;
  readonly brake: PruneBrake;
  readonly watch: WatchLoopSettings;
};

export const syncLoopDefaults: SyncLoopSettings = {
  reach: reachOf([]),
  applicationsAtOnceMost: 4,
  objectsAtOnceMost: 4,
  appliesMost: 3,
  coalesceMs: 50,
  settleMsMost: 30 * 60_000,
  unreadableGraceMs: 10_000,
  podsFirstMs: 2_000,
  podsMostMs: 60_000,
  retry: { firstMs: 5_000, factor: 2, mostMs: 180_000 },
  brake: { objectsMost: 10, ratioMost: 0.5 },
  watch: watchLoopDefaults,
};

export type SyncLoop = {
  /**
   * Keeps every held application as its desired entry says, until aborted. Needs the disk and the cluster,
   * not the hub. One application's trouble costs that application.
   */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** The whole of what is held, its blobs already on disk. May be called at any time, before `run` too. */
  readonly setHeld: (held: HeldSet) => void;
  /** Answered through `onCommandDone` exactly once, unless the process ends first. */
  readonly command: (command: Command) => void;
};

/** Looking again at once is for what moved meanwhile. More than this is a fight, or a bug. */
const roundsMost = 10;

export function createSyncLoop(
  needs: SyncLoopNeeds,
  overrides: Partial<SyncLoopSettings> = {},
): SyncLoop {
  const settings: SyncLoopSettings = { ...syncLoopDefaults, ...overrides };
  const { cluster, clock, random, log, hubId } = needs;
  const works = new Map<ApplicationName, ApplicationWork>();
  const inventories = new Inventories(needs.inventory);
  const objects = new LiveObjects();
  const declarations = new Declarations();
  const wakes = new Mailbox<ApplicationName, undefined>();
  const alarms = new Alarms<ApplicationName>(clock, wake);
  const turns = new Turns<ApplicationName>(settings.applicationsAtOnceMost);
  /** Waiting for their turn; another wake-up adds nothing. */
  const inLine = new Set<ApplicationName>();

  const watchLoop = createWatchLoop(
    {
      cluster,
      live: objects,
      clock,
      random,
      log,
      onTouched: (touched) => touched.forEach(wakeTouched),
      onState: (type, state) => {
        if (state.kind === "broken") kinds.onBroken(type);
        for (const application of kinds.usersOf(type)) wake(application);
      },
    },
    settings.watch,
  );
  const { want, stateOf } = watchLoop;
  const kinds = createKindsInUse({
    cluster,
    inventories,
    works,
    hubId,
    reach: settings.reach,
    want,
    stateOf,
  });
  const view = createClusterView({
    objects,
    inventories,
    declarations,
    workOf: (name) => works.get(name as ApplicationName),
    stateOf,
    hubId,
    reach: settings.reach,
    brake: settings.brake,
  });
  const bundles: BundleNeeds = { readBlob: needs.readBlob, findType: kinds.find, hubId };
  const { nowMs } = clock;
  const { report, reportRemoval } = createReporter({
    view,
    kinds,
    alarms,
    nowMs,
    onReport: needs.onReport,
    onAck: needs.onAck,
    unreadableGraceMs: settings.unreadableGraceMs,
  });
  const podLooks = createPodLooks({ cluster, view, alarms, nowMs, log }, settings);
  const attempts = createAttempts({ cluster, view, alarms, clock, random, log, answer }, settings);
  const passNeeds: CarryOutNeeds = {
    cluster,
    inventories,
    objects,
    view,
    bundles,
    hubId,
    applications: () => [...works.keys()],
    nowMs,
    log,
  };

  // ── What comes from outside is noted here; the work happens in the application's turn. ──

  function setHeld(held: HeldSet): void {
    const present = new Set<ApplicationName>();
    for (const [application, desired] of held.applications) {
      // Nobody ordered it away and nobody answers for it: it stays as it is.
      if (held.strays.has(application)) continue;
      const tombstone = held.tombstones.get(application);
      if (tombstone !== undefined && tombstone.generation > desired.generation) continue;
      present.add(application);
      const work = workOf(application);
      const isKnown = work.desired?.generation === desired.generation;
      const isWanted = work.tombstone === undefined;
      work.desired = desired;
      work.tombstone = undefined;
      if (isKnown && isWanted) continue;
      work.heal = noRepairs;
      wake(application);
    }
    for (const [application, tombstone] of held.tombstones) {
      if (present.has(application)) continue;
      present.add(application);
      const work = workOf(application);
      if (work.tombstone?.generation === tombstone.generation) continue;
      work.tombstone = tombstone;
      declare(work, []);
      wake(application);
    }
    for (const [application, work] of works) if (!present.has(application)) drop(application, work);
    kinds.rewatch();
  }

  function workOf(application: ApplicationName): ApplicationWork {
    const known = works.get(application);
    if (known !== undefined) return known;
    const work = new ApplicationWork(application);
    works.set(application, work);
    return work;
  }

  function drop(application: ApplicationName, work: ApplicationWork): void {
    work.isDropped = true;
    works.delete(application);
    alarms.clear(application);
    declare(work, []);
    refuseCommands(work, `application ${application} is no longer held`);
  }

  /** Whoever declares or has one of the objects for which this is news has to look again, and need not wait. */
  function declare({ application }: ApplicationWork, keys: Iterable<ObjectKey>): void {
    const concerned = new Set<string>();
    for (const key of declarations.set(application, keys))
      for (const name of [...declarations.of(key), ...inventories.claimants(key)])
        concerned.add(name);
    concerned.delete(application);
    for (const name of concerned) {
      const work = works.get(name as ApplicationName);
      if (work === undefined) continue;
      work.isHurried = true;
      wake(work.application);
    }
  }

  function command(order: Command): void {
    const problem = whyVoid(order);
    if (problem !== undefined) return answer(order, false, problem);
    workOf(order.application).commands.push(order);
    wake(order.application);
    return undefined;
  }

  function whyVoid({ application, generation, expiresAtMs }: Command): string | undefined {
    const work = works.get(application);
    if (work?.desired === undefined || work.tombstone !== undefined)
      return `this cluster has no application ${application}`;
    const held = work.desired.generation;
    if (generation !== 0 && generation !== held)
      return `void: generation ${generation} was meant, ${held} is held`;
    return expiresAtMs <= nowMs() ? "expired before it came" : undefined;
  }

  function answer({ id }: Command, succeeded: boolean, message: string): void {
    needs.onCommandDone({ kind: "command-result", id, succeeded, message });
  }

  function refuseCommands(work: ApplicationWork, why: string): void {
    for (const order of work.commands.splice(0)) answer(order, false, why);
    attempts.answerAll(work, false, why);
  }

  function wake(application: ApplicationName): void {
    if (works.has(application)) wakes.put(application, undefined);
  }

  function wakeTouched({ key, application }: Touched): void {
    const concerned = new Set<string>(inventories.claimants(key));
    if (application !== undefined) concerned.add(application);
    for (const name of concerned) {
      const work = works.get(name as ApplicationName);
      if (work === undefined) continue;
      if (settings.coalesceMs === 0) wake(work.application);
      else alarms.set(work.application, nowMs() + settings.coalesceMs);
    }
  }

  // ── Running. ──

  async function run(signal: AbortSignal): Promise<void> {
    await loadInventories(signal);
    for (const application of works.keys()) wake(application);
    await runTogether([watchLoop.run, (stop) => alarms.run(stop), serve], signal);
  }

  /** Without the inventories nothing may be decided: everything would look like nobody's. */
  async function loadInventories(signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await inventories.load(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn("inventories were not read", { failures, problem: describeError(error) });
        await clock.sleep(backoffMs(failures, settings.retry, random), signal);
      }
    }
  }

  async function serve(signal: AbortSignal): Promise<never> {
    const visits = new Set<Promise<void>>();
    try {
      for (;;) {
        const [application] = await wakes.take(signal);
        if (inLine.has(application)) continue;
        inLine.add(application);
        const visit = turns
          .take(application, () => visitApplication(application, signal), signal)
          .catch((error: unknown) => {
            if (signal.aborted) return;
            log.error("visit failed", { application, problem: describeError(error) });
          });
        visits.add(visit);
        void visit.then(() => visits.delete(visit));
      }
    } finally {
      await Promise.all(visits);
    }
  }

  async function visitApplication(name: ApplicationName, signal: AbortSignal): Promise<void> {
    inLine.delete(name);
    const work = works.get(name);
    if (work === undefined) return;
    // Every visit sets anew what it has to be woken up for.
    alarms.clear(name);
    try {
      if (work.tombstone === undefined) await visit(work, signal);
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

  // ── One application, wanted. ──

  async function visit(work: ApplicationWork, signal: AbortSignal): Promise<void> {
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
    const acting = { ...passNeeds, cluster: actingFor(work, cluster) };
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
      if (await isReady(work, signal)) await readAgain(work, signal);
      report(work, true);
      for (const order of refreshes) answer(order, true, "read again from the cluster");
    } catch (error) {
      signal.throwIfAborted();
      for (const order of refreshes) answer(order, false, describeError(error));
      throw error;
    }
  }

  async function readAgain(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const keys = [...inventories.of(work.application).keys()];
    const read = async (key: ObjectKey): Promise<void> => {
      const known = view.live(work, key);
      const object = await actingFor(work, cluster).get(key, signal);
      if (object === undefined && known !== undefined) objects.remove(known.object);
      // A fingerprint is of one version, and only the watched one can be compared.
      else if (object !== undefined && object.apiVersion === known?.object.apiVersion)
        objects.putAnswer(object);
    };
    await sideBySide(keys, settings.objectsAtOnceMost, read, signal);
  }

  // ── One application, ordered away. ──

  async function visitRemoved(work: ApplicationWork, signal: AbortSignal): Promise<void> {
    const { tombstone, application } = work;
    if (tombstone === undefined) return;
    refuseCommands(work, "the application is being removed");
    if (!tombstone.keepObjects && inventories.of(application).size > 0) {
      if (!(await kinds.watch(work, signal))) return;
      if (!attempts.decideRemoval(work, tombstone.generation)) return;
      attempts.onFetched(work);
      const acting = { ...passNeeds, cluster: actingFor(work, cluster) };
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
    works.delete(application);
    kinds.rewatch();
    needs.onReport(application, undefined);
    needs.onRemoved(application, tombstone.generation);
  }

  return { run, setHeld, command };
}
