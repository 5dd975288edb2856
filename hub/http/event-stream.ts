import type { Clock } from "../../proto/kit/clock.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import type { FleetEvent } from "../domain/records.ts";
import type { EventSource } from "./needs.ts";
import { eventView } from "./views.ts";

export type StreamWish = {
  /** The last sequence the reader has seen; `undefined` starts with what comes next. */
  readonly after: number | undefined;
  readonly admits: (event: FleetEvent) => boolean;
};

export type StreamManner = {
  readonly heartbeatMs: number;
  /** Asked about every heartbeat; `false` ends the stream. */
  readonly mayGoOn: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
};

const batchMost = 256;

/**
 * Server-sent events as blocks of text, until aborted or no longer allowed.
 *
 * Opens with the current position, so that a reader that never saw an event can resume too. Each event's id
 * is its sequence. When what follows `after` is no longer kept (or never was: a restored hub), a `resync`
 * event says so, and the stream goes on from the newest: the reader reads everything again. Reads the
 * store only as fast as the blocks are taken, so a slow reader costs nothing but its place.
 */
export async function* eventBlocks(
  source: EventSource,
  wish: StreamWish,
  manner: StreamManner,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const arrivals = listenTo(source);
  try {
    let position = wish.after ?? (await source.latest(signal));
    yield `retry: 2000\nid: ${position}\n\n`;
    let checkedAtMs = manner.clock.nowMs();
    for (;;) {
      if (manner.clock.nowMs() - checkedAtMs >= manner.heartbeatMs) {
        if (!(await manner.mayGoOn(signal))) return;
        checkedAtMs = manner.clock.nowMs();
      }
      // Taken before reading, so that what arrives while reading is not missed.
      const arrival = arrivals.next();
      if (await isLost(source, position, signal)) {
        position = await source.latest(signal);
        yield `event: resync\nid: ${position}\ndata: {"latestSequence":${position}}\n\n`;
        continue;
      }
      const batch = await source.since(position, batchMost, signal);
      const newest = batch.at(-1);
      if (newest !== undefined) {
        position = newest.sequence;
        const shown = batch.filter(wish.admits).map(eventBlock).join("");
        yield shown === "" ? `id: ${position}\n\n` : shown;
        continue;
      }
      const woken = await firstOf(arrival, manner.heartbeatMs, manner.clock, signal);
      if (woken) continue;
      if (!(await manner.mayGoOn(signal))) return;
      checkedAtMs = manner.clock.nowMs();
      yield ": heartbeat\n\n";
    }
  } finally {
    arrivals.stop();
  }
}

const eventBlock = (event: FleetEvent): string =>
  `id: ${event.sequence}\ndata: ${JSON.stringify(eventView(event))}\n\n`;

/** Whether events after `position` were forgotten, or `position` is one this hub never reached. */
export async function isLost(
  source: EventSource,
  position: number,
  signal: AbortSignal,
): Promise<boolean> {
  const latest = await source.latest(signal);
  if (position > latest) return true;
  if (position === latest) return false;
  return position < (await source.oldest(signal)) - 1;
}

function listenTo(source: EventSource): {
  readonly next: () => Promise<void>;
  readonly stop: () => void;
} {
  let arrival = Promise.withResolvers<void>();
  const stop = source.onAppend(() => {
    arrival.resolve();
    arrival = Promise.withResolvers<void>();
  });
  return { next: () => arrival.promise, stop };
}

/** True when `arrival` came within `waitMs`. */
async function firstOf(
  arrival: Promise<void>,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const waiting = AbortSignal.any([signal, over.signal]);
  const pause = clock.sleep(waitMs, waiting).then(
    () => false,
    // Either the caller has gone, which `unlessAborted` reports, or the arrival won.
    () => true,
  );
  try {
    return await unlessAborted(Promise.race([arrival.then(() => true), pause]), signal);
  } finally {
    over.abort();
  }
}

/**
 * Blocks of text as a response body that is filled only when it is read.
 *
 * A reader that takes nothing for `stallMsMost` is dropped: `onStall` is called and the blocks are ended.
 */
export function pulledStream(
  start: (signal: AbortSignal) => AsyncGenerator<string>,
  stallMsMost: number,
  onStall: () => void,
  onEnd: () => void,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const ending = new AbortController();
  const blocks = start(AbortSignal.any([signal, ending.signal]));
  const encoder = new TextEncoder();
  let stall: NodeJS.Timeout | undefined;
  let ended = false;
  const end = () => {
    clearTimeout(stall);
    ending.abort();
    if (!ended) onEnd();
    ended = true;
  };
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      clearTimeout(stall);
      try {
        const { value, done } = await blocks.next();
        if (done === true) {
          end();
          controller.close();
          return;
        }
        controller.enqueue(encoder.encode(value));
        stall = setTimeout(() => {
          onStall();
          end();
        }, stallMsMost);
        stall.unref();
      } catch (error) {
        const wasAborted = ending.signal.aborted || signal.aborted;
        end();
        // The end of the reader or of the hub ends the stream; anything else breaks it.
        if (wasAborted) controller.close();
        else controller.error(error);
      }
    },
    cancel: async () => {
      end();
      await blocks.return(undefined).catch(() => {});
    },
  });
}
