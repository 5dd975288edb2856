import { setTimeout as timer } from "node:timers/promises";

export type Clock = {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Resolves after `delayMs`. Throws the signal's reason as soon as it aborts. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
};

export const systemClock: Clock = {
  nowMs: Date.now,
  // The timer rejects with a generic AbortError; callers compare against the reason they gave.
  sleep: (delayMs, signal) =>
    timer(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted()),
};
