import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { InventoryEntry } from "../../../spoke/domain/inventory.ts";
import { Inventories } from "../../../spoke/loops/inventories.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";

const never = new AbortController().signal;
const shop = "shop" as ApplicationName;
const early = "early" as ApplicationName;
const late = "late" as ApplicationName;
const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });
const entry = (uid = "u1"): InventoryEntry => ({
  key,
  version: "v1",
  uid,
  applied: "d",
  fingerprint: "f",
});

suite("Inventories", () => {
  test("write only when something changed, and read back what was written", async () => {
    const cluster = fakeCluster();
    const first = new Inventories(cluster.inventory);
    await first.load(never);
    await first.save(shop, never);
    first.set(shop, entry());
    await first.save(shop, never);
    await first.save(shop, never);
    assert.deepEqual(cluster.inventoryWrites, ["write shop"]);

    const second = new Inventories(cluster.inventory);
    await second.load(never);
    assert.deepEqual([...second.of(shop).values()], [entry()]);
    await second.save(shop, never);
    second.delete(shop, key);
    await second.save(shop, never);
    assert.deepEqual(cluster.inventoryWrites, ["write shop", "write shop"]);
    await second.forget(shop, never);
    await second.forget(shop, never);
    assert.deepEqual(cluster.inventoryWrites, ["write shop", "write shop", "forget shop"]);
  });

  test("a write that failed is not taken for done", async () => {
    const cluster = fakeCluster();
    const inventories = new Inventories(cluster.inventory);
    inventories.set(shop, entry());
    cluster.setAway(true);
    await assert.rejects(inventories.save(shop, never));
    cluster.setAway(false);
    await inventories.save(shop, never);
    assert.deepEqual(cluster.inventoryContent.get(shop), [entry()]);
  });

  test("an object belongs to whoever applied it, before whoever only means to", () => {
    const inventories = new Inventories(fakeCluster().inventory);
    inventories.set(early, entry(""));
    assert.equal(inventories.otherOwner(key, late), "early");
    assert.equal(inventories.otherOwner(key, early), undefined);
    inventories.set(late, entry("u1"));
    assert.equal(inventories.otherOwner(key, late), undefined);
    assert.equal(inventories.otherOwner(key, early), "late");
    inventories.delete(late, key);
    assert.equal(inventories.otherOwner(key, late), "early");
    assert.deepEqual(inventories.claimants(key), ["early"]);
    assert.equal(inventories.isUsedByOthers("shop", late), true);
    assert.equal(inventories.isUsedByOthers("shop", early), false);
  });
});
