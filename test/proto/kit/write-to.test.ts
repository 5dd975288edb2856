import assert from "node:assert/strict";
import { Writable } from "node:stream";
import test, { suite } from "node:test";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { writeTo } from "../../../proto/kit/write-to.ts";

const forEver = () => new AbortController().signal;

const isEnd = (error: unknown): boolean =>
  error instanceof Trouble && error.message === "the stream has ended";

suite("writeTo", () => {
  test("resolves when the far end took the message, not when it was queued", async () => {
    const taking: (() => void)[] = [];
    const slow = new Writable({
      objectMode: true,
      write: (_message, _encoding, taken) => taking.push(taken),
    });
    let resolved = false;
    const writing = writeTo(slow, "a", forEver()).then(() => (resolved = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(resolved, false);
    taking[0]?.();
    await writing;
  });

  test("fails when the stream does", async () => {
    const broken = new Writable({
      objectMode: true,
      write: (_message, _encoding, taken) => taken(new Error("line broken")),
    });
    broken.on("error", () => {});
    await assert.rejects(writeTo(broken, "a", forEver()), /line broken/);
    await assert.rejects(writeTo(broken, "b", forEver()), isEnd);
  });

  test("does not wait for a stream that ends without a word, nor after an abort", async () => {
    const mute = () => new Writable({ objectMode: true, write: () => {} });
    const ending = mute();
    const writing = assert.rejects(writeTo(ending, "a", forEver()), isEnd);
    ending.destroy();
    await writing;
    const stopping = new AbortController();
    const aborted = assert.rejects(writeTo(mute(), "a", stopping.signal), /enough/);
    stopping.abort(new Error("enough"));
    await aborted;
  });
});
