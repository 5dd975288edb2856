import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { backoffMs } from "../../../proto/kit/backoff.ts";

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
