import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Alarms } from "../../../spoke/loops/alarms.ts";
import { fakeClock } from "../../support/fake-clock.ts";

suite("Alarms", () => {
  test("ring once each at their time, the earliest of several for one key", async () => {
    const clock = fakeClock(0);
    const rung: string[] = [];
    const alarms = new Alarms<string>(clock, (key) => rung.push(`${key} ${clock.nowMs()}`));
    const stopping = new AbortController();
    const running = alarms.run(stopping.signal).catch(() => undefined);
    alarms.set("a", 100);
    alarms.set("b", 50);
    await clock.advance(10);
    alarms.set("a", 40);
    alarms.set("a", 90);
    alarms.set("c", 60);
    alarms.clear("c");
    await clock.advance(200_000_000);
    assert.deepEqual(rung, ["a 40", "b 50"]);
    alarms.set("late", 1);
    await clock.advance(1);
    assert.equal(rung.length, 3, "what is due already rings at once");
    stopping.abort(new Error("the test ends"));
    await running;
  });
});
