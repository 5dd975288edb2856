import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { takeWithin } from "../../../hub/loops/take-within.ts";
import type { Clock } from "../../../proto/kit/clock.ts";
import { systemClock } from "../../../proto/kit/clock.ts";
import { Mailbox } from "../../../proto/kit/mailbox.ts";

const signal = new AbortController().signal;

suite("takeWithin", () => {
  test("takes what waits already", async () => {
    const mailbox = new Mailbox<string, number>();
    mailbox.put("a", 1);
    assert.equal(await takeWithin(mailbox, 60_000, systemClock, signal), 1);
  });

  test("takes what comes in time", async () => {
    const mailbox = new Mailbox<string, number>();
    const taking = takeWithin(mailbox, 60_000, systemClock, signal);
    mailbox.put("a", 2);
    assert.equal(await taking, 2);
  });

  test("gives up when the time is over, and takes nothing later", async () => {
    const mailbox = new Mailbox<string, number>();
    assert.equal(await takeWithin(mailbox, 1, systemClock, signal), undefined);
    mailbox.put("a", 3);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(mailbox.size, 1);
  });

  test("throws the reason it is stopped for", async () => {
    const stopping = new AbortController();
    const taking = takeWithin(new Mailbox<string, number>(), 60_000, systemClock, stopping.signal);
    stopping.abort(new Error("stop"));
    await assert.rejects(taking, /stop/);
  });

  test("leaves no timer behind", async () => {
    let sleeping = 0;
    const clock: Clock = {
      nowMs: () => 0,
      sleep: async (delayMs, sleepSignal) => {
        sleeping += 1;
        await systemClock.sleep(delayMs, sleepSignal).finally(() => (sleeping -= 1));
      },
    };
    const mailbox = new Mailbox<string, number>();
    mailbox.put("a", 1);
    await takeWithin(mailbox, 60_000, clock, signal);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sleeping, 0);
  });
});
