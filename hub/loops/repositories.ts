import { backoffMs } from "../../proto/kit/backoff.ts";
import { Mailbox } from "../../proto/kit/mailbox.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { normalizedRepository } from "../domain/app-project.ts";
import type { ProblemDraft } from "../domain/problem.ts";
import type { RepositoryRecord } from "../domain/repository-record.ts";
import {
  runRepositoryLoop,
  soonerPollMs,
  type RepositoryLoopNeeds,
  type RepositoryPolicy,
  type RepositoryState,
  type RepositoryUpdate,
  type RevisionState,
} from "./repository-loop.ts";

/** One repository as the loops use it; the mirror of the git room has this shape. */
export type WatchedRepository = {
  readonly update: (revisions: readonly string[], signal: AbortSignal) => Promise<RepositoryUpdate>;
  readonly heads: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
};

export type RepositoriesNeeds = Pick<RepositoryLoopNeeds, "record" | "clock" | "random" | "log"> & {
  /** The repository at an address, or why the address is none. */
  readonly open: (
    url: string,
  ) =>
    | { readonly ok: true; readonly value: WatchedRepository }
    | { readonly ok: false; readonly problem: string };
  readonly find: (url: string, signal: AbortSignal) => Promise<RepositoryRecord | undefined>;
  /** Told whenever what is known of some revision changed. */
  readonly onMoved: () => void;
  /** A repository was read, or tried in vain, for the first time: who waits to know that nothing moved hears it here. */
  readonly onFirstLook: () => void;
};

export type RepositoriesSettings = RepositoryPolicy & {
  /** How many may be asked or fetched at the same time. */
  readonly atOnceMost: number;
};

export type NeededRepository = {
  readonly revisions: ReadonlySet<string>;
  /** How soon somebody wants it looked at again; `undefined`: whenever that is due. */
  readonly pollMs: number | undefined;
};

/** Which repositories are needed, and which revisions of them. */
export type NeededRepositories = ReadonlyMap<string, NeededRepository>;

export type Repositories = {
  /** Runs one loop per needed repository until aborted. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Where a revision is. Asking for one that nobody needed yet makes it needed. */
  readonly revision: (url: string, revision: string) => RevisionState;
  /** Whether it has been read since this process began, so that what is known of it is not from before. */
  readonly isCurrent: (url: string) => boolean;
  /** Whether every needed one has been looked at since this process began, in vain or not. */
  readonly allTried: () => boolean;
  /** From now on these are needed and no others; loops start and stop accordingly. */
  readonly setNeeded: (needed: NeededRepositories) => void;
  /** Looks again soon. Addresses are compared without `.git`, user and case; without one, all look. */
  readonly wake: (url?: string) => void;
  /** A fault in what a repository holds shows on its record until it is taken back. */
  readonly complain: (url: string, problem: ProblemDraft | undefined) => void;
};

type Watched = {
  readonly revisions: Set<string>;
  readonly state: RepositoryState;
  readonly wakes: Mailbox<string, string>;
  readonly stop: AbortController;
  /** How soon somebody wants it looked at again. */
  askedPollMs: number | undefined;
  complaint: ProblemDraft | undefined;
  started: boolean;
  /** The first look of this process. */
  firstLook: "pending" | "answered" | "failed";
};

const badAddress = "WH-GIT-3005";

