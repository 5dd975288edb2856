import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { atOnce, sortedInSlices, type Sliced } from "../../../hub/domain/sliced.ts";

const byKey = (a: { readonly key: number }, b: { readonly key: number }): number => a.key - b.key;

function slicesOf(work: Sliced<unknown>): number {
  let slices = 0;
  while (work.next().done !== true) slices += 1;
  return slices;
}

suite("sortedInSlices", () => {
  test("sorts as the language does, what is equal in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 5 }),
        fc.integer({ min: 0, max: 3_000 }),
        (keys, times) => {
          const items = Array.from({ length: keys.length * times }, (_, place) => ({
            key: ((keys[place % keys.length] ?? 0) * (place + 7)) % 101,
            place,
          }));
          assert.deepEqual(atOnce(sortedInSlices(items, byKey)), items.toSorted(byKey));
        },
      ),
      { numRuns: 20 },
    );
  });

  test("stops often: twice the items, more than twice the slices", () => {
    const items = Array.from({ length: 40_000 }, (_, index) => ({ key: (index * 7_919) % 40_009 }));
    const half = slicesOf(sortedInSlices(items.slice(0, 20_000), byKey));
    assert.ok(half > 20, String(half));
    assert.ok(slicesOf(sortedInSlices(items, byKey)) >= 2 * half);
  });
});
