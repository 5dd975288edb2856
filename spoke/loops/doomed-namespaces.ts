import { Trouble } from "../../proto/kit/trouble.ts";
import { makeObjectKey, objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { ClusterApi } from "../domain/cluster.ts";
import { remainingIn } from "../domain/health/deletion.ts";
import { isTerminating } from "../domain/live.ts";
import { isNamespace } from "../domain/plan.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { ClusterView } from "./cluster-view.ts";

/** A namespace that is being deleted, in which nothing can be made until it is gone. */
export type DoomedNamespace = {
  /** What the cluster says is in the way; empty while it says nothing. */
  readonly remaining: string;
  /** When to look again; `undefined` where a watch tells. */
  readonly againAtMs: number | undefined;
};

export type DoomedNamespaces = ReadonlyMap<string, DoomedNamespace>;

/** What is remembered of a namespace that nobody watches, since a request was refused for its deletion. */
export type DoomNotice = {
  readonly remaining: string;
  readonly dueAtMs: number;
  readonly pauseMs: number;
};

const pauseFirstMs = 2_000;
const pauseMsMost = 30_000;

export const newDoomNotice: DoomNotice = { remaining: "", dueAtMs: 0, pauseMs: pauseFirstMs };

export type DoomNeeds = {
  readonly cluster: Pick<ClusterApi, "get">;
  readonly view: Pick<ClusterView, "live">;
  readonly nowMs: () => number;
};

/**
 * Which of the namespaces these objects live in are being deleted.
 *
 * The watches say so of a namespace that is ours. Of any other it is known from a refused request; it is
 * asked for then, one request at a time with growing pauses, until it is gone. Where it may not be read, another
 * try after a pause has to tell.
 */
export async function findDoomed(
  work: ApplicationWork,
  keys: readonly ObjectKey[],
  { cluster, view, nowMs }: DoomNeeds,
  signal: AbortSignal,
): Promise<DoomedNamespaces> {
  const doomed = new Map<string, DoomedNamespace>();
  for (const name of new Set(keys.flatMap((key) => namespaceIn(key) ?? []))) {
    const live = view.live(work, namespaceKey(name));
    if (live !== undefined) {
      work.doomed.delete(name);
      if (isTerminating(live))
        doomed.set(name, { remaining: remainingIn(live.object), againAtMs: undefined });
      continue;
    }
    const notice = work.doomed.get(name);
    if (notice === undefined) continue;
    const next = notice.dueAtMs > nowMs() ? notice : await lookAgain(name, notice);
    if (next === undefined || next === "unreadable") work.doomed.delete(name);
    else work.doomed.set(name, next);
    if (next === "unreadable")
      doomed.set(name, { remaining: "", againAtMs: nowMs() + pauseMsMost });
    else if (next !== undefined)
      doomed.set(name, { remaining: next.remaining, againAtMs: next.dueAtMs });
  }
  return doomed;

  async function lookAgain(
    name: string,
    notice: DoomNotice,
  ): Promise<DoomNotice | "unreadable" | undefined> {
    const object = await cluster.get(namespaceKey(name), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof Trouble) return "unreadable" as const;
      throw error;
    });
    if (object === "unreadable") return object;
    if (object?.metadata.deletionTimestamp === undefined) return undefined;
    return {
      remaining: remainingIn(object),
      dueAtMs: nowMs() + notice.pauseMs,
      pauseMs: Math.min(notice.pauseMs * 2, pauseMsMost),
    };
  }
}

/** The namespace an object lives in; `undefined` for one that lives in none. */
export function namespaceIn(key: ObjectKey): string | undefined {
  const { namespace } = objectKeyParts(key);
  return namespace === "" || isNamespace(key) ? undefined : namespace;
}

export const namespaceKey = (name: string): ObjectKey =>
  makeObjectKey({ group: "", kind: "Namespace", namespace: "", name });
