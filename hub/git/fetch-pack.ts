import fs from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import git from "isomorphic-git";
import {
  gitHttp,
  RedirectRefused,
  TransferTooLarge,
  unlessBroken,
  type Connections,
} from "./http.ts";

/** One fetch into a bare repository. Plain data, so that it can be handed to another thread. */
export type FetchOrder = {
  readonly folder: string;
  readonly url: string;
  /** A branch, tag or commit of the remote; `undefined`: all branches. */
  readonly remoteRef: string | undefined;
  /** A local ref whose whole history is here; it may be missing. */
  readonly haveRef: string;
  /** Only the newest commit, without history. */
  readonly snapshots: boolean;
  readonly authorization: string | undefined;
  readonly bytesMost: number;
  readonly silenceMs: number;
};

/** What isomorphic-git reads before it fetches: with another refspec the tips would land where nobody looks. */
const configuration =
  "[core]\n\trepositoryformatversion = 0\n\tbare = true\n" +
  '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n';

/**
 * Fetches by isomorphic-git. What it leaves when it throws is for `sweepPacks`.
 *
 * The repository's configuration is written each time, since nothing would tell that it is damaged.
 */
export async function fetchPack(
  order: FetchOrder,
  connections: Connections,
  signal: AbortSignal,
): Promise<void> {
  await writeFile(join(order.folder, "config"), configuration);
  const http = gitHttp(connections, order.authorization, order, signal);
  const answer = git.fetch({
    fs,
    http,
    gitdir: order.folder,
    url: order.url,
    remote: "origin",
    ref: order.haveRef,
    ...(order.remoteRef === undefined
      ? { singleBranch: false, remoteRef: "HEAD" }
      : { singleBranch: true, remoteRef: order.remoteRef }),
    ...(order.snapshots ? { depth: 1 } : {}),
    tags: false,
  });
  await unlessBroken(http, answer);
}

/** How a fetch on another thread ended, as plain data. */
export type FetchEnd =
  | { readonly kind: "done" }
  | { readonly kind: "too-large"; readonly bytesMost: number }
  | { readonly kind: "redirect-refused"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly code: string | undefined;
      readonly statusCode: number | undefined;
    };

export type AsideSettings = {
  /** PEM text of the authorities to trust besides the well-known ones. */
  readonly certificateAuthority: string | undefined;
};

/** The worker's program: beside this file in a checkout, beside the chunk or above it in the bundle. */
const workerPrograms = ["./fetch-worker.ts", "./fetch-worker.js", "../fetch-worker.js"] as const;

/**
 * Fetches on a thread of its own, so that indexing a large history does not hold up everything else.
 * `undefined` when the program for it is not beside this file, as in a packed build.
 */
export function fetchAside(
  settings: AsideSettings,
): ((order: FetchOrder, signal: AbortSignal) => Promise<void>) | undefined {
  const program = workerPrograms
    .map((place) => new URL(place, import.meta.url))
    .find((place) => fs.existsSync(fileURLToPath(place)));
  if (program === undefined) return undefined;
  return async (order, signal) => {
    signal.throwIfAborted();
    const ended = Promise.withResolvers<FetchEnd>();
    const worker = new Worker(program, { workerData: { order, ...settings } });
    const stop = (): void => ended.reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    worker.once("message", ended.resolve);
    worker.once("error", ended.reject);
    worker.once("exit", () =>
      ended.reject(new Error("the fetching thread ended without an answer")),
    );
    try {
      throwFetchEnd(await ended.promise);
    } finally {
      signal.removeEventListener("abort", stop);
      await worker.terminate();
    }
  };
}

export function fetchEndOf(error: unknown): FetchEnd {
  if (error instanceof TransferTooLarge) return { kind: "too-large", bytesMost: error.bytesMost };
  if (error instanceof RedirectRefused) return { kind: "redirect-refused", message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  return { kind: "failed", message, code, statusCode: statusOf(error) };
}

function throwFetchEnd(end: FetchEnd): void {
  switch (end.kind) {
    case "done":
      return;
    case "too-large":
      throw new TransferTooLarge(end.bytesMost);
    case "redirect-refused":
      throw new RedirectRefused(end.message);
    case "failed": {
      const { code, statusCode } = end;
      throw Object.assign(new Error(end.message), {
        ...(code === undefined ? {} : { code }),
        ...(statusCode === undefined ? {} : { data: { statusCode } }),
      });
    }
  }
}

/** The HTTP status that an error of isomorphic-git carries. */
export function statusOf(error: unknown): number | undefined {
  const details = error instanceof Error && "data" in error ? error.data : undefined;
  if (typeof details !== "object" || details === null || !("statusCode" in details))
    return undefined;
  return typeof details.statusCode === "number" ? details.statusCode : undefined;
}
