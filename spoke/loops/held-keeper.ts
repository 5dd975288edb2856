import { Turns } from "../../proto/kit/turns.ts";
import type { Digest } from "../../proto/words/digest.ts";
import { emptyHeldSet, heldRoot, type HeldSet } from "../domain/held-set.ts";

export type HeldDisk = {
  readonly read: (signal: AbortSignal) => Promise<HeldSet>;
  readonly write: (held: HeldSet, signal: AbortSignal) => Promise<void>;
};

/** The one writer of what is held: in memory it is what the disk has, never more. */
export class HeldKeeper {
  readonly #disk: HeldDisk;
  readonly #turns = new Turns<"write">(1);
  #held: HeldSet = emptyHeldSet;
  #root: Digest | undefined;

  constructor(disk: HeldDisk) {
    this.#disk = disk;
  }

  async load(signal: AbortSignal): Promise<HeldSet> {
    this.#held = await this.#disk.read(signal);
    this.#root = undefined;
    return this.#held;
  }

  current(): HeldSet {
    return this.#held;
  }

  /** What the hub's root is compared with. */
  root(): Digest {
    this.#root ??= heldRoot(this.#held);
    return this.#root;
  }

  /** Writes what `change` makes of the set, one change after the other. Nothing is written when it is the same. */
  async update(change: (held: HeldSet) => HeldSet, signal: AbortSignal): Promise<HeldSet> {
    return this.#turns.take(
      "write",
      async () => {
        const after = change(this.#held);
        if (after === this.#held) return after;
        await this.#disk.write(after, signal);
        this.#held = after;
        this.#root = undefined;
        return after;
      },
      signal,
    );
  }
}
