import { unlessAborted } from "../../proto/kit/unless-aborted.ts";

const roundsPerStep = 10;

/** A place among the calls under way. Exactly one `leave` ends it. */
export type Place = {
  readonly leave: (how: "served" | "pushed-back" | "other") => void;
};

/**
 * How many calls may be under way at once: fewer when the server pushes back, more again as it serves.
 *
 * A push-back halves the limit, down to one; calls that had begun before the last halving do not halve it
 * again, since they say nothing new. Ten rounds of calls served raise it by one, up to `most`: it goes down
 * at once and up slowly, so that a server that can bear one call is not asked for two all the time. Whoever
 * waits is let in in order of arrival.
 */
export class CallLimit {
  readonly #most: number;
  #limit: number;
  #underWay = 0;
  #halvings = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Waits for a place. Throws the signal's reason if that comes first. */
  async enter(signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    if (this.#underWay < this.limit && this.#waiting.length === 0) this.#underWay += 1;
    else await this.#wait(signal);
    const begunAfter = this.#halvings;
    return {
      leave: (how) => {
        this.#underWay -= 1;
        if (how === "served")
          this.#limit = Math.min(this.#most, this.#limit + 1 / (roundsPerStep * this.limit));
        if (how === "pushed-back" && begunAfter === this.#halvings) {
          this.#halvings += 1;
          this.#limit = Math.max(1, Math.floor(this.#limit / 2));
        }
        this.#letIn();
      },
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const entered = Promise.withResolvers<void>();
    this.#waiting.push(entered.resolve);
    try {
      await unlessAborted(entered.promise, signal);
    } catch (error) {
      const index = this.#waiting.indexOf(entered.resolve);
      if (index !== -1) this.#waiting.splice(index, 1);
      else {
        // Let in in the same tick as the abort; the next one gets the place.
        this.#underWay -= 1;
        this.#letIn();
      }
      throw error;
    }
  }

  #letIn(): void {
    while (this.#underWay < this.limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#underWay += 1;
      next();
    }
  }
}
