import type { Sliced } from "../domain/sliced.ts";

/** Lets the event loop turn now and then during long work. */
export type Pace = {
  /** Returns at once unless the current stretch has lasted its time. Throws the signal's reason. */
  readonly breathe: (signal: AbortSignal) => Promise<void>;
};

export function createPace(
  stretchMs: number,
  nowMs: () => number,
  nextTurn: () => Promise<void>,
): Pace {
  let endsAtMs = nowMs() + stretchMs;
  return {
    breathe: async (signal) => {
      if (nowMs() < endsAtMs) return;
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
