import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { runTogether } from "../../../proto/kit/run-together.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";

const never = new AbortController().signal;

suite("runTogether", () => {
  const untilAborted = (signal: AbortSignal) => unlessAborted(new Promise<void>(() => {}), signal);

  test("the first failure stops the others and is thrown alone", async () => {
    let stopped = false;
    const failure = new Error("first");
    await assert.rejects(
      runTogether(
        [
          async () => {
            throw failure;
          },
          async (signal) => {
            try {
              await untilAborted(signal);
            } finally {
              stopped = true;
            }
          },
        ],
        never,
      ),
      (error) => error === failure,
    );
    assert.ok(stopped);
  });

  test("ends normally when the caller stops it", async () => {
    const stop = new AbortController();
    const running = runTogether([untilAborted, untilAborted], stop.signal);
    stop.abort(new Error("enough"));
    await running;
  });

  test("several failures are thrown together", async () => {
    await assert.rejects(
      runTogether(
        [
          async () => {
            throw new Error("a");
          },
          async () => {
            throw new Error("b");
          },
        ],
        never,
      ),
      (error) => error instanceof AggregateError && error.errors.length === 2,
    );
  });
});
