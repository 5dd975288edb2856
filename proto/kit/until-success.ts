import type { Clock } from "./clock.ts";

export type RetryManner = {
  /** Budget for one attempt. */
  readonly attemptMs: number;
  /** Pause after the given number of failures in a row. */
  readonly pauseMs: (failures: number) => number;
  /** Whether waiting can help. What cannot heal is thrown at once. */
  readonly mayHeal: (error: unknown) => boolean;
  /** Told of each failure that will be retried. */
  readonly onFailure?: (error: unknown, failures: number) => void;
  readonly clock: Clock;
};

/**
 * Repeats `attempt` until it succeeds.
 *
 * Each attempt gets a signal that aborts after `attemptMs` or with the caller's. Throws the caller's
 * abort reason or the first failure that cannot heal. Attempts have no limit; put one on `signal`.
 */
export async function untilSuccess<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  manner: RetryManner,
  signal: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt(AbortSignal.any([signal, AbortSignal.timeout(manner.attemptMs)]));
    } catch (error) {
      signal.throwIfAborted();
      if (!manner.mayHeal(error)) throw error;
      manner.onFailure?.(error, failures);
      await manner.clock.sleep(manner.pauseMs(failures), signal);
    }
  }
}
