import { Trouble } from "../../proto/kit/trouble.ts";
import { statusOf } from "./fetch-pack.ts";
import { RedirectRefused, TransferTooLarge } from "./http.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { RepositoryUnavailable, type RepositoryProblemCode } from "./repository-unavailable.ts";
import type { RepositoryUrl } from "./repository-url.ts";

/** What to throw for an error that a look at a repository met. */
export function asUnavailable(url: RepositoryUrl, error: unknown): Error {
  if (error instanceof RepositoryUnavailable) return error;
  const code = codeOf(error);
  // Anything we did not foresee is a bug and must stay one.
  if (code === undefined) return error instanceof Error ? error : new Error(String(error));
  return new RepositoryUnavailable(url, code, plainCause(error));
}

function codeOf(error: unknown): RepositoryProblemCode | undefined {
  if (error instanceof TransferTooLarge) return "WH-GIT-3006";
  if (error instanceof RedirectRefused) return "WH-GIT-3007";
  if (error instanceof MirrorDamaged) return "WH-GIT-3008";
  if (error instanceof Trouble) return "WH-GIT-3001";
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const status = statusOf(error);
  if (status === 401 || status === 403) return "WH-GIT-3002";
  if (status === 404 || status === 410) return "WH-GIT-3003";
  if ("syscall" in error && "path" in error) return "WH-GIT-3008";
  return "WH-GIT-3001";
}

/** isomorphic-git quotes whole pages of HTML; the status says as much. */
function plainCause(error: unknown): unknown {
  const status = statusOf(error);
  if (status !== undefined) return `the server answered ${status}`;
  if (error instanceof Error && "code" in error && error.code === "SmartHttpError")
    return "what answers there is not a Git server";
  return error;
}
