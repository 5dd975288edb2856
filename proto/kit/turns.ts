import { unlessAborted } from "./unless-aborted.ts";

/**
 * At most `atOnceMost` pieces of work at once, and at most one per key.
 *
 * Work for a busy key waits for that key without holding a place that others could use. Waiters of one
 * key are served in order of arrival.
 */
export class Turns<K> {
  readonly #atOnceMost: number;
  readonly #busy = new Set<K>();
  readonly #waiting: { readonly key: K; readonly start: () => void }[] = [];

  constructor(atOnceMost: number) {
    this.#atOnceMost = atOnceMost;
  }

  /** Runs `work` when its turn comes. Throws the abort reason if that comes first. */
  async take<T>(key: K, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(key, signal);
    try {
      return await work();
    } finally {
      this.#busy.delete(key);
      this.#startNext();
    }
  }

  async #turn(key: K, signal: AbortSignal): Promise<void> {
    const started = Promise.withResolvers<void>();
    const waiter = {
      key,
      start: () => {
        this.#busy.add(key);
        started.resolve();
      },
    };
    this.#waiting.push(waiter);
    this.#startNext();
    try {
      await unlessAborted(started.promise, signal);
    } catch (error) {
      const place = this.#waiting.indexOf(waiter);
      if (place === -1) {
        // The turn had come in the same tick as the abort; hand it on.
        this.#busy.delete(key);
        this.#startNext();
      } else {
        this.#waiting.splice(place, 1);
      }
      throw error;
    }
  }

  #startNext(): void {
    for (let index = 0; index < this.#waiting.length && this.#busy.size < this.#atOnceMost;) {
      const waiter = this.#waiting[index];
      if (waiter === undefined || this.#busy.has(waiter.key)) {
        index += 1;
        continue;
      }
      this.#waiting.splice(index, 1);
      waiter.start();
    }
  }
}
