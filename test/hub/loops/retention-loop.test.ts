import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { runRetentionLoop } from "../../../hub/loops/retention-loop.ts";
import type { Clock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";

suite("runRetentionLoop", () => {
  test("forgets each kind by its own age, round after round, whatever fails", async () => {
    const stopping = new AbortController();
    const asked: string[] = [];
    const slept: number[] = [];
    let nowMs = 1_000_000;
    const clock: Clock = {
      nowMs: () => nowMs,
      sleep: async (delayMs, signal) => {
        slept.push(delayMs);
        nowMs += delayMs;
        if (slept.length > 2) stopping.abort(new Error("enough"));
        signal.throwIfAborted();
      },
    };
    const forgetting = (what: string, keepMs: number, fault?: Error) => ({
      what,
      keepMs,
      forget: async (beforeMs: number) => {
        asked.push(`${what} ${beforeMs}`);
        if (fault !== undefined) throw fault;
        return 1;
      },
    });
    await assert.rejects(
      runRetentionLoop(
        {
          forgettings: [
            forgetting("events", 1_000),
            forgetting("blobs", 2_000, new Trouble("disk full")),
            forgetting("tokens", 3_000),
          ],
          clock,
          random: () => 0.25,
          log: silentLog,
        },
        10_000,
        stopping.signal,
      ),
      /enough/,
    );
    assert.deepEqual(slept, [2_000, 10_000, 10_000]);
    assert.deepEqual(asked, [
      "events 1001000",
      "blobs 1000000",
      "tokens 999000",
      "events 1011000",
      "blobs 1010000",
      "tokens 1009000",
    ]);
  });
});
