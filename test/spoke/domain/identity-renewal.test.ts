import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { renewAtMs, standingOf } from "../../../spoke/domain/identity-renewal.ts";

suite("when a certificate is renewed", () => {
  test("between half and 65 percent of its life, well before two thirds", () => {
    const life = { notBeforeMs: 1_000, notAfterMs: 2_000 };
    assert.equal(renewAtMs(life, 0), 1_500);
    assert.equal(renewAtMs(life, 1), 1_650);
    const law = fc.property(
      fc.nat(),
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (notBeforeMs, lifeMs, chance) => {
        const atMs = renewAtMs({ notBeforeMs, notAfterMs: notBeforeMs + lifeMs }, chance);
        assert.ok(atMs >= notBeforeMs + Math.floor(lifeMs * 0.5));
        assert.ok(atMs <= notBeforeMs + Math.ceil(lifeMs * 0.65));
      },
    );
    fc.assert(law);
  });

  test("its standing is read off the clock", () => {
    const life = { notBeforeMs: 10, notAfterMs: 20 };
    assert.deepEqual(
      [9, 10, 20, 21].map((nowMs) => standingOf(life, nowMs)),
      ["not-yet-valid", "good", "good", "expired"],
    );
  });
});
