import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";

/** One kind of thing that is forgotten once it is old enough. */
export type Forgetting = {
  /** For logs: `events`, `blobs`. */
  readonly what: string;
  readonly keepMs: number;
  /** Forgets what ended, or was last used, before. Returns how many. */
  readonly forget: (beforeMs: number, signal: AbortSignal) => Promise<number>;
};

export type RetentionLoopNeeds = {
  readonly forgettings: readonly Forgetting[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/**
 * Forgets what nothing refers to any more, every `everyMs`, until aborted.
 *
 * The first round comes after a random part of the interval: a hub that is restarted again and again does not
 * spend its starts on this. One kind that fails is logged and tried in the next round; the others go on.
 */
export async function runRetentionLoop(
  needs: RetentionLoopNeeds,
  everyMs: number,
  signal: AbortSignal,
): Promise<never> {
  await needs.clock.sleep(Math.round(everyMs * (0.1 + 0.4 * needs.random())), signal);
  for (;;) {
    for (const forgetting of needs.forgettings) await forgetOne(forgetting, needs, signal);
    await needs.clock.sleep(everyMs, signal);
  }
}

async function forgetOne(
  { what, keepMs, forget }: Forgetting,
  { clock, log }: RetentionLoopNeeds,
  signal: AbortSignal,
): Promise<void> {
  try {
    const count = await forget(clock.nowMs() - keepMs, signal);
    if (count > 0) log.debug("old things forgotten", { what, count });
  } catch (error) {
    signal.throwIfAborted();
    log[error instanceof Trouble ? "warn" : "error"]("forgetting failed", {
      what,
      problem: describeError(error),
    });
  }
}
