import { repositoryFactKey } from "../domain/facts.ts";
import type { NeededRepository } from "./repositories.ts";
import type { RevisionState } from "./repository-loop.ts";

/** A revision of a repository that an origin depends on. */
export type Use = {
  readonly url: string;
  readonly revision: string;
  /** How soon the origin wants the repository looked at again; `undefined`: whenever that is due. */
  readonly pollMs?: number | undefined;
};
export type Uses = readonly Use[];

/** The revisions one origin asks for. */
export class UseLog {
  readonly #uses = new Map<string, Use>();
  readonly #revision: (url: string, revision: string) => RevisionState;

  constructor(revision: (url: string, revision: string) => RevisionState) {
    this.#revision = revision;
  }

  revision(url: string, revision: string, pollMs?: number): RevisionState {
    const key = repositoryFactKey(url, revision);
    this.#uses.set(key, { url, revision, pollMs: pollMs ?? this.#uses.get(key)?.pollMs });
    return this.#revision(url, revision);
  }

  all(): Uses {
    return [...this.#uses.values()];
  }
}

/** Each revision once, as it is named first. */
export const distinct = (uses: Uses): Uses => [
  ...new Map(
    uses.toReversed().map((use) => [repositoryFactKey(use.url, use.revision), use]),
  ).values(),
];

/** The same revisions, and no hurry about any of them. */
export const withoutHurry = (uses: Uses): Uses =>
  uses.map(({ url, revision }) => ({ url, revision }));

/** What all origins of a pass depend on together. Of what they ask of one repository the soonest counts. */
export class Needed {
  readonly #repositories = new Map<
    string,
    { readonly revisions: Set<string>; pollMs: number | undefined }
  >();

  add(uses: Uses): void {
    for (const { url, revision, pollMs } of uses) {
      const known = this.#repositories.get(url) ?? { revisions: new Set(), pollMs: undefined };
      known.revisions.add(revision);
      if (pollMs !== undefined) known.pollMs = Math.min(pollMs, known.pollMs ?? Infinity);
      this.#repositories.set(url, known);
    }
  }

  all(): ReadonlyMap<string, NeededRepository> {
    return this.#repositories;
  }
}
