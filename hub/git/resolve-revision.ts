import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { BareCopy } from "./bare-copy.ts";
import { isPartialId, isWholeId } from "./commit-id.ts";
import { RedirectRefused, TransferTooLarge } from "./http.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import type { Remote, RemoteRefs } from "./remote.ts";

/** Where a revision is looked for: here, and where `refs` say the remote has it. */
export type Sources = {
  readonly copy: BareCopy;
  readonly remote: Remote;
  readonly refs: RemoteRefs;
};

/** `tip`: the name under which the remote has the commit. */
export type Found = { readonly commit: string; readonly tip: string };

/** Finds the commit of a revision and fetches what of it is not here yet. Fails with why there is none. */
export async function resolveRevision(
  revision: string,
  sources: Sources,
  signal: AbortSignal,
): Promise<Result<Found, string>> {
  const { remote, refs } = sources;
  if (isWholeId(revision)) return bringCommit(revision, sources, signal);
  const names =
    revision === "HEAD" || revision.startsWith("refs/")
      ? [revision]
      : [`refs/heads/${revision}`, `refs/tags/${revision}`];
  const name = names.find((candidate) => refs.has(candidate));
  const oid = name === undefined ? undefined : refs.get(name);
  if (name !== undefined && oid !== undefined) {
    const commit = await bring(name, oid, sources, signal);
    if (commit !== undefined) return ok({ commit, tip: name });
    // A push may have come between the listing and the fetch.
    const newer = (await remote.list(signal)).get(name) ?? oid;
    const second = newer === oid ? undefined : await bring(name, newer, sources, signal);
    if (second !== undefined) return ok({ commit: second, tip: name });
    throw new MirrorDamaged(`what came for ${name} is not all of ${newer}`);
  }
  if (isPartialId(revision)) return bringPartial(revision, sources, signal);
  const known = [...refs.keys()].filter((key) => key.startsWith("refs/heads/")).length;
  return fail(
    refs.size === 0
      ? `the repository is empty, so there is no revision ${JSON.stringify(revision)}`
      : `there is no branch, tag or commit ${JSON.stringify(revision)} (the repository has ${known} branches)`,
  );
}

/** Brings what `remoteRef` names here, and says which commit it is. */
async function bring(
  remoteRef: string,
  oid: string,
  { copy, remote }: Sources,
  signal: AbortSignal,
): Promise<string | undefined> {
  const here = await copy.completeCommit(oid, signal);
  if (here !== undefined) return here;
  const { tips, snapshots } = copy.state;
  const known = tips[remoteRef] ?? Object.values(tips)[0];
  const have = known === undefined ? undefined : await copy.completeCommit(known, signal);
  try {
    await remote.fetch(copy, { remoteRef, have, snapshots }, signal);
  } catch (error) {
    if (!(error instanceof TransferTooLarge) || snapshots) throw error;
    copy.giveUpHistory();
    await remote.fetch(copy, { remoteRef, have: undefined, snapshots: true }, signal);
  }
  return copy.completeCommit(oid, signal);
}

async function bringCommit(
  oid: string,
  { copy, remote, refs }: Sources,
  signal: AbortSignal,
): Promise<Result<Found, string>> {
  const here = await copy.completeCommit(oid, signal);
  if (here !== undefined) return ok({ commit: here, tip: oid });
  const { tips, snapshots } = copy.state;
  const [have] = Object.values(tips);
  // Many servers give any commit by its id; the others only branches, which then hold it or do not.
  await remote.fetch(copy, { remoteRef: oid, have, snapshots }, signal).catch(orDifferently);
  const direct = await copy.completeCommit(oid, signal);
  if (direct !== undefined) return ok({ commit: direct, tip: oid });
  if (refs.size > 0 && !snapshots)
    await remote.fetch(copy, { remoteRef: undefined, have, snapshots: false }, signal);
  const commit = await copy.completeCommit(oid, signal);
  return commit === undefined
    ? fail(`there is no commit ${oid} on any branch`)
    : ok({ commit, tip: oid });
}

async function bringPartial(
  prefix: string,
  { copy, remote, refs }: Sources,
  signal: AbortSignal,
): Promise<Result<Found, string>> {
  const { objects } = copy;
  const { tips, snapshots } = copy.state;
  const commits = (): readonly string[] =>
    objects.withPrefix(prefix, 100).filter((oid) => objects.read(oid)?.type === "commit");
  if (commits().length === 0 && refs.size > 0 && !snapshots) {
    const [have] = Object.values(tips);
    await remote.fetch(copy, { remoteRef: undefined, have, snapshots: false }, signal);
  }
  const found = commits();
  const [only] = found;
  if (found.length > 1) return fail(`commit ${prefix} could be any of ${found.length}`);
  if (only === undefined)
    return fail(`there is no branch, tag or commit ${JSON.stringify(prefix)}`);
  const commit = await copy.completeCommit(only, signal);
  return commit === undefined
    ? fail(`commit ${prefix} is not here with all of its files`)
    : ok({ commit, tip: commit });
}

/** A server that refuses one way of asking is asked another way; anything else is trouble. */
function orDifferently(error: unknown): void {
  if (error instanceof TransferTooLarge || error instanceof RedirectRefused) throw error;
  if (!(error instanceof Error) || error.name === "AbortError") throw error;
  const code = "code" in error ? String(error.code) : "";
  if (!refusals.has(code)) throw error;
}

const refusals = new Set([
  "HttpError",
  "NotFoundError",
  "GitPushError",
  "ParseError",
  "InternalError",
]);
