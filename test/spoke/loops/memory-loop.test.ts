import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { runMemoryLoop } from "../../../spoke/loops/memory-loop.ts";
import { fakeClock } from "../../support/fake-clock.ts";

suite("the memory loop", () => {
  test("collects once a burst of work is over, and not again before there is something to collect", async () => {
    const clock = fakeClock();
    const process = { usedMs: 0, heapBytes: 30, collections: 0 };
    const stopping = new AbortController();
    const ended = runMemoryLoop(
      {
        clock,
        processorMs: () => process.usedMs,
        heapBytes: () => process.heapBytes,
        collect: () => {
          process.heapBytes = 20;
          process.collections += 1;
        },
      },
      { everyMs: 1_000, restShareMost: 0.05, growthBytesLeast: 10 },
      stopping.signal,
    ).catch((error: unknown) => error);
    const pass = async (usedMs: number, heapBytes: number): Promise<number> => {
      process.usedMs += usedMs;
      process.heapBytes = heapBytes;
      await clock.advance(1_000);
      return process.collections;
    };
    await clock.advance(0);
    assert.equal(await pass(900, 60), 0, "it works");
    assert.equal(await pass(51, 60), 0, "it still works");
    assert.equal(await pass(50, 60), 1, "it rests");
    assert.equal(await pass(0, 29), 1, "not worth it");
    assert.equal(await pass(0, 30), 2, "little by little comes to much");
    assert.equal(await pass(1_000, 90), 2, "the next burst");
    assert.equal(await pass(0, 90), 3, "and the rest after it");
    const stopped = new Error("the test ends");
    stopping.abort(stopped);
    assert.equal(await ended, stopped);
  });
});
