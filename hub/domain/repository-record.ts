import type { Problem } from "./records.ts";

/** What was last seen of a repository. */
export type RepositoryRecord = {
  readonly url: string;
  /** Where its branches are known to be: revision as asked for (`main`, `HEAD`, a tag) to commit. */
  readonly heads: Readonly<Record<string, string>>;
  readonly fetchedAtMs: number | undefined;
  readonly checkedAtMs: number | undefined;
  readonly problem: Problem | undefined;
};
