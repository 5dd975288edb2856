import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { endsWithin } from "../../hub/watchdog.ts";

suite("endsWithin", () => {
  test("gives what the work gives, and throws what it throws", () => {
    assert.deepEqual(
      endsWithin(60_000, () => [1, undefined]),
      { ok: true, value: [1, undefined] },
    );
    assert.deepEqual(
      endsWithin(60_000, () => undefined),
      { ok: true, value: undefined },
    );
    const failure = new TypeError("as it is");
    assert.throws(
      () =>
        endsWithin(60_000, () => {
          throw failure;
        }),
      (error) => error === failure,
    );
  });

  const endless: readonly (readonly [what: string, work: () => unknown])[] = [
    [
      "a loop",
      () => {
        for (;;);
      },
    ],
    ["a pattern that backtracks", () => /^(a+)+$/.test(`${"a".repeat(50)}b`)],
    [
      "a loop that catches everything",
      () => {
        for (;;)
          try {
            JSON.parse("{");
          } catch {
            // Again.
          }
      },
    ],
    [
      "a generator",
      () => {
        const steps = (function* () {
          yield;
          for (;;);
        })();
        steps.next();
        return steps.next();
      },
    ],
  ];
  for (const [what, work] of endless)
    test(`gives up on ${what}, and everything else goes on`, async () => {
      assert.deepEqual(endsWithin(50, work), { ok: false, problem: "took-too-long" });
      assert.equal(await Promise.resolve(7), 7);
      assert.deepEqual(
        endsWithin(60_000, () => 7),
        { ok: true, value: 7 },
      );
    });
});
