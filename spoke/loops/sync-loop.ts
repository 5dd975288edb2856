import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { Mailbox } from "../../proto/kit/mailbox.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { Turns } from "../../proto/kit/turns.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Ack, Command, CommandResult } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ApplicationReport } from "../../proto/words/report.ts";
import type { ClusterApi, InventoryStore } from "../domain/cluster.ts";
import type { HeldSet } from "../domain/held-set.ts";
import type { PruneBrake } from "../domain/plan.ts";
import { reachOf, type Reach } from "../domain/reach.ts";
import { Alarms } from "./alarms.ts";
import { ApplicationWork } from "./application-work.ts";
import { createAttempts } from "./attempts.ts";
import type { BundleNeeds, ReadBlob } from "./bundles.ts";
import { createClusterView } from "./cluster-view.ts";
import { Declarations } from "./declarations.ts";
import { Inventories } from "./inventories.ts";
import { createKindsInUse } from "./kinds-in-use.ts";
import { LiveObjects, type Touched } from "./live-objects.ts";
import { createPodLooks } from "./pod-looks.ts";
import { createReporter } from "./reporter.ts";
import { takeHeld } from "./take-held.ts";
import { createVisits } from "./visits.ts";
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

const syncLoopDefaults: SyncLoopSettings = {
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

/**
 * The loop that keeps a cluster as its desired set says.
 *
 * What comes from outside, by `setHeld`, by `command` or from a watch, is only noted, and wakes up the
 * applications it concerns; the work happens in their turns. An application has one turn at a time, several
 * applications have theirs side by side. Wake-ups of one that waits for its turn are one; what wakes it up
 * during its turn gives it another. No turn begins before the inventories were read.
 */
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
    workOf: (name) => works.get(name),
    stateOf,
    hubId,
    reach: settings.reach,
    brake: settings.brake,
  });
  const bundles: BundleNeeds = { readBlob: needs.readBlob, findType: kinds.find, hubId };
  const { nowMs } = clock;
  const reporter = createReporter({
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
  const visits = createVisits(
    {
      cluster,
      inventories,
      objects,
      view,
      bundles,
      hubId,
      applications: () => [...works.keys()],
      nowMs,
      log,
      alarms,
      kinds,
      attempts,
      podLooks,
      reporter,
      declare,
      wake,
      answer,
      refuseCommands,
      onRemoved,
    },
    settings,
  );

  function setHeld(held: HeldSet): void {
    takeHeld(held, { works, workOf, declare, wake, drop });
    kinds.rewatch();
  }

  function workOf(application: ApplicationName): ApplicationWork {
    const known = works.get(application);
    if (known !== undefined) return known;
    const work = new ApplicationWork(application);
    works.set(application, work);
    return work;
  }

  function drop(work: ApplicationWork): void {
    const { application } = work;
    work.isDropped = true;
    works.delete(application);
    alarms.clear(application);
    declare(work, []);
    refuseCommands(work, `application ${application} is no longer held`);
  }

  /** Whoever declares or has one of the objects for which this is news has to look again, and need not wait. */
  function declare({ application }: ApplicationWork, keys: Iterable<ObjectKey>): void {
    const concerned = new Set<ApplicationName>();
    for (const key of declarations.set(application, keys))
      for (const name of [...declarations.of(key), ...inventories.claimants(key)])
        concerned.add(name);
    concerned.delete(application);
    for (const name of concerned) {
      const work = works.get(name);
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

  /** Nothing of it is left in the cluster that has not been left there on purpose. */
  function onRemoved({ application }: ApplicationWork, generation: Generation): void {
    works.delete(application);
    kinds.rewatch();
    needs.onReport(application, undefined);
    needs.onRemoved(application, generation);
  }

  function refuseCommands(work: ApplicationWork, why: string): void {
    for (const order of work.commands.splice(0)) answer(order, false, why);
    attempts.answerAll(work, false, why);
  }

  function wake(application: ApplicationName): void {
    if (works.has(application)) wakes.put(application, undefined);
  }

  function wakeTouched({ key, application }: Touched): void {
    const concerned = new Set<ApplicationName>(inventories.claimants(key));
    if (application !== undefined) concerned.add(application);
    for (const name of concerned) {
      const work = works.get(name);
      if (work === undefined) continue;
      if (settings.coalesceMs === 0) wake(work.application);
      else alarms.set(work.application, nowMs() + settings.coalesceMs);
    }
  }

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
    const underWay = new Set<Promise<void>>();
    try {
      for (;;) {
        const [application] = await wakes.take(signal);
        if (inLine.has(application)) continue;
        inLine.add(application);
        const turn = turns
          .take(application, () => visitApplication(application, signal), signal)
          .catch((error: unknown) => {
            if (signal.aborted) return;
            log.error("visit failed", { application, problem: describeError(error) });
          });
        underWay.add(turn);
        void turn.then(() => underWay.delete(turn));
      }
    } finally {
      await Promise.all(underWay);
    }
  }

  async function visitApplication(name: ApplicationName, signal: AbortSignal): Promise<void> {
    inLine.delete(name);
    const work = works.get(name);
    if (work === undefined) return;
    await visits.visit(work, signal);
  }

  return { run, setHeld, command };
}