/** Watches every repository that is needed, each in a loop of its own: none waits for another. */
export function createRepositories(
  needs: RepositoriesNeeds,
  settings: RepositoriesSettings,
): Repositories {
  const watched = new Map<string, Watched>();
  const changes = new Mailbox<string, string>();
  const turns = new Turns<string>(settings.atOnceMost);

  const watch = (url: string): Watched => {
    const known = watched.get(url);
    if (known !== undefined) return known;
    const made: Watched = {
      revisions: new Set(),
      state: new Map(),
      wakes: new Mailbox(),
      stop: new AbortController(),
      askedPollMs: undefined,
      complaint: undefined,
      started: false,
      firstLook: "pending",
    };
    watched.set(url, made);
    changes.put(url, url);
    return made;
  };

  const runOne = async (url: string, one: Watched, signal: AbortSignal): Promise<void> => {
    const repository = needs.open(url);
    await runRepositoryLoop(
      url,
      one.state,
      one.wakes,
      {
        update: (revisions, updateSignal) =>
          lookedAt(one, () =>
            repository.ok
              ? turns.take(
                  url,
                  () => repository.value.update(revisions, updateSignal),
                  updateSignal,
                )
              : Promise.reject(new BadAddress(repository.problem)),
          ),
        knownHeads: (headsSignal) =>
          repository.ok ? repository.value.heads(headsSignal) : Promise.resolve(new Map()),
        findRecord: (findSignal) => needs.find(url, findSignal),
        record: needs.record,
        revisions: () => [...one.revisions],
        pollMs: () => soonerPollMs(settings, one.askedPollMs),
        complaint: () => one.complaint,
        onMoved: needs.onMoved,
        clock: needs.clock,
        random: needs.random,
        log: needs.log,
      },
      settings,
      signal,
    );
  };

  const lookedAt = async <T>(one: Watched, look: () => Promise<T>): Promise<T> => {
    const before = one.firstLook;
    try {
      const found = await look();
      one.firstLook = "answered";
      return found;
    } catch (error) {
      if (before === "pending") one.firstLook = "failed";
      throw error;
    } finally {
      if (one.firstLook !== before) needs.onFirstLook();
    }
  };

  /**
   * Until it is stopped; never throws. A loop that falls over for a reason of its own is begun again, after a
   * pause that grows: one repository costs no other.
   */
  const keepRunning = async (url: string, one: Watched, signal: AbortSignal): Promise<void> => {
    const own = AbortSignal.any([signal, one.stop.signal]);
    let failures = 0;
    while (!own.aborted) {
      const beganMs = needs.clock.nowMs();
      try {
        await runOne(url, one, own);
      } catch (error) {
        if (own.aborted) return;
        // One that ran well for so long does not fail in a row.
        if (needs.clock.nowMs() - beganMs > settings.retry.mostMs) failures = 0;
        failures += 1;
        needs.log[error instanceof Trouble ? "warn" : "error"]("repository loop failed", {
          repository: url,
          failures,
          problem: describeError(error),
          stack: error instanceof Trouble || !(error instanceof Error) ? undefined : error.stack,
        });
        const pauseMs = backoffMs(failures, settings.retry, needs.random);
        // Only an abort ends it early, and that ends the loop.
        await needs.clock.sleep(pauseMs, own).catch(() => {});
      }
    }
  };

  return {
    run: async (signal) => {
      const running = new Set<Promise<void>>();
      const supervise = async (group: AbortSignal): Promise<void> => {
        for (;;) {
          for (const [url, one] of watched) {
            if (one.started) continue;
            one.started = true;
            const loop = keepRunning(url, one, group).finally(() => running.delete(loop));
            running.add(loop);
          }
          await changes.take(group);
        }
      };
      try {
        await runTogether([supervise], signal);
      } finally {
        await Promise.allSettled(running);
      }
    },
    revision: (url, revision) => {
      const one = watch(url);
      if (!one.revisions.has(revision)) {
        one.revisions.add(revision);
        one.wakes.put("needed", revision);
      }
      return one.state.get(revision) ?? { kind: "unknown" };
    },
    isCurrent: (url) => watched.get(url)?.firstLook === "answered",
    allTried: () => [...watched.values()].every(({ firstLook }) => firstLook !== "pending"),
    setNeeded: (needed) => {
      for (const [url, one] of watched) {
        const revisions = needed.get(url)?.revisions;
        if (revisions === undefined || revisions.size === 0) {
          watched.delete(url);
          one.stop.abort(new Error(`repository ${url} is not needed any more`));
          continue;
        }
        for (const revision of one.revisions)
          if (!revisions.has(revision)) {
            one.revisions.delete(revision);
            one.state.delete(revision);
          }
      }
      for (const [url, { revisions, pollMs }] of needed) {
        const one = watch(url);
        const before = soonerPollMs(settings, one.askedPollMs);
        one.askedPollMs = pollMs;
        // Who waits already would wait as long as was right before.
        if (soonerPollMs(settings, pollMs) < before) one.wakes.put("hurried", url);
        for (const revision of revisions) {
          if (one.revisions.has(revision)) continue;
          one.revisions.add(revision);
          one.wakes.put("needed", revision);
        }
      }
    },
    wake: (url) => {
      const wanted = url === undefined ? undefined : normalizedRepository(url);
      for (const [known, { wakes }] of watched)
        if (wanted === undefined || normalizedRepository(known) === wanted)
          wakes.put("woken", known);
    },
    complain: (url, problem) => {
      const one = watched.get(url);
      if (one === undefined) return;
      const changed = JSON.stringify(one.complaint) !== JSON.stringify(problem);
      one.complaint = problem;
      if (changed) one.wakes.put("complaint", url);
    },
  };
}

class BadAddress extends Trouble {
  override readonly name = "BadAddress";
  readonly code = badAddress;
}
