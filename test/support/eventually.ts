import { setTimeout as pause } from "node:timers/promises";

/**
 * Repeats `probe` until it returns without throwing, and returns what it returned.
 *
 * For waiting on a state of something that moves by itself. Throws the last failure, with what was waited
 * for, once `withinMs` has passed, or at once when `giveUp` says so of a failure.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  {
    withinMs = 10_000,
    everyMs = 20,
    what = "a state",
    giveUp = (_error: unknown): boolean => false,
  } = {},
): Promise<T> {
  const endsAtMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (giveUp(error)) throw error;
      if (Date.now() >= endsAtMs)
        throw new Error(`${what} was not reached within ${withinMs} ms`, { cause: error });
      await pause(everyMs);
    }
  }
}
