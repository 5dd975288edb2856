import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { Turns } from "../../../proto/kit/turns.ts";

const never = new AbortController().signal;

suite("Turns", () => {
  test("never more than the limit at once, never two of one key, and everybody gets a turn", async () => {
    const law = fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 20 }),
      async (most, keys) => {
        const turns = new Turns<string>(most);
        const running: string[] = [];
        let done = 0;
        await Promise.all(
          keys.map((key) =>
            turns.take(
              key,
              async () => {
                assert.ok(!running.includes(key), "two of one key at once");
                running.push(key);
                assert.ok(running.length <= most, "more than the limit at once");
                await new Promise((resolve) => setImmediate(resolve));
                running.splice(running.indexOf(key), 1);
                done += 1;
              },
              never,
            ),
          ),
        );
        assert.equal(done, keys.length);
      },
    );
    await fc.assert(law, { numRuns: 100 });
  });

  test("a waiter that is aborted leaves the line to the others", async () => {
    const turns = new Turns<string>(1);
    const release = Promise.withResolvers<void>();
    const busy = turns.take("a", () => release.promise, never);
    const stop = new AbortController();
    const aborted = turns.take("b", async () => "b", stop.signal);
    const last = turns.take("c", async () => "c", never);
    stop.abort(new Error("gone"));
    await assert.rejects(aborted, /gone/);
    release.resolve();
    await busy;
    assert.equal(await last, "c");
  });

  test("work that throws gives its place back", async () => {
    const turns = new Turns<string>(1);
    await assert.rejects(
      turns.take(
        "a",
        async () => {
          throw new Error("broken");
        },
        never,
      ),
      /broken/,
    );
    assert.equal(await turns.take("a", async () => 1, never), 1);
  });
});
