import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { backoffMs } from "../../../proto/kit/backoff.ts";
import { systemClock, type Clock } from "../../../proto/kit/clock.ts";
import { runTogether } from "../../../proto/kit/run-together.ts";
import { describeError, Trouble } from "../../../proto/kit/trouble.ts";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import { untilSuccess } from "../../../proto/kit/until-success.ts";

const never = new AbortController().signal;
const clock: Clock = { nowMs: () => 0, sleep: async () => {} };

suite("backoffMs", () => {
  test("stays in the upper half of each step and never passes the most", () => {
    const policy = { firstMs: 100, factor: 2, mostMs: 1_000 };
    const law = fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, chance) => {
        const stepMs = Math.min(100 * 2 ** (failures - 1), 1_000);
        const waitMs = backoffMs(failures, policy, () => chance);
        assert.ok(waitMs >= stepMs / 2 - 1 && waitMs <= stepMs + 1);
      },
    );
    fc.assert(law);
  });
});

suite("untilSuccess", () => {
  test("repeats what may heal and returns the first success", async () => {
    let attempts = 0;
    const pauses: number[] = [];
    const value = await untilSuccess(
      async () => {
        attempts += 1;
        if (attempts < 3) throw new Trouble("away");
        return attempts;
      },
      {
        attemptMs: 1_000,
        pauseMs: (failures) => (pauses.push(failures), 1),
        mayHeal: (error) => error instanceof Trouble,
        clock,
      },
      never,
    );
    assert.equal(value, 3);
    assert.deepEqual(pauses, [1, 2]);
  });

  test("throws at once what cannot heal", async () => {
    await assert.rejects(
      untilSuccess(
        async () => {
          throw new TypeError("bug");
        },
        { attemptMs: 1_000, pauseMs: () => 1, mayHeal: (error) => error instanceof Trouble, clock },
        never,
      ),
      /bug/,
    );
  });
});

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

suite("waiting", () => {
  test("the clock throws the caller's own reason", async () => {
    const stop = new AbortController();
    const reason = new Error("stop");
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort(reason);
    await assert.rejects(sleeping, (error) => error === reason);
  });

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

  test("an error is described with its causes", () => {
    const error = new Trouble("repository could not be fetched", {
      cause: new Error("connection refused"),
    });
    assert.equal(describeError(error), "repository could not be fetched: connection refused");
    assert.equal(describeError("text"), "text");
  });
});
