import type { Result } from "../../proto/kit/result.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationSource } from "../domain/application.ts";
import type { ProblemDraft } from "../domain/problem.ts";

/** What rendering gave, without the bytes: those are in the store. */
export type CachedRendering = Result<
  { readonly bundle: Digest; readonly objects: number },
  ProblemDraft
>;

/**
 * Remembers renderings by what they were made of: the tree's id and every parameter of the source.
 *
 * The id of a tree says all that is in it, so an entry is never out of date; the oldest in use goes first
 * when there are more than `entriesMost`. Whoever takes a bundle's digest from here makes sure that the store
 * still has it.
 */
export class RenderCache {
  readonly #entriesMost: number;
  readonly #entries = new Map<string, CachedRendering>();

  constructor(entriesMost: number) {
    this.#entriesMost = entriesMost;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(tree: string, source: ApplicationSource): CachedRendering | undefined {
    const key = keyOf(tree, source);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  put(tree: string, source: ApplicationSource, rendering: CachedRendering): void {
    const key = keyOf(tree, source);
    this.#entries.delete(key);
    this.#entries.set(key, rendering);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#entriesMost && oldest !== undefined)
      this.#entries.delete(oldest);
  }
}

// The path is part of it because problems name files by their whole path.
const keyOf = (tree: string, { path, directory }: ApplicationSource): string =>
  JSON.stringify([tree, path, directory.recurse, directory.include, directory.exclude]);
