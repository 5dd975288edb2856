import assert from "node:assert/strict";
import test from "node:test";
import { atGuardedPace, createPace } from "../../../hub/loops/pace.ts";
import { fail, ok } from "../../../proto/kit/result.ts";

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

test("guarded work runs stretch by stretch, and is left where its guard gives up", async () => {
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
  function* work(): Generator<undefined, string, undefined> {
    for (let step = 0; step < 30; step += 1) {
      nowMs += 2;
      yield;
    }
    return "done";
  }
  let stretches = 0;
  const made = await atGuardedPace(
    work(),
    (stretch) => {
      stretches += 1;
      return ok(stretch());
    },
    pace,
    signal,
  );
  assert.deepEqual(made, ok("done"));
  assert.deepEqual([stretches, turns], [7, 6]);
  const refused = await atGuardedPace(work(), () => fail("took-too-long"), pace, signal);
  assert.deepEqual(refused, fail("took-too-long"));
});
