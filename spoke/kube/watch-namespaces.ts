import type { WatchEvent } from "../domain/cluster.ts";

/** One namespace's watch, which begins with `listed`. */
export type OpenWatch = (namespace: string, signal: AbortSignal) => AsyncIterable<WatchEvent>;

/**
 * The watches of several namespaces as one: `listed` once all have listed, then their changes, in the order they
 * come. A watch that lists again, since the server forgot its place, makes all of them begin anew.
 *
 * Throws what the first of them throws. Stopping the iteration stops them all.
 */
export async function* watchNamespaces(
  open: OpenWatch,
  namespaces: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  for (;;) {
    const stop = new AbortController();
    const shared = AbortSignal.any([signal, stop.signal]);
    const watches = namespaces.map((namespace) => open(namespace, shared)[Symbol.asyncIterator]());
    try {
      const first = await Promise.all(watches.map((watch) => watch.next()));
      const listed = first.map((next) => (next.done === true ? undefined : next.value));
      yield {
        kind: "listed",
        objects: listed.flatMap((event) => (event?.kind === "listed" ? event.objects : [])),
      };
      const ended = yield* changesOf(watches);
      if (ended === "ended") return;
    } finally {
      // What a watch still waits for ends with this, whatever it would have said.
      stop.abort(new Error("no longer watched"));
      await Promise.allSettled(watches.map(async (watch) => await watch.return?.()));
    }
  }
}

type Step = { readonly index: number; readonly next: IteratorResult<WatchEvent, unknown> };

async function* changesOf(
  watches: readonly AsyncIterator<WatchEvent, unknown>[],
): AsyncGenerator<WatchEvent, "ended" | "listed"> {
  const step = async (index: number): Promise<Step> => {
    const watch = watches[index];
    return { index, next: (await watch?.next()) ?? { done: true, value: undefined } };
  };
  // One event of each is waited for at a time, so a slow reader slows all connections.
  const pending = new Map(watches.map((_, index) => [index, step(index)]));
  try {
    for (;;) {
      const { index, next } = await Promise.race(pending.values());
      if (next.done === true) return "ended";
      if (next.value.kind === "listed") return "listed";
      yield next.value;
      pending.set(index, step(index));
    }
  } finally {
    // They are about to be stopped; nobody is left to hear how they end.
    for (const one of pending.values()) one.catch(() => undefined);
  }
}
