import { Trouble } from "../../proto/kit/trouble.ts";

/** Stable codes of what can go wrong with a repository; docs/troubleshooting has one heading each. */
export type RepositoryProblemCode =
  /** It cannot be reached, or what answers is not Git. */
  | "WH-GIT-3001"
  /** Our credentials are refused, or it wants some and we have none. */
  | "WH-GIT-3002"
  /** There is no such repository, as far as we are told. */
  | "WH-GIT-3003"
  /** Its address is one we do not accept. */
  | "WH-GIT-3005"
  /** It is larger or slower than our limits. */
  | "WH-GIT-3006"
  /** It sends us elsewhere, where our credentials must not go. */
  | "WH-GIT-3007"
  /** What came is broken, or what we keep of it is. */
  | "WH-GIT-3008"
  /** A file with its credentials cannot be read. */
  | "WH-GIT-3009";

/** The repository could not be fetched; `cause` says why. */
export class RepositoryUnavailable extends Trouble {
  override readonly name = "RepositoryUnavailable";
  readonly repository: string;
  readonly code: RepositoryProblemCode;

  constructor(repository: string, code: RepositoryProblemCode, cause: unknown) {
    super(`repository ${repository} could not be fetched`, { cause });
    this.repository = repository;
    this.code = code;
  }
}
