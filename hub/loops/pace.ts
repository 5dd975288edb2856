import { ok, type Result } from "../../proto/kit/result.ts";
import type { Sliced } from "../domain/sliced.ts";

/** Lets the event loop turn now and then during long work. */
export type Pace = {
  /** Returns at once unless the current stretch has lasted its time. Throws the signal's reason. */
  readonly breathe: (signal: AbortSignal) => Promise<void>;
  /** Whether the current stretch has lasted its time. */
  readonly isOver: () => boolean;
};

export function createPace(
  stretchMs: number,
  nowMs: () => number,
  nextTurn: () => Promise<void>,
): Pace {
  let endsAtMs = nowMs() + stretchMs;
  const isOver = (): boolean => nowMs() >= endsAtMs;
  return {
    isOver,
    breathe: async (signal) => {
      if (!isOver()) return;
      await nextTurn();
      signal.throwIfAborted();
      endsAtMs = nowMs() + stretchMs;
    },
  };
}

/** Runs sliced work to its end, and breathes between its slices. */
export async function atPace<T>(work: Sliced<T>, pace: Pace, signal: AbortSignal): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pace.breathe(signal);
  }
}

/** Runs work that may never end, and gives up on it. What was given up must be thrown away. */
export type Guard = <T>(work: () => T) => Result<T, "took-too-long">;

/** The same for work that others have written in part: each stretch of it is guarded. */
export async function atGuardedPace<T>(
  work: Sliced<T>,
  guard: Guard,
  pace: Pace,
  signal: AbortSignal,
): Promise<Result<T, "took-too-long">> {
  const stretch = (): IteratorResult<undefined, T> => {
    for (;;) {
      const step = work.next();
      if (step.done === true || pace.isOver()) return step;
    }
  };
  for (;;) {
    const step = guard(stretch);
    if (!step.ok) return step;
    if (step.value.done === true) return ok(step.value.value);
    await pace.breathe(signal);
  }
}
