import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ClusterApi, WatchEvent } from "../domain/cluster.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import { typeIdOf, type LiveObjects, type Touched, type TypeId } from "./live-objects.ts";

/** What is known of one type's objects. Only while `current` can their absence be believed. */
export type WatchState =
  | { readonly kind: "listing" }
  | { readonly kind: "current" }
  | { readonly kind: "broken"; readonly problem: string; readonly sinceMs: number };

export type WatchLoopNeeds = {
  readonly cluster: Pick<ClusterApi, "watch">;
  readonly live: LiveObjects;
  readonly onTouched: (touched: readonly Touched[]) => void;
  /** A type became current, or broke. */
  readonly onState: (type: TypeId, state: WatchState) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type WatchLoopSettings = {
  /** Lists in flight at once: after a restart every type begins with one. */
  readonly listsAtOnceMost: number;
  readonly retry: BackoffPolicy;
};

export const watchLoopDefaults: WatchLoopSettings = {
  listsAtOnceMost: 8,
  retry: { firstMs: 1_000, factor: 2, mostMs: 60_000 },
};

export type WatchLoop = {
  /** Keeps the wanted types watched until aborted. One type's trouble is no other's. */
  readonly run: (signal: AbortSignal) => Promise<never>;
  /** Starts and stops watches so that exactly these run. Another selector starts all of them anew. */
  readonly want: (types: ReadonlyMap<TypeId, ResourceType>, labelSelector: string) => void;
  /** `undefined`: not wanted. */
  readonly stateOf: (type: TypeId) => WatchState | undefined;
};

/** A watch that lasted this long was sound; the next failure is a first one. */
const soundMsLeast = 30_000;

type Watch = {
  readonly type: ResourceType;
  readonly labelSelector: string;
  readonly stop: AbortController;
  state: WatchState;
};

export function createWatchLoop(needs: WatchLoopNeeds, settings: WatchLoopSettings): WatchLoop {
  const { cluster, live, clock, random, log } = needs;
  const lists = new Turns<Watch>(settings.listsAtOnceMost);
  const watches = new Map<TypeId, Watch>();
  const unstarted = new Set<Watch>();
  const running = new Set<Promise<void>>();
  let changed = Promise.withResolvers<void>();

  function want(types: ReadonlyMap<TypeId, ResourceType>, labelSelector: string): void {
    for (const [id, watch] of watches) {
      if (types.has(id) && watch.labelSelector === labelSelector) continue;
      watches.delete(id);
      unstarted.delete(watch);
      watch.stop.abort(new Error("no longer watched"));
      live.forgetType(id);
    }
    for (const [id, type] of types) {
      if (watches.has(id)) continue;
      const watch: Watch = {
        type,
        labelSelector,
        stop: new AbortController(),
        state: { kind: "listing" },
      };
      watches.set(id, watch);
      unstarted.add(watch);
    }
    changed.resolve();
    changed = Promise.withResolvers<void>();
  }

  async function run(signal: AbortSignal): Promise<never> {
    try {
      for (;;) {
        for (const watch of unstarted) start(watch, signal);
        unstarted.clear();
        await unlessAborted(changed.promise, signal);
      }
    } finally {
      await Promise.all(running);
    }
  }

  function start(watch: Watch, signal: AbortSignal): void {
    const task = keepWatching(watch, AbortSignal.any([signal, watch.stop.signal])).catch(
      () => undefined, // Aborted: nothing else ends it.
    );
    running.add(task);
    void task.then(() => running.delete(task));
  }

  async function keepWatching(watch: Watch, signal: AbortSignal): Promise<never> {
    let failures = 0;
    for (;;) {
      const startedAtMs = clock.nowMs();
      try {
        await watchOnce(watch, signal);
        throw new Trouble("the watch ended");
      } catch (error) {
        signal.throwIfAborted();
        failures = clock.nowMs() - startedAtMs >= soundMsLeast ? 1 : failures + 1;
        const problem = describeError(error);
        const level = error instanceof Trouble ? "warn" : "error";
        log[level]("watch failed", { type: typeIdOf(watch.type), failures, problem });
        const sinceMs = watch.state.kind === "broken" ? watch.state.sinceMs : clock.nowMs();
        become(watch, { kind: "broken", problem, sinceMs });
      }
      await clock.sleep(backoffMs(failures, settings.retry, random), signal);
    }
  }

  async function watchOnce(watch: Watch, signal: AbortSignal): Promise<void> {
    const events = cluster.watch(watch.type, watch.labelSelector, signal)[Symbol.asyncIterator]();
    try {
      const listed = async (): Promise<boolean> => take(watch, await events.next(), signal);
      let goesOn = await lists.take(watch, listed, signal);
      while (goesOn) goesOn = take(watch, await events.next(), signal);
    } finally {
      await events.return?.();
    }
  }

  function take(
    watch: Watch,
    next: IteratorResult<WatchEvent, unknown>,
    signal: AbortSignal,
  ): boolean {
    signal.throwIfAborted();
    if (next.done === true) return false;
    const touched = takeIn(typeIdOf(watch.type), next.value);
    if (touched.length > 0) needs.onTouched(touched);
    if (next.value.kind === "listed") become(watch, { kind: "current" });
    return true;
  }

  function takeIn(type: TypeId, event: WatchEvent): readonly Touched[] {
    switch (event.kind) {
      case "listed":
        return live.replace(type, event.objects);
      case "present":
        return [live.put(event.object) ?? []].flat();
      case "gone":
        return [live.remove(event.object) ?? []].flat();
      default:
        return unreachable(event, "watch event");
    }
  }

  function become(watch: Watch, state: WatchState): void {
    const before = watch.state;
    watch.state = state;
    if (before.kind === "current" && state.kind === "current") return;
    needs.onState(typeIdOf(watch.type), state);
  }

  return { run, want, stateOf: (type) => watches.get(type)?.state };
}
