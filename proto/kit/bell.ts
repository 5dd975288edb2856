import type { Clock } from "./clock.ts";
import { unlessAborted } from "./unless-aborted.ts";

const waitIsOver = new Error("the wait is over");

/**
 * Tells one waiter that something may have changed, not what.
 *
 * Rings while nobody waits count as one and end the next wait at once, so no ring is lost and a thousand
 * cost no more than one.
 */
export class Bell {
  #next = Promise.withResolvers<void>();

  ring(): void {
    this.#next.resolve();
  }

  /** Resolves at the next ring, at once when there was one since the last wait. Throws the abort reason. */
  async wait(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.#next.promise, signal);
    this.#next = Promise.withResolvers<void>();
  }

  /** The same, or after `delayMs`, whichever comes first. */
  async waitAtMost(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.race([this.wait(either), clock.sleep(delayMs, either)]);
    } finally {
      // Neither the timer nor the wait outlives the other. A reason of its own would be made for each wait.
      over.abort(waitIsOver);
    }
  }
}
