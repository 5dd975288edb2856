import assert from "node:assert/strict";
import test from "node:test";
import { createPace } from "../../../hub/loops/pace.ts";

test("a pace lets the loop turn once a stretch is over, and no sooner", async () => {
  let nowMs = 0;
  let turns = 0;
  const pace = createPace(
    10,
    () => nowMs,
    async () => {
      turns += 1;
    },
  );
  const signal = new AbortController().signal;
  const seen: number[] = [];
  for (const atMs of [0, 9, 10, 15, 19, 20, 40]) {
    nowMs = atMs;
    await pace.breathe(signal);
    seen.push(turns);
  }
  assert.deepEqual(seen, [0, 0, 1, 1, 1, 2, 3]);
  nowMs = 60;
  await assert.rejects(pace.breathe(AbortSignal.abort(new Error("stop"))), /stop/);
});
