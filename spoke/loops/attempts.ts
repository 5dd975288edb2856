import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Command } from "../../proto/words/link-messages.ts";
import { objectKeyParts } from "../../proto/words/object-key.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import { afterRepair, repairAtMs } from "../domain/heal.ts";
import type { Pass } from "../domain/pass.ts";
import { workIn } from "../domain/plan.ts";
import {
  isRunning,
  stepSync,
  type SyncEffect,
  type SyncEvent,
  type SyncReason,
} from "../domain/sync.ts";
import type { Alarms } from "./alarms.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { ClusterView } from "./cluster-view.ts";

export type AttemptsNeeds = {
  readonly cluster: Pick<ClusterApi, "forgetDiscovery">;
  readonly view: ClusterView;
  readonly alarms: Alarms<ApplicationName>;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: () => number;
  readonly log: Log;
  readonly answer: (command: Command, succeeded: boolean, message: string) => void;
};

export type AttemptsSettings = {
  /** How long an attempt may wait for health before it counts as failed and begins anew. */
  readonly settleMsMost: number;
  readonly retry: BackoffPolicy;
};

export type Attempts = {
  /** Whether a pass is to be carried out now. Sets alarms for what has to wait. Makes no request. */
  readonly decide: (work: ApplicationWork) => boolean;
  /** The same for an application that is ordered away. */
  readonly decideRemoval: (work: ApplicationWork, generation: Generation) => boolean;
  readonly onFetched: (work: ApplicationWork) => void;
  /** Takes in how far a pass came. True: look again at once. */
  readonly onPass: (work: ApplicationWork, pass: Pass) => boolean;
  /** Something went wrong that no pass could tell about. */
  readonly onFailure: (work: ApplicationWork, message: string) => void;
  readonly pauseMs: (failures: number) => number;
  readonly answerAll: (work: ApplicationWork, succeeded: boolean, message: string) => void;
};

