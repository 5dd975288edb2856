import { repositoryFactKey } from "../domain/facts.ts";
import type { RevisionState } from "./repository-loop.ts";

/** A revision of a repository that an origin depends on. */
export type Use = { readonly url: string; readonly revision: string };
export type Uses = readonly Use[];

/** The revisions one origin asks for. */
export class UseLog {
  readonly #uses = new Map<string, Use>();
  readonly #revision: (url: string, revision: string) => RevisionState;

  constructor(revision: (url: string, revision: string) => RevisionState) {
    this.#revision = revision;
  }

  revision(url: string, revision: string): RevisionState {
    this.#uses.set(repositoryFactKey(url, revision), { url, revision });
    return this.#revision(url, revision);
  }

  all(): Uses {
    return [...this.#uses.values()];
  }
}

export const distinct = (uses: Uses): Uses => [
  ...new Map(uses.map((use) => [repositoryFactKey(use.url, use.revision), use])).values(),
];
