import git from "isomorphic-git";
import { haveRef, type BareCopy } from "./bare-copy.ts";
import { fetchPack, type FetchOrder } from "./fetch-pack.ts";
import { gitHttp, unlessBroken, type Connections } from "./http.ts";
import { RepositoryUnavailable } from "./repository-unavailable.ts";
import type { RepositoryUrl } from "./repository-url.ts";

export type RemoteLimits = {
  /** A repository whose whole history is larger is kept as snapshots instead. */
  readonly historyBytesMost: number;
  /** A snapshot larger than this is refused. */
  readonly snapshotBytesMost: number;
  /** All the answers to one question about branches and tags. */
  readonly listingBytesMost: number;
  readonly listingMs: number;
  readonly fetchMs: number;
  readonly silenceMs: number;
};

export type RemoteSettings = {
  readonly limits: RemoteLimits;
  readonly connections: Connections;
  readonly authorization: (url: RepositoryUrl, signal: AbortSignal) => Promise<string | undefined>;
  /** Does first fetches off the main thread; without it they are done here. */
  readonly fetchAside?: (order: FetchOrder, signal: AbortSignal) => Promise<void>;
};

/** Where each branch and tag is, and `HEAD`, by full names. */
export type RemoteRefs = ReadonlyMap<string, string>;

export type FetchWish = {
  /** A branch, tag or commit of the remote; `undefined`: all branches. */
  readonly remoteRef: string | undefined;
  /** A commit that is here with all of its history. */
  readonly have: string | undefined;
  /** Only the newest commit, without history. */
  readonly snapshots: boolean;
};

/** A repository as its server shows it. Both throw RepositoryUnavailable once their time is over. */
export type Remote = {
  readonly list: (signal: AbortSignal) => Promise<RemoteRefs>;
  /** One fetch by isomorphic-git into a copy. Throws TransferTooLarge when it is over the limit. */
  readonly fetch: (copy: BareCopy, wish: FetchWish, signal: AbortSignal) => Promise<void>;
};

export function openRemote(url: RepositoryUrl, settings: RemoteSettings): Remote {
  const { limits, connections } = settings;

  async function within<T>(
    withinMs: number,
    work: (authorization: string | undefined, limited: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
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
  }

  async function list(signal: AbortSignal): Promise<RemoteRefs> {
    const refs = await within(
      limits.listingMs,
      (authorization, limited) => {
        const transfer = { bytesMost: limits.listingBytesMost, silenceMs: limits.silenceMs };
        const http = gitHttp(connections, authorization, transfer, limited);
        return unlessBroken(
          http,
          git.listServerRefs({ http, url, symrefs: true, protocolVersion: 2 }),
        );
      },
      signal,
    );
    return new Map(refs.map(({ ref, oid }) => [ref, oid]));
  }

  async function fetch(
    copy: BareCopy,
    { remoteRef, have, snapshots }: FetchWish,
    signal: AbortSignal,
  ): Promise<void> {
    await copy.placeHave(snapshots ? undefined : have);
    await within(
      limits.fetchMs,
      async (authorization, limited) => {
        const order: FetchOrder = {
          folder: copy.folder,
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
        else await fetchPack(order, connections, limited);
      },
      signal,
    );
    await copy.takeIn(signal);
  }

  return { list, fetch };
}
