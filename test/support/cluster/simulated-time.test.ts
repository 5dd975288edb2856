import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { eventually } from "../eventually.ts";
import { SimulatedTime } from "./simulated-time.ts";

suite("simulated time", () => {
  test("by hand, what is due happens in order and at its own time", async () => {
    const time = new SimulatedTime({ kind: "manual", startMs: 1_000_000 });
    const seen: string[] = [];
    const note = (text: string) => () => seen.push(`${text} ${time.nowMs() - 1_000_000}`);
    time.after(300, note("late"));
    time.after(100, () => {
      note("early")();
      time.after(100, note("then"));
    });
    await time.advance(250);
    assert.deepEqual(seen, ["early 100", "then 200"]);
    await time.advance(50);
    assert.deepEqual(seen, ["early 100", "then 200", "late 300"]);
    assert.equal(time.stamp(), "1970-01-01T00:16:40Z");
  });

  test("what is called off does not happen", async () => {
    const time = new SimulatedTime({ kind: "manual", startMs: 0 });
    const cancel = time.after(10, () => assert.fail("it was called off"));
    cancel();
    await time.advance(20);
    assert.equal(time.pending, 0);
  });

  test("at a speed, an hour passes in a moment", async () => {
    const time = new SimulatedTime({ kind: "speed", factor: 1_000_000 });
    let isOver = false;
    time.after(3_600_000, () => {
      isOver = true;
    });
    await eventually(() => assert.ok(isOver), { withinMs: 2000 });
    time.stop();
  });

  test("a clock that runs by itself cannot be moved", async () => {
    const time = new SimulatedTime({ kind: "speed", factor: 1 });
    await assert.rejects(time.advance(1), /runs by itself/);
  });
});
