/** Repairs of one application's drift that followed each other too closely to be forgotten. */
export type HealHistory = { readonly repairs: number; readonly lastAtMs: number };

export const noRepairs: HealHistory = { repairs: 0, lastAtMs: 0 };

const firstPauseMs = 2_000;
const pauseFactor = 3;
const pauseMsMost = 300_000;
/** A repair that held this long, and twice its pause, has succeeded. */
const heldMsLeast = 60_000;

/**
 * When drift that is there at `nowMs` may be repaired.
 *
 * The first repair comes at once. Each that follows waits three times as long as the one before, so that a
 * controller that changes the same field back costs a few writes an hour; a repair that held starts anew.
 */
export function repairAtMs(history: HealHistory, nowMs: number): number {
  return hasHeld(history, nowMs) ? nowMs : history.lastAtMs + pauseMs(history.repairs);
}

export const afterRepair = (history: HealHistory, nowMs: number): HealHistory => ({
  repairs: hasHeld(history, nowMs) ? 1 : history.repairs + 1,
  lastAtMs: nowMs,
});

const hasHeld = ({ repairs, lastAtMs }: HealHistory, nowMs: number): boolean =>
  repairs === 0 || nowMs - lastAtMs >= Math.max(heldMsLeast, 2 * pauseMs(repairs));

const pauseMs = (repairs: number): number =>
  Math.min(firstPauseMs * pauseFactor ** (repairs - 1), pauseMsMost);
