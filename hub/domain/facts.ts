import type { Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { Labels } from "./records.ts";
import type { RemoteFact } from "./remote-facts.ts";

/** A cluster as generation sees it. */
export type ClusterFact = {
  readonly id: ClusterId;
  readonly name: ClusterName;
  readonly server: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** What templates see as `project`; Argo CD has it on clusters that belong to one. */
  readonly project?: string;
};

/** What a repository holds at a commit, as far as generators ask. */
export type RepositoryFact = {
  readonly repoURL: string;
  /** As written in the generator; `HEAD` when it was left out. */
  readonly revision: string;
  readonly commit: string;
  /** Every directory, without the root, without those under a dot directory, as a walk meets them. */
  readonly directories: readonly string[];
  /** Every file, links and submodules among them; sorted by bytes. Absent until a generator asks. */
  readonly files?: readonly string[];
  /** By path: what a file holds, or a sentence why it cannot be read. Only those that were asked for. */
  readonly documents?: ReadonlyMap<string, Result<Json, string>>;
};

/** Everything a generation may depend on besides the set itself. Gathered whole before it starts. */
export type Facts = {
  /** Sorted by name, each name once. */
  readonly clusters: readonly ClusterFact[];
  /** By `repositoryFactKey`. A repository that is absent fails the generators that ask. */
  readonly repositories: ReadonlyMap<string, RepositoryFact>;
  /** Why a repository is absent, by the same key. */
  readonly unreadable?: ReadonlyMap<string, string>;
  /** What services answered, by `remoteFactKey`. One that is absent fails the generators that ask. */
  readonly remote?: ReadonlyMap<string, RemoteFact>;
  /** Adds Argo CD's implicit `in-cluster` to cluster generators without a selector. A hub has none by default. */
  readonly localCluster?: boolean;
  /** How patterns of git files are read; git's pathspecs when it is left out, as Argo CD does by default. */
  readonly fileDialect?: FileDialect;
};

/** `pathspec` is what `git ls-files` takes. `doublestar` is Argo CD's `--enable-new-git-file-globbing`. */
export type FileDialect = "pathspec" | "doublestar";

export const repositoryFactKey = (repoURL: string, revision: string): string =>
  `${repoURL} ${revision}`;

/** What a generation asks of one repository. */
export type RepositoryNeed = {
  readonly repoURL: string;
  readonly revision: string;
  /** Whether the names of its files are asked for. */
  readonly lists: boolean;
  /** Files whose content is asked for. */
  readonly reads: readonly string[];
};

/** Needs by `repositoryFactKey`, each repository once, with everything that is asked of it. */
export class RepositoryNeeds {
  readonly #needs = new Map<
    string,
    { repoURL: string; revision: string; lists: boolean; reads: Set<string> }
  >();

  add({ repoURL, revision, lists, reads }: RepositoryNeed): void {
    const key = repositoryFactKey(repoURL, revision);
    const known = this.#needs.get(key) ?? { repoURL, revision, lists: false, reads: new Set() };
    known.lists ||= lists;
    for (const path of reads) known.reads.add(path);
    this.#needs.set(key, known);
  }

  all(): readonly RepositoryNeed[] {
    return [...this.#needs.values()].map(({ reads, ...need }) => ({ ...need, reads: [...reads] }));
  }
}

/** Whether a fact answers all that is asked. */
export const answers = (fact: RepositoryFact, { lists, reads }: RepositoryNeed): boolean =>
  (!lists || fact.files !== undefined) && reads.every((path) => fact.documents?.has(path) === true);
