import type { Clock } from "../../proto/kit/clock.ts";

export type MemoryLoopNeeds = {
  readonly clock: Clock;
  /** What this process has used of the processor since it began. */
  readonly processorMs: () => number;
  /** Of the heap, live objects and garbage. */
  readonly heapBytes: () => number;
  /** Collects all garbage. Stops everything else for some tens of milliseconds. */
  readonly collect: () => void;
};

export type MemoryLoopSettings = {
  readonly everyMs: number;
  /** What a process at rest may use of a processor. */
  readonly restShareMost: number;
  /** Growth since the last collection that is worth one. */
  readonly growthBytesLeast: number;
};

export const memoryLoopDefaults: MemoryLoopSettings = {
  everyMs: 5_000,
  restShareMost: 0.05,
  growthBytesLeast: 4 * 1024 * 1024,
};

/**
 * Gives memory back once work is done, until aborted.
 *
 * V8 lets garbage lie until it needs the room, and a process at rest never does: what a burst of work has left would
 * stay for days. While the process works, and while it grows little, nothing happens.
 */
export async function runMemoryLoop(
  { clock, processorMs, heapBytes, collect }: MemoryLoopNeeds,
  { everyMs, restShareMost, growthBytesLeast }: MemoryLoopSettings,
  signal: AbortSignal,
): Promise<never> {
  let keptBytes = 0;
  for (;;) {
    const before = { atMs: clock.nowMs(), usedMs: processorMs() };
    await clock.sleep(everyMs, signal);
    const usedMs = processorMs() - before.usedMs;
    if (usedMs > restShareMost * (clock.nowMs() - before.atMs)) continue;
    if (heapBytes() < keptBytes + growthBytesLeast) continue;
    collect();
    keptBytes = heapBytes();
  }
}
