import type { Clock } from "../../proto/kit/clock.ts";

export type FakeClock = Clock & {
  /**
   * Lets `forMs` pass. Sleepers wake in the order of their times, each with the clock at its own time, and
   * what they set off gets to run before the next one wakes.
   */
  readonly advance: (forMs: number) => Promise<void>;
  readonly sleepers: () => number;
};

type Sleeper = { readonly atMs: number; readonly order: number; readonly wake: () => void };

/** A clock that stands still until a test moves it. */
export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  const sleepers = new Set<Sleeper>();
  let nowMs = startMs;
  let order = 0;

  async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (delayMs <= 0) return;
    const woken = Promise.withResolvers<void>();
    const sleeper = { atMs: nowMs + delayMs, order: (order += 1), wake: woken.resolve };
    const onAbort = () => woken.reject(signal.reason);
    sleepers.add(sleeper);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await woken.promise;
    } finally {
      sleepers.delete(sleeper);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async function advance(forMs: number): Promise<void> {
    const endMs = nowMs + forMs;
    for (;;) {
      await quiet();
      const next = [...sleepers]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      sleepers.delete(next);
      nowMs = Math.max(nowMs, next.atMs);
      next.wake();
    }
    nowMs = endMs;
    await quiet();
  }

  return { nowMs: () => nowMs, sleep, advance, sleepers: () => sleepers.size };
}

/** Lets everything run that waits for nothing but its turn. Fakes answer within a few turns of the event loop. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
