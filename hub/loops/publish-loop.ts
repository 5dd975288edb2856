import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import { Mailbox } from "../../proto/kit/mailbox.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { emptyMemory } from "./publish-memory.ts";
import { publish, type PassOutcome, type PublishNeeds, type PublishSettings } from "./publish.ts";
import { takeWithin } from "./take-within.ts";

export type PublishLoopNeeds = PublishNeeds & {
  readonly random: () => number;
  /** Told after every pass. */
  readonly onPass?: (pass: PassOutcome, durationMs: number) => void;
};

export type PublishLoopSettings = PublishSettings & {
  /** Waits so long after being woken, so that a burst of reasons costs one pass. */
  readonly gatherMs: number;
  /** Reports come in crowds while a rollout is under way: so long they are gathered for one pass. */
  readonly reportsGatherMs: number;
  /** A pass is made at least this often, woken or not. */
  readonly resyncMs: number;
  readonly retry: BackoffPolicy;
};

export type PublishLoop = {
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Something that generation depends on may have changed: look soon. Never waits. */
  readonly wake: () => void;
  /** Something was told of the fleet: looks soon if a rollout may have waited for that. Never waits. */
  readonly heard: () => void;
};

type Reason = "change" | "reports";

/**
 * Publishes whenever it is woken, one pass at a time, until aborted.
 *
 * Reasons to wake it are repositories that moved, clusters that came, went or were relabelled, orders to
 * refresh, and while a rollout is under way what clusters report. It asks what is true now, so reasons that come together cost one pass and a lost one costs the
 * time to the next. A pass that fails is made again after a growing pause; nothing it recorded is lost.
 */
export function createPublishLoop(
  needs: PublishLoopNeeds,
  settings: PublishLoopSettings,
): PublishLoop {
  const wakes = new Mailbox<Reason, Reason>();
  let isRolling = false;
  let isGathering = false;
  return {
    wake: () => wakes.put("change", "change"),
    heard: () => {
      if (!isRolling || isGathering) return;
      isGathering = true;
      wakes.put("reports", "reports");
    },
    run: async (signal) => {
      const memory = emptyMemory();
      let failures = 0;
      for (;;) {
        const startedMs = needs.clock.nowMs();
        isGathering = false;
        let waitMs = settings.resyncMs;
        try {
          const pass = await publish(memory, needs, settings, signal);
          isRolling = pass.isRolling;
          needs.onPass?.(pass, needs.clock.nowMs() - startedMs);
          failures = pass.failed.length === 0 ? 0 : failures + 1;
          waitMs = Math.min(waitMs, pass.requeueAfterMs ?? Infinity);
          if (pass.again) waitMs = 0;
        } catch (error) {
          signal.throwIfAborted();
          failures += 1;
          needs.log[error instanceof Trouble ? "warn" : "error"]("publishing failed", {
            failures,
            problem: describeError(error),
            stack: error instanceof Trouble || !(error instanceof Error) ? undefined : error.stack,
          });
        }
        if (failures > 0)
          waitMs = Math.min(waitMs, backoffMs(failures, settings.retry, needs.random));
        const woken = await takeWithin(wakes, waitMs, needs.clock, signal);
        // A change does not wait until reports are gathered.
        const reason =
          woken === "reports"
            ? await takeWithin(wakes, settings.reportsGatherMs, needs.clock, signal)
            : woken;
        if (reason !== undefined && settings.gatherMs > 0)
          await needs.clock.sleep(settings.gatherMs, signal);
        // What was put while gathering is answered by the same pass.
        if (wakes.size > 0) await wakes.takeMany(wakes.size, signal);
      }
    },
  };
}
