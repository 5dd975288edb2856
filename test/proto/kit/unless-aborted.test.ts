import assert from "node:assert/strict";
import test from "node:test";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";

test("an aborted wait leaves no listener behind", async () => {
  const stop = new AbortController();
  let listeners = 0;
  const signal = stop.signal;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...words: Parameters<typeof add>) => {
    listeners += 1;
    add(...words);
  };
  signal.removeEventListener = (...words: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...words);
  };
  assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
  assert.equal(listeners, 0);
});
