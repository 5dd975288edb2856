import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { eventsIn, type StreamEvent } from "../../../hub/cli/event-stream.ts";

async function read(chunks: readonly (string | Uint8Array)[]): Promise<readonly StreamEvent[]> {
  async function* source() {
    yield* chunks;
  }
  const events: StreamEvent[] = [];
  for await (const event of eventsIn(source())) events.push(event);
  return events;
}

const stream =
  'retry: 2000\nid: 3\n\n: heartbeat\n\nid: 4\ndata: {"subject":"é"}\n\nevent: resync\nid: 9\ndata: {}\n\nid: 10\n\n';

const expected: readonly StreamEvent[] = [
  { kind: "position", position: 3 },
  { kind: "change", position: 4, event: { subject: "é" } },
  { kind: "resync", position: 9 },
  { kind: "position", position: 10 },
];

suite("eventsIn", () => {
  test("reads positions, changes and resyncs, and skips heartbeats", async () => {
    assert.deepEqual(await read([stream]), expected);
    assert.deepEqual(await read([stream.replaceAll("\n", "\r\n")]), expected);
  });

  test("wherever the bytes are cut, the events are the same", async () => {
    const bytes = new TextEncoder().encode(stream);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 8 }),
        async (cuts) => {
          const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
          const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
          assert.deepEqual(await read(chunks), expected);
        },
      ),
    );
  });

  test("half an event at the end is dropped: the connection broke inside it", async () => {
    assert.deepEqual(await read(["id: 1\ndata: {}\n"]), []);
  });

  test("an event without an end is refused", async () => {
    await assert.rejects(read(["data: ", "x".repeat(1_100_000)]), RangeError);
  });
});
