import { unlessAborted } from "../../proto/kit/unless-aborted.ts";

/** What waiters find when the one they waited behind has left. */
const abandoned: unique symbol = Symbol("abandoned");

/**
 * Work that many may want at once and that is done once for all of them.
 *
 * It runs under the signal of whoever came first. When that one leaves, the next in line starts over;
 * any other failure is everybody's.
 */
export class SharedWork<K, V> {
  readonly #running = new Map<K, Promise<V | typeof abandoned>>();

  async run(key: K, work: () => Promise<V>, signal: AbortSignal): Promise<V> {
    for (;;) {
      const running = this.#running.get(key);
      if (running === undefined) return await this.#start(key, work, signal);
      const outcome = await unlessAborted(running, signal);
      if (outcome !== abandoned) return outcome;
    }
  }

  async #start(key: K, work: () => Promise<V>, signal: AbortSignal): Promise<V> {
    const mine = work().finally(() => this.#running.delete(key));
    const forOthers = mine.catch((error: unknown): typeof abandoned => {
      if (signal.aborted) return abandoned;
      throw error;
    });
    // Perhaps nobody else comes; then its failure is told by `mine` alone.
    forOthers.catch(() => {});
    this.#running.set(key, forOthers);
    return await mine;
  }
}
