import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { afterRepair, noRepairs, repairAtMs } from "../../../spoke/domain/heal.ts";

suite("repairAtMs", () => {
  test("repairs the first drift at once", () => assert.equal(repairAtMs(noRepairs, 5), 5));

  test("triples the pause from two seconds to five minutes while repairs do not hold", () => {
    let history = noRepairs;
    let nowMs = 1_000_000;
    const pauses = [];
    for (let round = 0; round < 8; round += 1) {
      history = afterRepair(history, nowMs);
      const nextMs = repairAtMs(history, nowMs);
      pauses.push(nextMs - nowMs);
      nowMs = nextMs;
    }
    assert.deepEqual(pauses, [2_000, 6_000, 18_000, 54_000, 162_000, 300_000, 300_000, 300_000]);
  });

  const rows = [
    { name: "just before a minute is the second", repairs: 1, agoMs: 59_999, expect: "repaired" },
    { name: "after a minute is a first one again", repairs: 1, agoMs: 60_000, expect: "first" },
    {
      name: "within twice a long pause goes on counting",
      repairs: 6,
      agoMs: 599_999,
      expect: "repaired",
    },
    {
      name: "after twice the longest pause is a first one again",
      repairs: 6,
      agoMs: 600_000,
      expect: "first",
    },
  ];
  for (const { name, repairs, agoMs, expect } of rows) {
    test(`drift ${name}`, () => {
      const history = { repairs, lastAtMs: 1_000_000 };
      const next = afterRepair(history, 1_000_000 + agoMs);
      assert.equal(next.repairs, expect === "first" ? 1 : repairs + 1);
    });
  }
});
