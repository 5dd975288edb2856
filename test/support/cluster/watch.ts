/** Watches: a collection's present and every change after it, one JSON line each. */
import type { Json } from "./json.ts";
import { withMeta, type KubeObject } from "./object.ts";
import type { Change, Store } from "./store.ts";

export type WatchRequest = {
  /** `group/plural` */
  readonly kind: string;
  /** `undefined`: all namespaces, or a kind without. */
  readonly namespace: string | undefined;
  readonly matches: (object: KubeObject) => boolean;
  /** What the client gets to see of an object: its version, or only its metadata. */
  readonly view: (object: KubeObject) => Json;
  /** An object without content, for bookmarks. */
  readonly blank: KubeObject;
  /** Changes after this version. `undefined`: first everything there is. */
  readonly after: number | undefined;
  /** Says with a bookmark when everything there is has been sent. */
  readonly marksInitialEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
};

/** Where a watch writes to. */
export type WatchSink = {
  /** False when the reader is slow and `backlogBytes` should be looked at. */
  readonly write: (line: string) => boolean;
  readonly backlogBytes: () => number;
  readonly end: () => void;
};

type Watch = {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  readonly stop: () => void;
};

/** A reader that leaves this much unread has to come back later. */
const backlogBytesMost = 16 * 1024 * 1024;

const bookmarkEveryMs = 60_000;

/** The last bookmark comes this long before a watch ends by its timeout. */
const lastBookmarkMs = 2000;

export class Watches {
  readonly #store: Store;
  readonly #open = new Map<string, Set<Watch>>();
  /** The version of the last change of each kind. */
  readonly #changed = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
    store.onChange((change) => this.#tell(change));
  }

  get count(): number {
    let count = 0;
    for (const watches of this.#open.values()) count += watches.size;
    return count;
  }

  /**
   * Starts writing to `sink` and returns how to stop. A version that history no longer covers is answered
   * with an ERROR event, as the API does.
   */
  open(request: WatchRequest, sink: WatchSink): () => void {
    if (request.after === undefined) {
      for (const object of this.#store.list(request.kind, request.namespace)) {
        if (request.matches(object)) sink.write(eventLine("ADDED", request.view(object)));
      }
      if (request.marksInitialEnd)
        sink.write(
          bookmarkLine(request, this.#store.version, { "k8s.io/initial-events-end": "true" }),
        );
    } else {
      const missed = this.#store.changesAfter(request.after);
      if (missed === undefined) {
        sink.write(expiredLine(request.after, this.#store.oldest));
        sink.end();
        return () => undefined;
      }
      for (const change of missed) {
        const line = change.kind === request.kind ? lineOf(change, request) : undefined;
        if (line !== undefined) sink.write(line);
      }
    }
    return this.#keep(request, sink);
  }

  /** Ends every watch, as a server does that goes down. */
  closeAll(): number {
    const watches = this.#all();
    for (const watch of watches) {
      watch.stop();
      watch.sink.end();
    }
    return watches.length;
  }

  /** Tells every watch that its version is too old, and ends it. */
  expireAll(): number {
    const watches = this.#all();
    for (const watch of watches) {
      watch.sink.write(expiredLine(this.#store.version, this.#store.version));
      watch.stop();
      watch.sink.end();
    }
    return watches.length;
  }

  /** Ends the watches of a kind that is no longer served. */
  closeKind(kind: string): void {
    for (const watch of this.#open.get(kind) ?? []) {
      watch.stop();
      watch.sink.end();
    }
  }

  #all(): readonly Watch[] {
    return [...this.#open.values()].flatMap((watches) => [...watches]);
  }

  #keep(request: WatchRequest, sink: WatchSink): () => void {
    const start = request.after ?? this.#store.version;
    // A bookmark tells of a newer version: where nothing changed since the start there is none to tell.
    const bookmark = (): void => {
      if ((this.#changed.get(request.kind) ?? 0) > start)
        sink.write(bookmarkLine(request, this.#store.version, {}));
    };
    const timers: NodeJS.Timeout[] = [];
    if (request.bookmarks) {
      timers.push(setInterval(bookmark, bookmarkEveryMs));
      const lastMs = request.timeoutMs - lastBookmarkMs;
      if (lastMs > 0 && lastMs < bookmarkEveryMs) timers.push(setTimeout(bookmark, lastMs));
    }
    timers.push(
      setTimeout(() => {
        watch.stop();
        sink.end();
      }, request.timeoutMs),
    );
    for (const timer of timers) timer.unref();
    let watches = this.#open.get(request.kind);
    if (watches === undefined) this.#open.set(request.kind, (watches = new Set()));
    const watch: Watch = {
      request,
      sink,
      stop: () => {
        for (const timer of timers) clearTimeout(timer);
        watches.delete(watch);
      },
    };
    watches.add(watch);
    return watch.stop;
  }

  #tell(change: Change): void {
    this.#changed.set(change.kind, change.version);
    for (const watch of this.#open.get(change.kind) ?? []) {
      const line = lineOf(change, watch.request);
      if (line === undefined) continue;
      if (!watch.sink.write(line) && watch.sink.backlogBytes() > backlogBytesMost) {
        watch.stop();
        watch.sink.end();
      }
    }
  }
}

/** The event that a change is to one watch; an object that leaves its selector is deleted to it. */
function lineOf(change: Change, request: WatchRequest): string | undefined {
  const { was, is } = change;
  const inScope = (object: KubeObject | undefined): object is KubeObject =>
    object !== undefined &&
    (request.namespace === undefined || (object.metadata.namespace ?? "") === request.namespace) &&
    request.matches(object);
  if (inScope(is)) return eventLine(inScope(was) ? "MODIFIED" : "ADDED", request.view(is));
  if (!inScope(was)) return undefined;
  const last =
    is === undefined ? change.last : withMeta(was, { resourceVersion: String(change.version) });
  return eventLine("DELETED", request.view(last));
}

const eventLine = (type: string, object: Json): string => `${JSON.stringify({ type, object })}\n`;

function bookmarkLine(
  { blank, view }: WatchRequest,
  version: number,
  annotations: { readonly [key: string]: string },
): string {
  const marked = withMeta(blank, {
    resourceVersion: String(version),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  const seen = view(marked);
  return `${JSON.stringify({ type: "BOOKMARK", object: withoutName(seen) })}\n`;
}

function withoutName(object: Json): Json {
  if (typeof object !== "object" || object === null || !("metadata" in object)) return object;
  const { metadata } = object;
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return object;
  const { name: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

const expiredLine = (asked: number, oldest: number): string =>
  eventLine("ERROR", {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `too old resource version: ${asked} (${oldest})`,
    reason: "Expired",
    code: 410,
  });
