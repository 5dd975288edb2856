import type { Clock } from "../../proto/kit/clock.ts";

/** One alarm per key, the earliest that was asked for. Ringing forgets it. */
export class Alarms<K> {
  readonly #clock: Clock;
  readonly #ring: (key: K) => void;
  readonly #dueAtMs = new Map<K, number>();
  #changed = new AbortController();
  /** When the sleep ends by itself; while nobody sleeps every alarm is looked at anyway. */
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: (key: K) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** A later time than the one already set changes nothing. */
  set(key: K, atMs: number): void {
    if ((this.#dueAtMs.get(key) ?? Number.POSITIVE_INFINITY) <= atMs) return;
    this.#dueAtMs.set(key, atMs);
    // Whoever sleeps wakes up in time for this one too.
    if (atMs < this.#wakesAtMs) this.#wakeUp();
  }

  clear(key: K): void {
    this.#dueAtMs.delete(key);
  }

  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      this.#ringDue();
      const changed = this.#changed.signal;
      const nextAtMs = this.#dueAtMs.values().reduce((a, b) => Math.min(a, b), forEverMs);
      const waitMs = nextAtMs - this.#clock.nowMs();
      this.#wakesAtMs = nextAtMs;
      try {
        await this.#clock.sleep(
          Math.max(1, Math.min(waitMs, sleepMsMost)),
          AbortSignal.any([signal, changed]),
        );
      } catch (error) {
        signal.throwIfAborted();
        if (!changed.aborted) throw error;
      }
    }
  }

  #ringDue(): void {
    const nowMs = this.#clock.nowMs();
    for (const [key, atMs] of this.#dueAtMs) {
      if (atMs > nowMs) continue;
      this.#dueAtMs.delete(key);
      this.#ring(key);
    }
  }

  #wakeUp(): void {
    const changed = this.#changed;
    this.#changed = new AbortController();
    changed.abort(earlierAlarm);
  }
}

/** Nobody reads it, and one made for each alarm would cost more than the alarm. */
const earlierAlarm = new Error("an earlier alarm was set");
const forEverMs = Number.MAX_SAFE_INTEGER;
/** Timers of Node hold at most 2^31 ms; a day is short enough and no work. */
const sleepMsMost = 86_400_000;
