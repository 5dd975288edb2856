import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { Mailbox } from "../../proto/kit/mailbox.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import type { ProblemDraft } from "../domain/problem.ts";
import { problemSince } from "../domain/problem.ts";
import type { FleetEventDraft, Problem } from "../domain/records.ts";
import type { RepositoryRecord } from "../domain/repository-record.ts";
import { takeWithin } from "./take-within.ts";

/** What one look at a repository found. */
export type RepositoryUpdate = {
  /** Commit of each revision asked for that exists, fetched. */
  readonly heads: ReadonlyMap<string, string>;
  /** Why the others have none, one sentence each. */
  readonly missing: ReadonlyMap<string, string>;
  /** Branches whose history was rewritten. */
  readonly rewritten: readonly {
    readonly revision: string;
    readonly from: string;
    readonly to: string;
  }[];
};

/** Where a revision is, as far as is known. */
export type RevisionState =
  /** Nobody has looked yet; somebody will, and tell. */
  | { readonly kind: "unknown" }
  /** The newest commit that is here. It stays while the repository cannot be reached. */
  | { readonly kind: "at"; readonly commit: string }
  | { readonly kind: "unavailable"; readonly problem: ProblemDraft };

export type RepositoryLoopNeeds = {
  /** Looks for the revisions and fetches what moved. Throws Trouble, with a `code` when it has a stable one. */
  readonly update: (revisions: readonly string[], signal: AbortSignal) => Promise<RepositoryUpdate>;
  /** What the disk holds from before a restart. */
  readonly knownHeads: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
  readonly findRecord: (signal: AbortSignal) => Promise<RepositoryRecord | undefined>;
  readonly record: (
    record: RepositoryRecord,
    events: readonly FleetEventDraft[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /** The revisions that are needed now. */
  readonly revisions: () => readonly string[];
  /** How long to wait now before looking again. */
  readonly pollMs: () => number;
  /** A fault in what the repository holds, told by whoever reads it; it shows while the repository itself is well. */
  readonly complaint: () => ProblemDraft | undefined;
  /** Told after each look that changed what is known of some revision, first looks included. */
  readonly onMoved: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type RepositoryPolicy = {
  readonly pollMs: number;
  /** However soon somebody wants to look again, it is not sooner than this, unless `pollMs` is. */
  readonly askedPollMsLeast: number;
  readonly retry: BackoffPolicy;
  /** How long a record may say less than is known when nothing but the time of looking changed. */
  readonly recordEveryMs: number;
};

/** What a repository loop knows and others may read. The loop is the only one that writes it. */
export type RepositoryState = Map<string, RevisionState>;

/** Code for a revision that does not exist. */
const revisionMissing = "WH-GIT-3004";
const repositoryUnavailable = "WH-GIT-3001";

/** How long to wait before looking again when somebody asks for `askedMs`: never longer than usual. */
export const soonerPollMs = (
  { pollMs, askedPollMsLeast }: Pick<RepositoryPolicy, "pollMs" | "askedPollMsLeast">,
  askedMs: number | undefined,
): number =>
  askedMs === undefined ? pollMs : Math.min(pollMs, Math.max(askedMs, askedPollMsLeast));

/**
 * Keeps one repository's revisions known until aborted: looks, fetches, writes down, waits or is woken.
 *
 * A repository that cannot be reached keeps what was known of it, says so on its record, and is tried again
 * with growing pauses. Waking ends any pause.
 */
export async function runRepositoryLoop(
  url: string,
  state: RepositoryState,
  wakes: Mailbox<string, string>,
  needs: RepositoryLoopNeeds,
  policy: RepositoryPolicy,
  signal: AbortSignal,
): Promise<void> {
  const log = needs.log.with({ repository: url });
  let record = await needs.findRecord(signal);
  let writtenAtMs = -Infinity;
  let failures = 0;
  let first = true;

  // A copy that cannot be used is made again by the first look, or tells why it cannot.
  const before = await needs.knownHeads(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (!(error instanceof Trouble)) throw error;
    return new Map<string, string>();
  });
  for (const [revision, commit] of before) state.set(revision, { kind: "at", commit });
  if (before.size > 0) needs.onMoved();

  for (;;) {
    // Reasons to look that came before this look are answered by it.
    if (wakes.size > 0) await wakes.takeMany(wakes.size, signal);
    const revisions = needs.revisions();
    const found = await look(revisions, needs, signal);
    const nowMs = needs.clock.nowMs();
    const moved = applyFindings(state, revisions, found);
    failures = found.kind === "failed" ? failures + 1 : 0;

    const next = nextRecord(url, record, state, found, needs.complaint(), nowMs);
    const events = eventsBetween(record, next, found);
    if (events.length > 0 || differs(record, next) || nowMs - writtenAtMs >= policy.recordEveryMs) {
      await needs.record(next, events, nowMs, signal);
      writtenAtMs = nowMs;
    }
    logFindings(log, record, next, found, failures);
    record = next;
    if (moved) needs.onMoved();

    // Later looks are spread over the whole interval, so that many repositories do not all ask at once.
    const spread = first ? 0.1 + 0.9 * needs.random() : 0.9 + 0.2 * needs.random();
    first = false;
    const waitMs =
      failures === 0
        ? Math.round(needs.pollMs() * spread)
        : backoffMs(failures, policy.retry, needs.random);
    await takeWithin(wakes, waitMs, needs.clock, signal);
  }
}

type Findings =
  | { readonly kind: "found"; readonly update: RepositoryUpdate }
  | { readonly kind: "failed"; readonly problem: ProblemDraft; readonly bug: boolean };

async function look(
  revisions: readonly string[],
  needs: RepositoryLoopNeeds,
  signal: AbortSignal,
): Promise<Findings> {
  try {
    return { kind: "found", update: await needs.update(revisions, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return {
      kind: "failed",
      problem: { code: codeOf(error), message: describeError(error) },
      bug: !(error instanceof Trouble),
    };
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Trouble && "code" in error && typeof error.code === "string"
    ? error.code
    : repositoryUnavailable;

/** Writes what was found into `state`. Returns whether that changed anything. */
function applyFindings(
  state: RepositoryState,
  revisions: readonly string[],
  found: Findings,
): boolean {
  const wanted = new Set(revisions);
  for (const revision of state.keys()) if (!wanted.has(revision)) state.delete(revision);
  let moved = false;
  for (const revision of revisions) {
    const known = state.get(revision);
    const now = stateOf(revision, known, found);
    if (JSON.stringify(now) === JSON.stringify(known)) continue;
    state.set(revision, now);
    moved = true;
  }
  return moved;
}

function stateOf(
  revision: string,
  known: RevisionState | undefined,
  found: Findings,
): RevisionState {
  if (found.kind === "failed")
    // The last good commit is better than none.
    return known?.kind === "at" ? known : { kind: "unavailable", problem: found.problem };
  const commit = found.update.heads.get(revision);
  if (commit !== undefined) return { kind: "at", commit };
  const reason = found.update.missing.get(revision) ?? `revision ${revision} was not found`;
  return { kind: "unavailable", problem: { code: revisionMissing, message: reason } };
}

function nextRecord(
  url: string,
  before: RepositoryRecord | undefined,
  state: RepositoryState,
  found: Findings,
  complaint: ProblemDraft | undefined,
  nowMs: number,
): RepositoryRecord {
  const heads: Record<string, string> = {};
  for (const [revision, known] of state) {
    // A revision that cannot be found keeps its last commit on the record, beside the problem.
    const commit = known.kind === "at" ? known.commit : before?.heads[revision];
    if (commit !== undefined) heads[revision] = commit;
  }
  const draft =
    found.kind === "failed" ? found.problem : (missingProblem(found.update.missing) ?? complaint);
  return {
    url,
    heads,
    fetchedAtMs: found.kind === "found" ? nowMs : before?.fetchedAtMs,
    checkedAtMs: nowMs,
    problem: problemSince(draft, before?.problem, nowMs),
  };
}

function missingProblem(missing: ReadonlyMap<string, string>): ProblemDraft | undefined {
  if (missing.size === 0) return undefined;
  return { code: revisionMissing, message: [...missing.values()].join("; ") };
}

const differs = (before: RepositoryRecord | undefined, next: RepositoryRecord): boolean =>
  before === undefined ||
  !sameProblem(before.problem, next.problem) ||
  headsText(before) !== headsText(next);

const headsText = (record: RepositoryRecord | undefined): string =>
  JSON.stringify(
    Object.entries(record?.heads ?? {}).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );

const sameProblem = (a: Problem | undefined, b: Problem | undefined): boolean =>
  a?.code === b?.code && a?.message === b?.message;

function eventsBetween(
  before: RepositoryRecord | undefined,
  next: RepositoryRecord,
  found: Findings,
): readonly FleetEventDraft[] {
  const about = { subject: next.url, cluster: "" };
  const events: FleetEventDraft[] = [];
  for (const [revision, commit] of Object.entries(next.heads))
    if (before?.heads[revision] !== commit)
      events.push({
        ...about,
        kind: "repository-fetched",
        message: `${revision} is at ${commit}`,
      });
  if (found.kind === "found")
    for (const { revision, from, to } of found.update.rewritten)
      events.push({
        ...about,
        kind: "repository-fetched",
        message: `the history of ${revision} was rewritten: it went from ${from} to ${to}`,
      });
  if (next.problem !== undefined && !sameProblem(before?.problem, next.problem))
    events.push({ ...about, kind: "repository-problem", message: next.problem.message });
  if (next.problem === undefined && before?.problem !== undefined)
    events.push({ ...about, kind: "repository-fetched", message: "it can be read again" });
  return events;
}

function logFindings(
  log: Log,
  before: RepositoryRecord | undefined,
  next: RepositoryRecord,
  found: Findings,
  failures: number,
): void {
  if (found.kind === "failed") {
    const { code, message } = found.problem;
    log[found.bug ? "error" : "warn"]("repository check failed", {
      failures,
      code,
      problem: message,
    });
    return;
  }
  for (const { revision, from, to } of found.update.rewritten)
    log.warn("history was rewritten", { revision, from, commit: to });
  for (const [revision, commit] of Object.entries(next.heads))
    if (before?.heads[revision] !== commit) log.info("commit fetched", { revision, commit });
  if (next.problem !== undefined && !sameProblem(before?.problem, next.problem))
    log.warn("repository has a problem", {
      code: next.problem.code,
      problem: next.problem.message,
    });
}
