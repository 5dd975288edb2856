import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { backoffMs, fullJitterMs } from "../../../proto/kit/backoff.ts";

const policy = { firstMs: 100, factor: 2, mostMs: 1_000 };
const failureCounts = fc.integer({ min: 1, max: 60 });
const chances = fc.double({ min: 0, max: 0.999, noNaN: true });

suite("backoffMs", () => {
  test("stays in the upper half of each step and never passes the most", () => {
    const law = fc.property(failureCounts, chances, (failures, chance) => {
      const stepMs = Math.min(100 * 2 ** (failures - 1), 1_000);
      const waitMs = backoffMs(failures, policy, () => chance);
      assert.ok(waitMs >= stepMs / 2 - 1 && waitMs <= stepMs + 1);
    });
    fc.assert(law);
  });
});

suite("fullJitterMs", () => {
  const rows: readonly (readonly [failures: number, chance: number, waitMs: number])[] = [
    [1, 0, 0],
    [1, 0.5, 50],
    [2, 0.5, 100],
    [4, 0.5, 400],
    [5, 0.5, 500],
    [2_000, 0.25, 250],
  ];
  for (const [failures, chance, waitMs] of rows)
    test(`after ${failures} failures and with chance ${chance} it is ${waitMs} ms`, () =>
      assert.equal(
        fullJitterMs(failures, policy, () => chance),
        waitMs,
      ));
});
