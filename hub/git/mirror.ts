import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import git from "isomorphic-git";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { Turns } from "../../proto/kit/turns.ts";
import { Trouble } from "../../proto/kit/trouble.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { fetchPack, statusOf, type FetchOrder } from "./fetch-pack.ts";
import {
  gitHttp,
  RedirectRefused,
  TransferTooLarge,
  unlessBroken,
  type Connections,
} from "./http.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { checkPack, joinPacks, removePack, sweepPacks } from "./pack-files.ts";
import {
  isMissing,
  objectLimits,
  openObjects,
  type ObjectLimits,
  type ObjectStore,
} from "./pack.ts";
import { parseRepositoryUrl, type RepositoryUrl } from "./repository-url.ts";
import { RepositoryUnavailable, type RepositoryProblemCode } from "./repository-unavailable.ts";
import { openCommit, parseTree, targetOfTag, treeOfCommit, type CommitTree } from "./tree.ts";

export type MirrorLimits = {
  /** A repository whose whole history is larger is kept as snapshots instead. */
  readonly historyBytesMost: number;
  /** A snapshot larger than this is refused. */
  readonly snapshotBytesMost: number;
  /** All the answers to one question about branches and tags. */
  readonly listingBytesMost: number;
  readonly listingMs: number;
  readonly fetchMs: number;
  readonly silenceMs: number;
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

export type MirrorSettings = {
  /** Where the mirrors lie, one folder each. Nothing in it is needed: what is gone is fetched again. */
  readonly folder: string;
  readonly limits: MirrorLimits;
  readonly connections: Connections;
  readonly authorization: (url: RepositoryUrl, signal: AbortSignal) => Promise<string | undefined>;
  /** Does first fetches off the main thread; without it they are done here. */
  readonly fetchAside?: (order: FetchOrder, signal: AbortSignal) => Promise<void>;
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

/** What outlives a restart. Written after everything it names is on disk, whole. */
type MirrorState = {
  /** Each name the remote has for it (`refs/heads/main`, a commit id) and where that was. */
  readonly tips: Readonly<Record<string, string>>;
  /** Each revision asked for and its commit. */
  readonly heads: Readonly<Record<string, string>>;
  /** Snapshots without history, because the history is too large. */
  readonly snapshots: boolean;
};

const emptyState: MirrorState = { tips: {}, heads: {}, snapshots: false };

type RemoteRef = { readonly oid: string };

const wholeId = /^[0-9a-f]{40}$/;
const partialId = /^[0-9a-f]{7,39}$/;
const haveRef = "refs/wheelhouse/have";
const historyWalkMost = 20_000;

function openMirror(
  url: RepositoryUrl,
  settings: MirrorSettings,
): Mirror & { readonly close: () => void } {
  const { limits } = settings;
  const folder = join(settings.folder, digestOfText(url).slice(0, 32));
  const packFolder = join(folder, "objects", "pack");
  const turns = new Turns<string>(1);
  let opened: { readonly objects: ObjectStore; state: MirrorState } | undefined;
  // A reader met something it could not read: what we hold is not to be trusted.
  let damaged = false;
  // Trees known to be here with everything below them.
  const completeTrees = new Set<string>();

  /** Opens what the disk holds; whatever cannot be used is made again, empty. */
  const ready = async (): Promise<{ readonly objects: ObjectStore; state: MirrorState }> => {
    if (opened !== undefined) return opened;
    await sweepPacks(packFolder);
    const state = await readState(folder, url);
    if (state === undefined) await makeFolder(folder, url);
    // Refs that isomorphic-git wrote may name objects that never arrived.
    await rm(join(folder, "refs"), { recursive: true, force: true });
    await mkdir(join(folder, "refs", "heads"), { recursive: true });
    opened = { objects: openObjects(folder, limits.objects), state: state ?? emptyState };
    return opened;
  };

  const readied = (signal: AbortSignal): ReturnType<typeof ready> =>
    turns.take("update", ready, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw asUnavailable(url, error);
    });

  const startAgain = async (): Promise<void> => {
    opened?.objects.close();
    opened = undefined;
    damaged = false;
    completeTrees.clear();
    await rm(folder, { recursive: true, force: true });
  };

  const within = async <T>(
    withinMs: number,
    work: (authorization: string | undefined, limited: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const deadline = AbortSignal.timeout(withinMs);
    const limited = AbortSignal.any([signal, deadline]);
    try {
      return await work(await settings.authorization(url, limited), limited);
    } catch (error) {
      signal.throwIfAborted();
      if (deadline.aborted)
        throw new RepositoryUnavailable(url, "WH-GIT-3006", `it took longer than ${withinMs} ms`);
      throw error;
    }
  };

  const listRemote = async (signal: AbortSignal): Promise<ReadonlyMap<string, RemoteRef>> => {
    const refs = await within(
      limits.listingMs,
      (authorization, limited) => {
        const transfer = { bytesMost: limits.listingBytesMost, silenceMs: limits.silenceMs };
        const http = gitHttp(settings.connections, authorization, transfer, limited);
        return unlessBroken(
          http,
          git.listServerRefs({ http, url, symrefs: true, protocolVersion: 2 }),
        );
      },
      signal,
    );
    return new Map(refs.map(({ ref, oid }) => [ref, { oid }]));
  };

  /** One fetch by isomorphic-git. `have` is a commit known to be here with all of its history. */
  const fetchRef = async (
    remoteRef: string | undefined,
    have: string | undefined,
    snapshots: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    const { objects } = await ready();
    const before = new Set(objects.packs().map(({ name }) => name));
    await rm(join(folder, haveRef), { force: true });
    if (have !== undefined && !snapshots) {
      await mkdir(join(folder, "refs", "wheelhouse"), { recursive: true });
      await writeFile(join(folder, haveRef), `${have}\n`);
    }
    await within(
      limits.fetchMs,
      async (authorization, limited) => {
        const order: FetchOrder = {
          folder,
          url,
          remoteRef,
          haveRef,
          snapshots,
          authorization,
          bytesMost: snapshots ? limits.snapshotBytesMost : limits.historyBytesMost,
          silenceMs: limits.silenceMs,
        };
        // A first fetch may be a whole history, and indexing it takes seconds; what follows takes a moment.
        if (have === undefined && settings.fetchAside !== undefined)
          await settings.fetchAside(order, limited);
        else await fetchPack(order, settings.connections, limited);
      },
      signal,
    );
    await sweepPacks(packFolder);
    objects.refresh();
    for (const { name } of objects.packs())
      if (!before.has(name)) await checkPack(join(packFolder, `${name}.pack`), signal);
  };

  /** The commit behind an id, through annotated tags; `undefined` unless all of its files are here. */
  const completeCommit = async (oid: string, signal: AbortSignal): Promise<string | undefined> => {
    const { objects } = await ready();
    let current = oid;
    for (let tags = 0; tags < 10; tags += 1) {
      const object = objects.read(current);
      if (object === undefined) return undefined;
      if (object.type === "commit") {
        const whole = await treeIsComplete(
          objects,
          treeOfCommit(object.bytes),
          completeTrees,
          signal,
        );
        return whole ? current : undefined;
      }
      const target = object.type === "tag" ? targetOfTag(object.bytes) : undefined;
      if (target === undefined) return undefined;
      current = target;
    }
    return undefined;
  };

  const allComplete = async (oids: readonly string[], signal: AbortSignal): Promise<boolean> => {
    for (const oid of oids) if ((await completeCommit(oid, signal)) === undefined) return false;
    return true;
  };

  /** Brings what `remoteRef` names here, and says which commit it is. */
  const bring = async (
    remoteRef: string,
    oid: string,
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    const here = await completeCommit(oid, signal);
    if (here !== undefined) return here;
    const mirror = await ready();
    const have = mirror.state.tips[remoteRef] ?? Object.values(mirror.state.tips)[0];
    const usable = have === undefined ? undefined : await completeCommit(have, signal);
    try {
      await fetchRef(remoteRef, usable, mirror.state.snapshots, signal);
    } catch (error) {
      if (!(error instanceof TransferTooLarge) || mirror.state.snapshots) throw error;
      mirror.state = { ...mirror.state, snapshots: true };
      await fetchRef(remoteRef, undefined, true, signal);
    }
    return completeCommit(oid, signal);
  };

  type Found = { readonly commit: string; readonly tip: string };

  const resolve = async (
    revision: string,
    remote: ReadonlyMap<string, RemoteRef>,
    signal: AbortSignal,
  ): Promise<Result<Found, string>> => {
    if (wholeId.test(revision)) return bringCommit(revision, remote, signal);
    const names =
      revision === "HEAD" || revision.startsWith("refs/")
        ? [revision]
        : [`refs/heads/${revision}`, `refs/tags/${revision}`];
    const name = names.find((candidate) => remote.has(candidate));
    const ref = name === undefined ? undefined : remote.get(name);
    if (name !== undefined && ref !== undefined) {
      const commit = await bring(name, ref.oid, signal);
      if (commit !== undefined) return ok({ commit, tip: name });
      // A push may have come between the listing and the fetch.
      const newer = (await listRemote(signal)).get(name)?.oid ?? ref.oid;
      const second = newer === ref.oid ? undefined : await bring(name, newer, signal);
      if (second !== undefined) return ok({ commit: second, tip: name });
      throw new MirrorDamaged(`what came for ${name} is not all of ${newer}`);
    }
    if (partialId.test(revision)) return bringPartial(revision, remote, signal);
    const known = [...remote.keys()].filter((key) => key.startsWith("refs/heads/")).length;
    return fail(
      remote.size === 0
        ? `the repository is empty, so there is no revision ${JSON.stringify(revision)}`
        : `there is no branch, tag or commit ${JSON.stringify(revision)} (the repository has ${known} branches)`,
    );
  };

  const bringCommit = async (
    oid: string,
    remote: ReadonlyMap<string, RemoteRef>,
    signal: AbortSignal,
  ): Promise<Result<Found, string>> => {
    const here = await completeCommit(oid, signal);
    if (here !== undefined) return ok({ commit: here, tip: oid });
    const { state } = await ready();
    const [have] = Object.values(state.tips);
    // Many servers give any commit by its id; the others only branches, which then hold it or do not.
    await fetchRef(oid, have, state.snapshots, signal).catch(orDifferently);
    const direct = await completeCommit(oid, signal);
    if (direct !== undefined) return ok({ commit: direct, tip: oid });
    if (remote.size > 0 && !state.snapshots) await fetchRef(undefined, have, false, signal);
    const commit = await completeCommit(oid, signal);
    return commit === undefined
      ? fail(`there is no commit ${oid} on any branch`)
      : ok({ commit, tip: oid });
  };

  const bringPartial = async (
    prefix: string,
    remote: ReadonlyMap<string, RemoteRef>,
    signal: AbortSignal,
  ): Promise<Result<Found, string>> => {
    const { objects, state } = await ready();
    const commits = (): readonly string[] =>
      objects.withPrefix(prefix, 100).filter((oid) => objects.read(oid)?.type === "commit");
    if (commits().length === 0 && remote.size > 0 && !state.snapshots)
      await fetchRef(undefined, Object.values(state.tips)[0], false, signal);
    const found = commits();
    const [only] = found;
    if (found.length > 1) return fail(`commit ${prefix} could be any of ${found.length}`);
    if (only === undefined)
      return fail(`there is no branch, tag or commit ${JSON.stringify(prefix)}`);
    const commit = await completeCommit(only, signal);
    return commit === undefined
      ? fail(`commit ${prefix} is not here with all of its files`)
      : ok({ commit, tip: commit });
  };

  /** Many packs become one. Where each is a snapshot of its own, those that no tip lives in go. */
  const tidy = async (signal: AbortSignal): Promise<void> => {
    const { objects, state } = await ready();
    const packs = objects.packs().map(({ name }) => name);
    if (packs.length <= limits.packsMost) return;
    if (state.snapshots) {
      const needed = new Set(Object.values(state.tips).map((tip) => objects.packOf(tip)));
      for (const name of packs) if (!needed.has(name)) await removePack(packFolder, name);
    } else {
      await joinPacks(packFolder, packs, signal);
    }
    objects.refresh();
  };

  const update = async (
    revisions: readonly string[],
    signal: AbortSignal,
  ): Promise<MirrorUpdate> => {
    if (damaged) await startAgain();
    const mirror = await ready();
    // Whole commit ids do not move: once they are here there is nothing to ask.
    const fixed = revisions.every((revision) => wholeId.test(revision));
    const settled = fixed && (await allComplete(revisions, signal));
    const remote = settled ? new Map<string, RemoteRef>() : await listRemote(signal);
    const packsBefore = mirror.objects.packs().length;
    const before = mirror.state;
    const heads = new Map<string, string>();
    const missing = new Map<string, string>();
    const tips: Record<string, string> = {};
    const rewritten: { revision: string; from: string; to: string }[] = [];
    for (const revision of new Set(revisions)) {
      const found = await resolve(revision, remote, signal);
      if (!found.ok) {
        missing.set(revision, found.problem);
        continue;
      }
      const { commit, tip } = found.value;
      heads.set(revision, commit);
      tips[tip] = commit;
      const from = before.heads[revision];
      const moved = from !== undefined && from !== commit && !mirror.state.snapshots;
      if (moved && tip !== commit && !(await descends(mirror.objects, commit, from, signal)))
        rewritten.push({ revision, from, to: commit });
    }
    // A revision that is gone for now keeps its last commit on record: nothing is dropped by absence.
    const kept = Object.fromEntries(
      Object.entries(before.heads).filter(([revision]) => missing.has(revision)),
    );
    const next = { ...mirror.state, tips, heads: { ...kept, ...Object.fromEntries(heads) } };
    if (JSON.stringify(next) !== JSON.stringify(before)) await writeState(folder, url, next);
    mirror.state = next;
    const fetched = mirror.objects.packs().length !== packsBefore;
    if (fetched) await tidy(signal);
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
    close: () => {
      opened?.objects.close();
      opened = undefined;
    },
  };
}

/** The same tree, telling when it cannot be read. */
function noticingDamage(tree: CommitTree, notice: () => void): CommitTree {
  const noticing =
    <A extends readonly unknown[], R>(read: (...args: A) => R) =>
    (...args: A): R => {
      try {
        return read(...args);
      } catch (error) {
        if (error instanceof MirrorDamaged) notice();
        throw error;
      }
    };
  return {
    commit: tree.commit,
    oidOf: noticing(tree.oidOf),
    entryAt: noticing(tree.entryAt),
    directories: noticing(tree.directories),
    list: noticing(tree.list),
    readFile: noticing(tree.readFile),
  };
}

/** A server that refuses one way of asking is asked another way; anything else is trouble. */
function orDifferently(error: unknown): void {
  if (error instanceof TransferTooLarge || error instanceof RedirectRefused) throw error;
  if (!(error instanceof Error) || error.name === "AbortError") throw error;
  const refusals = new Set([
    "HttpError",
    "NotFoundError",
    "GitPushError",
    "ParseError",
    "InternalError",
  ]);
  const code = "code" in error ? String(error.code) : "";
  if (!refusals.has(code)) throw error;
}

/** Whether every tree and file below is here. Remembers the trees that are. */
async function treeIsComplete(
  objects: ObjectStore,
  root: string,
  complete: Set<string>,
  signal: AbortSignal,
): Promise<boolean> {
  let visited = 0;
  const inside = async (oid: string, depth: number): Promise<boolean> => {
    if (complete.has(oid)) return true;
    if (depth > 200) throw new MirrorDamaged("directories are nested too deep");
    visited += 1;
    if (visited % 500 === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    const tree = objects.read(oid);
    if (tree === undefined || tree.type !== "tree") return false;
    for (const entry of parseTree(tree.bytes, oid)) {
      if (entry.kind === "submodule") continue;
      const here =
        entry.kind === "directory" ? await inside(entry.oid, depth + 1) : objects.has(entry.oid);
      if (!here) return false;
    }
    complete.add(oid);
    return true;
  };
  return inside(root, 0);
}

/** Whether `ancestor` is in the history of `commit`. A history too long to walk counts as one that holds it. */
async function descends(
  objects: ObjectStore,
  commit: string,
  ancestor: string,
  signal: AbortSignal,
): Promise<boolean> {
  const seen = new Set([commit]);
  const queue = [commit];
  for (const oid of queue) {
    if (oid === ancestor) return true;
    if (seen.size > historyWalkMost) return true;
    if (seen.size % 1_000 === 0) {
      await nextTurn();
      signal.throwIfAborted();
    }
    const object = objects.read(oid);
    if (object?.type !== "commit") continue;
    const head = Buffer.from(object.bytes).toString("latin1").split("\n\n", 1)[0] ?? "";
    for (const [, parent] of head.matchAll(/^parent ([0-9a-f]{40})$/gm)) {
      if (parent === undefined || seen.has(parent)) continue;
      seen.add(parent);
      queue.push(parent);
    }
  }
  return false;
}

const stateFile = "wheelhouse.json";

async function readState(folder: string, url: string): Promise<MirrorState | undefined> {
  try {
    const text = await readFile(join(folder, stateFile), "utf8");
    const value = JSON.parse(text) as { readonly url?: unknown } & Partial<MirrorState>;
    if (value.url !== url) return undefined;
    return {
      tips: textMap(value.tips),
      heads: textMap(value.heads),
      snapshots: value.snapshots === true,
    };
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const textMap = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(typeof value === "object" && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && wholeId.test(entry[1]),
    ),
  );

async function writeState(folder: string, url: string, state: MirrorState): Promise<void> {
  const unfinished = join(folder, `${stateFile}.tmp`);
  await writeFile(unfinished, JSON.stringify({ url, ...state }, undefined, 2));
  await rename(unfinished, join(folder, stateFile));
}

async function makeFolder(folder: string, url: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "objects", "pack"), { recursive: true });
  await mkdir(join(folder, "refs", "heads"), { recursive: true });
  await writeFile(join(folder, "HEAD"), "ref: refs/heads/main\n");
  await writeState(folder, url, emptyState);
}

function asUnavailable(url: RepositoryUrl, error: unknown): Error {
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
