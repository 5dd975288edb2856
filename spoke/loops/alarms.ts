import type { Clock } from "../../proto/kit/clock.ts";

/** One alarm per key, the earliest that was asked for. Ringing forgets it. */
export class Alarms<K> {
  readonly #clock: Clock;
  readonly #ring: (key: K) => void;
  readonly #dueAtMs = new Map<K, number>();
  #changed = new AbortController();

  constructor(clock: Clock, ring: (key: K) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** A later time than the one already set changes nothing. */
  set(key: K, atMs: number): void {
    if ((this.#dueAtMs.get(key) ?? Number.POSITIVE_INFINITY) <= atMs) return;
    this.#dueAtMs.set(key, atMs);
    this.#wakeUp();
  }

  clear(key: K): void {
    this.#dueAtMs.delete(key);
  }

  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      this.#ringDue();
      const changed = this.#changed.signal;
      const waitMs = Math.min(...this.#dueAtMs.values(), forEverMs) - this.#clock.nowMs();
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
    changed.abort();
  }
}

const forEverMs = Number.MAX_SAFE_INTEGER;
/** Timers of Node hold at most 2^31 ms; a day is short enough and no work. */
const sleepMsMost = 86_400_000;
