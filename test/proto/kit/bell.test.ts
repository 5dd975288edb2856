import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test, { suite } from "node:test";
import { Bell } from "../../../proto/kit/bell.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const forEver = () => new AbortController().signal;

suite("Bell", () => {
  test("a ring before the wait ends it at once, and many count as one", async () => {
    const bell = new Bell();
    bell.ring();
    bell.ring();
    await bell.wait(forEver());
    let waited = false;
    const second = bell.wait(forEver()).then(() => (waited = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(waited, false);
    bell.ring();
    await second;
  });

  test("waits no longer than it is told, and loses no ring by it", async () => {
    const clock = fakeClock();
    const bell = new Bell();
    const first = bell.waitAtMost(100, clock, forEver());
    await clock.advance(100);
    await first;
    bell.ring();
    await bell.waitAtMost(100, clock, forEver());
    assert.equal(clock.sleepers(), 0);
  });

  test("leaves nothing behind on the signal, however often it waited", async () => {
    const clock = fakeClock();
    const bell = new Bell();
    const stopping = new AbortController();
    for (let index = 0; index < 50; index += 1) {
      const waiting = bell.waitAtMost(1, clock, stopping.signal);
      await clock.advance(1);
      await waiting;
    }
    assert.equal(getEventListeners(stopping.signal, "abort").length, 0);
  });

  test("throws the reason of the abort", async () => {
    const stopping = new AbortController();
    const waiting = assert.rejects(new Bell().wait(stopping.signal), /enough/);
    stopping.abort(new Error("enough"));
    await waiting;
  });
});
