import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ok, type Result } from "../../proto/kit/result.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { descends } from "./ancestry.ts";
import { openBareCopy, type BareCopy } from "./bare-copy.ts";
import { isWholeId } from "./commit-id.ts";
import { objectLimits, type ObjectLimits } from "./git-object.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { noticingDamage } from "./notice-damage.ts";
import { openRemote, type RemoteLimits, type RemoteRefs, type RemoteSettings } from "./remote.ts";
import { parseRepositoryUrl, type RepositoryUrl } from "./repository-url.ts";
import { resolveRevision } from "./resolve-revision.ts";
import { openCommit, type CommitTree } from "./tree.ts";
import { asUnavailable } from "./why-unavailable.ts";

export type MirrorLimits = RemoteLimits & {
  /** More packs than this are joined into one. */
  readonly packsMost: number;
  readonly objects: ObjectLimits;
};

export const mirrorLimits: MirrorLimits = {
  historyBytesMost: 128 * 1024 * 1024,
  snapshotBytesMost: 512 * 1024 * 1024,
  listingBytesMost: 64 * 1024 * 1024,
  listingMs: 30_000,
  fetchMs: 5 * 60_000,
  silenceMs: 30_000,
  packsMost: 20,
  objects: objectLimits,
};

export type MirrorSettings = RemoteSettings & {
  /** Where the mirrors lie, one folder each. Nothing in it is needed: what is gone is fetched again. */
  readonly folder: string;
  readonly limits: MirrorLimits;
};

/** What one look at a repository found. */
export type MirrorUpdate = {
  /** Commit of each revision asked for that exists, all of it on disk. */
  readonly heads: ReadonlyMap<string, string>;
  /** Why the others have no commit, one sentence each. */
  readonly missing: ReadonlyMap<string, string>;
  /** Branches whose new head does not descend from the one before. The new one counts all the same. */
  readonly rewritten: readonly {
    readonly revision: string;
    readonly from: string;
    readonly to: string;
  }[];
  /** Whether anything came over the wire besides the listing. */
  readonly fetched: boolean;
};

/** A bare copy of one repository. Any number may read; updates happen one after the other. */
export type Mirror = {
  readonly url: RepositoryUrl;
  /**
   * Asks where the revisions are and fetches what is not here yet. `revisions` are branches, tags, commit ids
   * (whole or at least seven digits), full ref names, or `HEAD`.
   *
   * Throws RepositoryUnavailable when the repository cannot be asked or its answer cannot be kept. What was
   * here before stays readable.
   */
  readonly update: (revisions: readonly string[], signal: AbortSignal) => Promise<MirrorUpdate>;
  /**
   * Commits of revisions as the last update left them, also one before a restart. This and `open` throw
   * RepositoryUnavailable when the folder cannot be used.
   */
  readonly heads: (signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
  /** `undefined` when the commit is not here. */
  readonly open: (commit: string, signal: AbortSignal) => Promise<CommitTree | undefined>;
};

export type Mirrors = {
  /** The mirror of a repository; the same one for the same address. Fails with a sentence for a bad address. */
  readonly of: (url: string) => Result<Mirror, string>;
  readonly close: () => void;
};

export function openMirrors(settings: MirrorSettings): Mirrors {
  const mirrors = new Map<string, Mirror & { readonly close: () => void }>();
  return {
    of: (address) => {
      const url = parseRepositoryUrl(address);
      if (!url.ok) return url;
      const known = mirrors.get(url.value);
      if (known !== undefined) return ok(known);
      const made = openMirror(url.value, settings);
      mirrors.set(url.value, made);
      return ok(made);
    },
    close: () => {
      for (const mirror of mirrors.values()) mirror.close();
      mirrors.clear();
    },
  };
}

function openMirror(
  url: RepositoryUrl,
  settings: MirrorSettings,
): Mirror & { readonly close: () => void } {
  const { limits } = settings;
  const folder = join(settings.folder, digestOfText(url).slice(0, 32));
  const remote = openRemote(url, settings);
  const turns = new Turns<string>(1);
  let opened: BareCopy | undefined;
  // A reader met something it could not read: what we hold is not to be trusted.
  let damaged = false;

  const ready = async (): Promise<BareCopy> =>
    (opened ??= await openBareCopy(folder, url, limits.objects));

  const readied = (signal: AbortSignal): Promise<BareCopy> =>
    turns.take("update", ready, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw asUnavailable(url, error);
    });

  const close = (): void => {
    opened?.close();
    opened = undefined;
  };

  const startAgain = async (): Promise<void> => {
    close();
    damaged = false;
    await rm(folder, { recursive: true, force: true });
  };

  const update = async (
    revisions: readonly string[],
    signal: AbortSignal,
  ): Promise<MirrorUpdate> => {
    if (damaged) await startAgain();
    const copy = await ready();
    const { objects } = copy;
    // Whole commit ids do not move: once they are here there is nothing to ask.
    const settled = revisions.every(isWholeId) && (await allComplete(copy, revisions, signal));
    const refs: RemoteRefs = settled ? new Map() : await remote.list(signal);
    const packsBefore = objects.packs().length;
    const before = copy.state;
    const heads = new Map<string, string>();
    const missing = new Map<string, string>();
    const tips: Record<string, string> = {};
    const rewritten: { revision: string; from: string; to: string }[] = [];
    for (const revision of new Set(revisions)) {
      const found = await resolveRevision(revision, { copy, remote, refs }, signal);
      if (!found.ok) {
        missing.set(revision, found.problem);
        continue;
      }
      const { commit, tip } = found.value;
      heads.set(revision, commit);
      tips[tip] = commit;
      const from = before.heads[revision];
      const moved = from !== undefined && from !== commit && !copy.state.snapshots;
      if (moved && tip !== commit && !(await descends(objects, commit, from, signal)))
        rewritten.push({ revision, from, to: commit });
    }
    // A revision that is gone for now keeps its last commit on record: nothing is dropped by absence.
    const kept = Object.fromEntries(
      Object.entries(before.heads).filter(([revision]) => missing.has(revision)),
    );
    const next = { ...copy.state, tips, heads: { ...kept, ...Object.fromEntries(heads) } };
    if (JSON.stringify(next) !== JSON.stringify(before)) await copy.note(next);
    const fetched = objects.packs().length !== packsBefore;
    if (fetched) await copy.tidy(limits.packsMost, signal);
    return { heads, missing, rewritten, fetched };
  };

  return {
    url,
    update: (revisions, signal) =>
      turns.take(
        "update",
        async () => {
          try {
            return await update(revisions, signal).catch(async (error: unknown) => {
              if (!(error instanceof MirrorDamaged)) throw error;
              // A copy that cannot be read is worth nothing: once more from the start, then give up.
              await startAgain();
              return update(revisions, signal);
            });
          } catch (error) {
            signal.throwIfAborted();
            throw asUnavailable(url, error);
          }
        },
        signal,
      ),
    heads: async (signal) => {
      const { state } = opened ?? (await readied(signal));
      return new Map(Object.entries(state.heads));
    },
    open: async (commit, signal) => {
      signal.throwIfAborted();
      const { objects } = opened ?? (await readied(signal));
      const tree = openCommit(objects, commit);
      return tree && noticingDamage(tree, () => (damaged = true));
    },
    close,
  };
}

async function allComplete(
  copy: BareCopy,
  oids: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const oid of oids) if ((await copy.completeCommit(oid, signal)) === undefined) return false;
  return true;
}
