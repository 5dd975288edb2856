import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { canonicalQuantity, quantityValue } from "./quantity.ts";

suite("quantities", () => {
  const rows: readonly (readonly [given: string, canonical: string | undefined])[] = [
    ["1", "1"],
    ["0", "0"],
    ["0.5", "500m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["1.5", "1500m"],
    ["2000", "2k"],
    ["1234", "1234"],
    ["1000k", "1M"],
    ["100n", "100n"],
    ["1024Mi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["-0.5", "-500m"],
    ["1e3", "1e3"],
    ["", undefined],
    ["abc", undefined],
    ["1Q", undefined],
  ];
  for (const [given, canonical] of rows)
    test(`${JSON.stringify(given)} is written ${JSON.stringify(canonical)}`, () =>
      assert.equal(canonicalQuantity(given), canonical));

  test("rewriting keeps the size and is done once", () => {
    const some = fc.tuple(
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom("", "m", "k", "M", "Ki", "Mi", "Gi"),
    );
    const law = fc.property(some, ([count, suffix]) => {
      const given = `${count}${suffix}`;
      const canonical = canonicalQuantity(given) ?? "";
      assert.equal(quantityValue(canonical), quantityValue(given));
      assert.equal(canonicalQuantity(canonical), canonical);
    });
    fc.assert(law);
  });
});
