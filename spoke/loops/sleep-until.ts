import type { Clock } from "../../proto/kit/clock.ts";

/** Timers hold no more than 24 days, and a machine that slept should notice soon. */
const sleepMsMost = 3_600_000;

/** Sleeps until a time, or for an hour when that is sooner: whoever waits looks at the clock, and sleeps again. */
export const sleepUntil = (atMs: number, clock: Clock, signal: AbortSignal): Promise<void> =>
  clock.sleep(Math.min(sleepMsMost, Math.max(1, atMs - clock.nowMs())), signal);
