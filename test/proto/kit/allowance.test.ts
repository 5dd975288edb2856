import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Allowance, Allowances } from "../../../proto/kit/allowance.ts";
import { sourceNetwork } from "../../../proto/kit/source-network.ts";

suite("Allowance", () => {
  test("gives its burst at once, then as much as time brings, and never more than the burst", () => {
    const allowance = new Allowance({ burst: 3, perSecond: 2 }, 0);
    const take = (times: number, atMs: number) =>
      Array.from({ length: times }, () => allowance.take(atMs)).filter(Boolean).length;
    assert.equal(take(5, 0), 3);
    assert.equal(allowance.waitMs(0), 500);
    assert.equal(take(5, 499), 0);
    assert.equal(take(5, 500), 1);
    assert.equal(take(9, 1_000_000), 3);
  });

  test("a clock that goes back gives nothing and takes nothing", () => {
    const allowance = new Allowance({ burst: 1, perSecond: 1 }, 10_000);
    assert.ok(allowance.take(10_000));
    assert.ok(!allowance.take(0));
    assert.ok(!allowance.take(10_500));
    assert.ok(allowance.take(11_000));
  });
});

suite("Allowances", () => {
  test("one key's taking costs no other", () => {
    const allowances = new Allowances({ burst: 1, perSecond: 1 }, 10);
    assert.deepEqual(
      ["a", "a", "b"].map((key) => allowances.take(key, 0)),
      [true, false, true],
    );
    assert.deepEqual([allowances.waitMs("a", 0), allowances.waitMs("c", 0)], [1_000, 0]);
  });

  test("remembers so many keys at most, the latest, and forgets those that are full again", () => {
    const allowances = new Allowances({ burst: 2, perSecond: 1 }, 100);
    for (let index = 0; index < 10_000; index += 1) allowances.take(`key-${index}`, 0);
    assert.equal(allowances.keys, 100);
    assert.ok(allowances.take("key-9999", 0));
    assert.ok(!allowances.take("key-9999", 0));
    allowances.take("another", 60_000);
    assert.equal(allowances.keys, 1);
  });
});

suite("sourceNetwork", () => {
  const rows: readonly (readonly [string | undefined, string])[] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, "unknown"],
    ["", "unknown"],
  ];
  for (const [address, network] of rows)
    test(`${address ?? "nothing"} is of ${network}`, () =>
      assert.equal(sourceNetwork(address), network));
});