/** Feeds the sync machine of each application, and does what it asks for. */
export function createAttempts(needs: AttemptsNeeds, settings: AttemptsSettings): Attempts {
  const { view, alarms, clock, log } = needs;

  function decide(work: ApplicationWork): boolean {
    const { desired, state } = work;
    if (desired === undefined) return false;
    const { generation, policy } = desired;
    const isReplaced = takeReplaced(work);
    const order = takeSyncCommand(work);
    if (order !== undefined)
      return want(work, { generation, reason: "command", confirmed: order.prune, isReplaced });
    switch (state.kind) {
      case "idle":
        return decideWhenIdle(work);
      case "waiting":
      case "fetching":
      case "applying":
      case "settling":
      case "pruning":
        if (!isReplaced && generation === state.attempt.generation)
          return step(work, { kind: takeHurry(work) ? "hurry" : "tick" });
        if (policy.automated) return want(work, { generation, reason: "generation", isReplaced });
        // An order was for the generation it was given at.
        return step(work, {
          kind: "problem",
          message: `superseded by generation ${generation}`,
          retryAtMs: undefined,
        });
      default:
        return unreachable(state, "sync state");
    }
  }

  function takeReplaced(work: ApplicationWork): boolean {
    const { isReplaced } = work;
    work.isReplaced = false;
    return isReplaced;
  }

  function takeHurry(work: ApplicationWork): boolean {
    const isHurried = work.isHurried;
    work.isHurried = false;
    return isHurried;
  }

  function decideWhenIdle(work: ApplicationWork): boolean {
    const { desired } = work;
    if (desired?.policy.automated !== true) return false;
    const todo = workIn(view.plan(work, false));
    const { generation } = desired;
    if (todo.byGeneration) return want(work, { generation, reason: "generation" });
    if (!todo.byDrift || !desired.policy.selfHeal) return false;
    const nowMs = clock.nowMs();
    const atMs = repairAtMs(work.heal, nowMs);
    if (nowMs < atMs) {
      alarms.set(work.application, atMs);
      return false;
    }
    work.heal = afterRepair(work.heal, nowMs);
    return want(work, { generation, reason: "drift" });
  }

  function decideRemoval(work: ApplicationWork, generation: Generation): boolean {
    const { state } = work;
    const isUnderWay = state.kind !== "idle" && state.attempt.reason === "tombstone";
    return isUnderWay
      ? step(work, { kind: "tick" })
      : want(work, { generation, reason: "tombstone", confirmed: true });
  }

  function want(
    work: ApplicationWork,
    wanted: {
      readonly generation: Generation;
      readonly reason: SyncReason;
      readonly confirmed?: boolean;
      readonly isReplaced?: boolean;
    },
  ): boolean {
    return step(work, { kind: "wanted", confirmed: false, isReplaced: false, ...wanted });
  }

  function takeSyncCommand(work: ApplicationWork): Command | undefined {
    const orders = work.commands;
    work.commands = [];
    const valid = orders.filter((order) => {
      if (order.expiresAtMs > clock.nowMs()) return true;
      needs.answer(order, false, "expired before its turn came");
      return false;
    });
    if (valid.length === 0) return undefined;
    answerAll(work, false, "a newer command took over");
    work.answering = valid;
    return valid.find(({ prune }) => prune) ?? valid[0];
  }

  function answerAll(work: ApplicationWork, succeeded: boolean, message: string): void {
    const orders = work.answering;
    work.answering = [];
    for (const order of orders) needs.answer(order, succeeded, message);
  }

  /** True: the machine wants a pass carried out. */
  function step(work: ApplicationWork, event: SyncEvent): boolean {
    const before = work.state;
    const { state, effects } = stepSync(before, event, clock.nowMs());
    work.state = state;
    if (
      state.kind === "fetching" &&
      !(before.kind === "fetching" && before.attempt === state.attempt)
    )
      begin(work);
    return effects.map((effect) => doEffect(work, effect)).includes(true);
  }

  function begin(work: ApplicationWork): void {
    work.beginAttempt();
    // What was missing may be served by now; a retry is the time to look.
    for (const { key, isServed } of work.bundle?.objects ?? []) {
      if (isServed) continue;
      needs.cluster.forgetDiscovery(objectKeyParts(key).group);
      work.isStale = true;
    }
  }

  function doEffect(work: ApplicationWork, effect: SyncEffect): boolean {
    const { application } = work;
    switch (effect.kind) {
      case "carry-out":
        return true;
      case "wake":
        alarms.set(application, effect.atMs);
        return false;
      case "ended":
        onEnded(work, effect);
        return false;
      default:
        return unreachable(effect, "sync effect");
    }
  }

  function onEnded(
    work: ApplicationWork,
    { operation, attempt }: Extract<SyncEffect, { readonly kind: "ended" }>,
  ): void {
    const succeeded = operation.phase === "Succeeded";
    log[succeeded ? "info" : "warn"](succeeded ? "application synced" : "sync failed", {
      application: work.application,
      generation: operation.generation,
      reason: attempt.reason,
      failures: attempt.failures,
      outcome: operation.message,
      durationMs: clock.nowMs() - operation.startedAtMs,
      trace: work.desired?.trace,
    });
    answerAll(work, succeeded, operation.message);
  }

  const onFetched = (work: ApplicationWork): void => void step(work, { kind: "fetched" });

  function onPass(work: ApplicationWork, pass: Pass): boolean {
    switch (pass.kind) {
      case "done":
        step(work, { kind: "done", message: pass.message });
        // What moved meanwhile is seen by looking once more; the plan costs no request.
        return true;
      case "held-up":
        if (pass.againAtMs !== undefined) alarms.set(work.application, pass.againAtMs);
        wait(work, "held-up", `waiting for ${pass.waitingFor}`);
        return false;
      case "removing":
        wait(work, "removing", `waiting for ${pass.waitingFor}`);
        return false;
      case "failed":
        onFailure(work, pass.message);
        return false;
      case "superseded":
        return true;
      case "stale":
        work.isStale = true;
        return true;
      default:
        return unreachable(pass, "pass");
    }
  }

  /** Holds no turn while it lasts: the watches wake the application up. */
  function wait(work: ApplicationWork, kind: "held-up" | "removing", waitingFor: string): void {
    if (!isRunning(work.state)) return;
    const deadlineMs = work.state.attempt.startedAtMs + settings.settleMsMost;
    if (clock.nowMs() >= deadlineMs) return onFailure(work, `gave up ${waitingFor}`);
    step(work, { kind, waitingFor });
    alarms.set(work.application, deadlineMs);
  }

  /** Automated applications and removals try again, on the newest generation; others wait to be asked. */
  function onFailure(work: ApplicationWork, message: string): void {
    if (!isRunning(work.state)) return;
    const isRetried = work.tombstone !== undefined || work.desired?.policy.automated === true;
    const failures = work.state.attempt.failures + 1;
    const retryAtMs = isRetried ? clock.nowMs() + pauseMs(failures) : undefined;
    step(work, { kind: "problem", message, retryAtMs });
  }

  const pauseMs = (failures: number): number => backoffMs(failures, settings.retry, needs.random);

  return { decide, decideRemoval, onFetched, onPass, onFailure, pauseMs, answerAll };
}
