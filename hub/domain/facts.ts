import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { Labels } from "./records.ts";

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
  /** Every directory, without the root, without those under a dot directory; sorted by bytes. */
  readonly directories: readonly string[];
};

/** Everything a generation may depend on besides the set itself. Gathered whole before it starts. */
export type Facts = {
  /** Sorted by name. */
  readonly clusters: readonly ClusterFact[];
  /** By `repositoryFactKey`. A repository that could not be read is absent, and fails the generators that ask. */
  readonly repositories: ReadonlyMap<string, RepositoryFact>;
  /** Adds Argo CD's implicit `in-cluster` to cluster generators without a selector. A hub has none by default. */
  readonly localCluster?: boolean;
};

export const repositoryFactKey = (repoURL: string, revision: string): string =>
  `${repoURL} ${revision}`;
