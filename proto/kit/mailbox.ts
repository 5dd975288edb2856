import { unlessAborted } from "./unless-aborted.ts";

/**
 * Holds the newest value per key until somebody takes it.
 *
 * A value put under a waiting key replaces the old one and keeps its place in line, so a burst about
 * one application costs one slot. Size is bounded by the number of distinct keys. Any number of takers
 * may wait; each value goes to one of them.
 */
export class Mailbox<K, V> {
  readonly #waiting = new Map<K, V>();
  #arrival = Promise.withResolvers<void>();

  get size(): number {
    return this.#waiting.size;
  }

  put(key: K, value: V): void {
    this.#waiting.set(key, value);
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }

  /** Puts `value` only when nothing newer waits under `key`: how a taker gives back what it could not deliver. */
  putBack(key: K, value: V): void {
    if (!this.#waiting.has(key)) this.put(key, value);
  }

  /** Removes and returns the oldest entry, waiting for one if need be. Throws the abort reason. */
  async take(signal: AbortSignal): Promise<[key: K, value: V]> {
    for (;;) {
      signal.throwIfAborted();
      const oldest = this.#waiting.entries().next();
      if (!oldest.done) {
        this.#waiting.delete(oldest.value[0]);
        return oldest.value;
      }
      await unlessAborted(this.#arrival.promise, signal);
    }
  }

  /** Removes and returns up to `most` entries, oldest first, waiting for the first if need be. */
  async takeMany(most: number, signal: AbortSignal): Promise<[key: K, value: V][]> {
    const taken = [await this.take(signal)];
    for (const entry of this.#waiting) {
      if (taken.length >= most) break;
      this.#waiting.delete(entry[0]);
      taken.push(entry);
    }
    return taken;
  }
}
