import type { GitObject } from "./git-object.ts";

/** Objects that deltas build on. Least recently used ones go first once their bytes pass the limit. */
export class BaseCache {
  readonly #bytesMost: number;
  readonly #kept = new Map<string, GitObject>();
  #bytes = 0;

  constructor(bytesMost: number) {
    this.#bytesMost = bytesMost;
  }

  get(key: string): GitObject | undefined {
    const object = this.#kept.get(key);
    if (object === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, object);
    return object;
  }

  put(key: string, object: GitObject): void {
    if (object.bytes.length > this.#bytesMost / 4 || this.#kept.has(key)) return;
    this.#kept.set(key, object);
    this.#bytes += object.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#bytesMost) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
