import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Turns } from "../../proto/kit/turns.ts";
import type { WatchEvent } from "../domain/cluster.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import { unexpectedAnswer, type Api } from "./api.ts";
import { isKubeObject, isRecord, recordOf, textOf } from "./json.ts";
import { listObjects } from "./list.ts";
import { collectionPath } from "./resource-path.ts";
import { trimManagedFields } from "./trim.ts";
import { ApiServerUnavailable, KindGone } from "./trouble.ts";
import { watchLines } from "./watch-lines.ts";

export type WatchNeeds = {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: () => number;
  /** Bounds how many list pages are held at once, over all watches. */
  readonly turns: Turns<object>;
};

export type WatchSettings = {
  /** The server ends a watch after a random time between these, and it is opened again where it was. */
  readonly openMsLeast: number;
  readonly openMsMost: number;
  readonly retry: BackoffPolicy;
  /** Failures in a row to reopen a watch after which the watcher gives up. */
  readonly failuresMost: number;
  readonly lineBytesMost: number;
};

export const watchDefaults: WatchSettings = {
  openMsLeast: 300_000,
  openMsMost: 600_000,
  retry: { firstMs: 500, factor: 2, mostMs: 30_000 },
  failuresMost: 8,
  lineBytesMost: 16 * 1024 * 1024,
};

/** Which objects of a type: an empty namespace means all namespaces. */
export type WatchWhere = { readonly namespace: string; readonly labelSelector: string };

/** A server that ends watches sooner than this without a word is one to be gentle with. */
const shortLifeMs = 1_000;

/**
 * Lists a type, then watches it, until the caller stops.
 *
 * `listed` comes first, and again whenever the server no longer knows the place the watch had come to. A
 * watch that ends or breaks is opened again where it was, after a pause that grows while it keeps failing.
 * Events come in the server's order and may repeat what is known. A slow reader slows the connection.
 *
 * Throws KindGone, after an empty `listed`, when the type is not served any more, and ApiServerUnavailable
 * when a list fails or a watch cannot be reopened.
 */
export async function* watchObjects(
  needs: WatchNeeds,
  type: ResourceType,
  where: WatchWhere,
  settings: WatchSettings,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  try {
    for (;;) {
      const { api, turns } = needs;
      const listing = await listObjects(api, type, where, turns, signal);
      yield { kind: "listed", objects: listing.objects };
      yield* follow(needs, type, where, listing.resourceVersion, settings, signal);
    }
  } catch (error) {
    if (error instanceof KindGone) yield { kind: "listed", objects: [] };
    throw error;
  }
}

/** Watches from a place on; returns when only a new list can help. */
async function* follow(
  needs: WatchNeeds,
  type: ResourceType,
  where: WatchWhere,
  from: string,
  settings: WatchSettings,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void> {
  const { clock, random } = needs;
  let place = from;
  let failures = 0;
  for (;;) {
    const startedAtMs = clock.nowMs();
    try {
      for await (const said of openWatch(needs, type, where, place, settings, signal)) {
        if (said.kind === "expired") return;
        if (said.resourceVersion !== "") place = said.resourceVersion;
        failures = 0;
        if (said.event !== undefined) yield said.event;
      }
      const livedMs = clock.nowMs() - startedAtMs;
      failures = livedMs < shortLifeMs ? failures + 1 : 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!mayReopen(error)) throw error;
      failures += 1;
      if (failures >= settings.failuresMost) throw asTrouble(error, type);
    }
    if (failures > 0) await clock.sleep(backoffMs(failures, settings.retry, random), signal);
  }
}

type WatchSays =
  | {
      readonly kind: "change";
      readonly resourceVersion: string;
      /** `undefined` for a bookmark. */
      readonly event: WatchEvent | undefined;
    }
  | { readonly kind: "expired" };

/** One watch request, until the server ends it. */
async function* openWatch(
  { api, random }: WatchNeeds,
  type: ResourceType,
  where: WatchWhere,
  from: string,
  settings: WatchSettings,
  signal: AbortSignal,
): AsyncGenerator<WatchSays, void> {
  const { openMsLeast, openMsMost } = settings;
  const openMs = openMsLeast + Math.floor((openMsMost - openMsLeast) * random());
  const { namespace, labelSelector } = where;
  const path = collectionPath(type, namespace);
  const query = {
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: from,
    timeoutSeconds: String(Math.ceil(openMs / 1000)),
    ...(labelSelector === "" ? {} : { labelSelector }),
  };
  const opened = await api.stream(
    { verb: "watch", method: "GET", path, query },
    openMs + graceMs,
    signal,
  );
  if ("answer" in opened) {
    const { answer } = opened;
    if (answer.status === 410) {
      yield { kind: "expired" };
      return;
    }
    if (answer.status === 404) throw new KindGone(type.group, type.kind);
    throw unexpectedAnswer(answer, `watch of ${path}`);
  }
  try {
    for await (const line of watchLines(opened.exchange.chunks(), settings.lineBytesMost))
      yield readLine(line, path);
  } finally {
    opened.exchange.close();
  }
}

/** The server ends a watch itself; this much later we no longer believe it will. */
const graceMs = 30_000;

function readLine(line: unknown, path: string): WatchSays {
  const { type, object } = recordOf(line);
  if (type === "ERROR") {
    const { code, message } = recordOf(object);
    if (code === 410) return { kind: "expired" };
    throw new ApiServerUnavailable(`watch of ${path} failed: ${textOf(message)}`, {
      status: typeof code === "number" ? code : undefined,
    });
  }
  const resourceVersion = textOf(recordOf(recordOf(object)["metadata"])["resourceVersion"]);
  if (type === "BOOKMARK") return { kind: "change", resourceVersion, event: undefined };
  if (!isRecord(object) || !isKubeObject(object))
    throw new SyntaxError(`watch of ${path} sent something that is not an object`);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return {
        kind: "change",
        resourceVersion,
        event: { kind: "present", object: trimManagedFields(object) },
      };
    case "DELETED":
      return {
        kind: "change",
        resourceVersion,
        event: { kind: "gone", object: trimManagedFields(object) },
      };
    default:
      throw new SyntaxError(`watch of ${path} sent an event of an unknown type`);
  }
}

/** A watch that lied (bad JSON, endless line) is worth another; one that is forbidden is not. */
const mayReopen = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  error instanceof RangeError ||
  (error instanceof ApiServerUnavailable && error.status !== 403);

const asTrouble = (error: unknown, type: ResourceType): unknown =>
  error instanceof ApiServerUnavailable
    ? error
    : new ApiServerUnavailable(`watch of kind ${type.kind} cannot be read`, { cause: error });
