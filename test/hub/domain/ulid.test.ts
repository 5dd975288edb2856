import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeUlid, ulidBytes } from "../../../hub/domain/ulid.ts";

suite("makeUlid", () => {
  const zeros = new Uint8Array(ulidBytes);
  const ones = new Uint8Array(ulidBytes).fill(255);

  test("writes time first, in Crockford's alphabet", () => {
    assert.equal(makeUlid(0, zeros), "0".repeat(26));
    assert.equal(makeUlid(1_469_918_176_385, zeros), `01ARYZ6S41${"0".repeat(16)}`);
    assert.equal(makeUlid(0, ones), `${"0".repeat(10)}${"Z".repeat(16)}`);
  });

  test("a later one sorts after an earlier one, whatever the chance", () => {
    for (const atMs of [1, 31, 32, 1_700_000_000_000])
      assert.ok(makeUlid(atMs, zeros) > makeUlid(atMs - 1, ones));
  });

  test("wants exactly its bytes", () => {
    assert.throws(() => makeUlid(0, new Uint8Array(3)), RangeError);
  });
});
