import { setTimeout as pause } from "node:timers/promises";

/** A machine that does many things at once is waited for longer. */
const patience = process.env["CI"] === "true" ? 4 : 1;

/**
 * Repeats `probe` until it returns without throwing, and returns what it returned.
 *
 * For waiting on a state of something that moves by itself. Throws the last failure, with what was waited
 * for, once `withinMs` has passed (in CI four times that, unless it is a promise), or at once when `giveUp` says so of a failure.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  {
    withinMs = 10_000,
    everyMs = 20,
    /** Whether `withinMs` itself is what is tested. */
    isPromise = false,
    what = "a state",
    giveUp = (_error: unknown): boolean => false,
  } = {},
): Promise<T> {
  const patienceMs = isPromise ? withinMs : withinMs * patience;
  const endsAtMs = Date.now() + patienceMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (giveUp(error)) throw error;
      if (Date.now() >= endsAtMs)
        throw new Error(`${what} was not reached within ${patienceMs} ms`, { cause: error });
      await pause(everyMs);
    }
  }
}
