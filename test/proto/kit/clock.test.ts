import assert from "node:assert/strict";
import test from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";

test("the clock throws the caller's own reason", async () => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(reason);
  await assert.rejects(sleeping, (error) => error === reason);
});
