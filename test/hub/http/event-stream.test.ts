import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { FleetEvent } from "../../../hub/domain/records.ts";
import { eventBlocks, pulledStream } from "../../../hub/http/event-stream.ts";
import type { EventSource } from "../../../hub/http/needs.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";

/** Events in memory: as many as were appended, without those that were forgotten. */
function memorySource() {
  let events: readonly FleetEvent[] = [];
  const listeners = new Set<() => void>();
  const source: EventSource = {
    since: async (sequence, most) =>
      events.filter((event) => event.sequence > sequence).slice(0, most),
    latest: async () => events.at(-1)?.sequence ?? 0,
    oldest: async () => events[0]?.sequence ?? 0,
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    source,
    listeners,
    append: (subject: string) => {
      const sequence = (events.at(-1)?.sequence ?? 0) + 1;
      events = [
        ...events,
        { sequence, atMs: 0, kind: "application-status", subject, cluster: "c", message: "" },
      ];
      for (const listener of listeners) listener();
    },
    forget: (count: number) => {
      events = events.slice(count);
    },
  };
}

const all = () => true;

function open(
  more: {
    readonly after?: number;
    readonly admits?: (event: FleetEvent) => boolean;
    readonly mayGoOn?: () => Promise<boolean>;
  } = {},
) {
  const memory = memorySource();
  const clock = fakeClock();
  const ending = new AbortController();
  const start = (after = more.after) =>
    eventBlocks(
      memory.source,
      { after, admits: more.admits ?? all },
      { heartbeatMs: 15_000, mayGoOn: more.mayGoOn ?? (async () => true), clock },
      ending.signal,
    );
  return { ...memory, clock, ending, start };
}

const nextOf = async (blocks: AsyncGenerator<string>): Promise<string> =>
  String((await blocks.next()).value);

suite("eventBlocks", () => {
  test("starts with what comes next, and says where that is", async () => {
    const { append, start } = open();
    append("old");
    const blocks = start();
    assert.equal(await nextOf(blocks), "retry: 2000\nid: 1\n\n");
    const next = nextOf(blocks);
    append("new");
    assert.match(await next, /^id: 2\ndata: \{.*"subject":"new".*\}\n\n$/);
    await blocks.return(undefined);
  });

  test("resumes after the last event that was seen", async () => {
    const { append, start } = open();
    for (const subject of ["a", "b", "c"]) append(subject);
    const blocks = start(1);
    await nextOf(blocks);
    assert.match(await nextOf(blocks), /"subject":"b".*id: 3\n.*"subject":"c"/s);
    await blocks.return(undefined);
  });

  test("says that events were missed when they are no longer kept", async () => {
    const { append, forget, start } = open();
    for (const subject of ["a", "b", "c", "d"]) append(subject);
    forget(2);
    const blocks = start(1);
    await nextOf(blocks);
    assert.equal(await nextOf(blocks), 'event: resync\nid: 4\ndata: {"latestSequence":4}\n\n');
    append("e");
    assert.match(await nextOf(blocks), /^id: 5\n/);
    await blocks.return(undefined);
  });

  test("a reader just before the oldest kept event has missed nothing", async () => {
    const { append, forget, start } = open();
    for (const subject of ["a", "b", "c"]) append(subject);
    forget(1);
    const blocks = start(1);
    await nextOf(blocks);
    assert.match(await nextOf(blocks), /^id: 2\n/);
    await blocks.return(undefined);
  });

  test("a reader that is ahead of a restored hub is told to read again", async () => {
    const { append, start } = open();
    append("a");
    const blocks = start(99);
    await nextOf(blocks);
    assert.match(await nextOf(blocks), /^event: resync\nid: 1\n/);
    await blocks.return(undefined);
  });

  test("filtered events move the position without being told", async () => {
    const { append, start } = open({ admits: ({ subject }) => subject === "mine" });
    append("other");
    append("mine");
    append("other");
    const blocks = start(0);
    await nextOf(blocks);
    assert.match(await nextOf(blocks), /^id: 2\ndata: .*"mine".*\n\n$/);
    append("other");
    assert.equal(await nextOf(blocks), "id: 4\n\n");
    await blocks.return(undefined);
  });

  test("is heard from every fifteen seconds when nothing happens", async () => {
    const { clock, start } = open();
    const blocks = start();
    await nextOf(blocks);
    const next = nextOf(blocks);
    await clock.advance(15_000);
    assert.equal(await next, ": heartbeat\n\n");
    await blocks.return(undefined);
  });

  test("ends when the reader's token is no longer good, also while events keep coming", async () => {
    let good = true;
    const { append, clock, start, listeners } = open({ mayGoOn: async () => good });
    const blocks = start();
    await nextOf(blocks);
    append("a");
    assert.match(await nextOf(blocks), /"a"/);
    good = false;
    await clock.advance(15_000);
    append("b");
    assert.equal((await blocks.next()).done, true);
    assert.equal(listeners.size, 0);
  });

  test("an abort ends the wait and leaves no listener", async () => {
    const { ending, start, listeners, clock } = open();
    const blocks = start();
    await nextOf(blocks);
    const next = blocks.next();
    await eventually(() => assert.equal(listeners.size, 1));
    ending.abort(new Error("over"));
    await assert.rejects(next, /over/);
    assert.deepEqual([listeners.size, clock.sleepers()], [0, 0]);
  });
});

suite("pulledStream", () => {
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield "block\n\n";
  }

  test("a reader that takes nothing is dropped, and nothing piles up for it", async () => {
    let given = 0;
    let dropped = 0;
    let ended = 0;
    async function* counted(): AsyncGenerator<string> {
      for (;;) {
        given += 1;
        yield "block\n\n";
      }
    }
    const stream = pulledStream(
      counted,
      20,
      () => (dropped += 1),
      () => (ended += 1),
      new AbortController().signal,
    );
    const reader = stream.getReader();
    await reader.read();
    await eventually(() => assert.equal(dropped, 1));
    assert.ok(given <= 3, `${given} blocks were made for one that was read`);
    assert.equal(ended, 1);
    await reader.cancel();
    assert.equal(ended, 1);
  });

  test("a reader that keeps up is not dropped", async () => {
    let dropped = 0;
    const stream = pulledStream(
      endless,
      50,
      () => (dropped += 1),
      () => {},
      new AbortController().signal,
    );
    const reader = stream.getReader();
    for (let read = 0; read < 200; read += 1) await reader.read();
    await reader.cancel();
    assert.equal(dropped, 0);
  });

  test("the end of the hub ends the stream quietly; a failure breaks it", async () => {
    const life = new AbortController();
    async function* waiting(signal: AbortSignal): AsyncGenerator<string> {
      yield "first";
      await unlessAborted(new Promise(() => {}), signal);
    }
    const reader = pulledStream(
      waiting,
      1_000,
      () => {},
      () => {},
      life.signal,
    ).getReader();
    await reader.read();
    const next = reader.read();
    life.abort();
    assert.equal((await next).done, true);

    async function* broken(): AsyncGenerator<string> {
      yield "first";
      throw new Error("store is away");
    }
    const other = pulledStream(
      broken,
      1_000,
      () => {},
      () => {},
      new AbortController().signal,
    ).getReader();
    await assert.rejects(async () => {
      await other.read();
      await other.read();
    }, /store is away/);
  });
});
