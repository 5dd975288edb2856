import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import type { KubeObject } from "./object.ts";
import { Store } from "./store.ts";

const kind = "/things";

const thing = (name: string, value: number, owner?: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: {
    name,
    namespace: "n",
    uid: `uid-${name}`,
    ...(owner === undefined
      ? {}
      : {
          ownerReferences: [{ apiVersion: "v1", kind: "Thing", name: owner, uid: `uid-${owner}` }],
        }),
  },
  value,
});

const inShort = (objects: readonly KubeObject[]): readonly unknown[] =>
  objects.map((object) => [object.metadata.name, object["value"]]);

suite("store", () => {
  test("versions only grow, over all kinds together", () => {
    const store = new Store(10);
    const first = store.put(kind, thing("a", 1));
    const second = store.put("/others", thing("a", 1));
    assert.ok(Number(second.metadata.resourceVersion) > Number(first.metadata.resourceVersion));
  });

  test("the past can be listed as far as history goes", () => {
    const steps = fc.array(
      fc.record({ name: fc.constantFrom("a", "b", "c"), value: fc.integer({ min: 0, max: 3 }) }),
      { maxLength: 20 },
    );
    const law = fc.property(steps, (some) => {
      const store = new Store(100);
      const states = [{ version: store.version, state: inShort(store.list(kind)) }];
      for (const { name, value } of some) {
        // Zero stands for a removal.
        if (value === 0) store.remove(kind, thing(name, 0));
        else store.put(kind, thing(name, value));
        states.push({ version: store.version, state: inShort(store.list(kind)) });
      }
      for (const { version, state } of states)
        assert.deepEqual(inShort(store.listAt(kind, version)), state);
    });
    fc.assert(law);
  });

  test("changes after a version are told in order, until history forgets them", () => {
    const store = new Store(4);
    const start = store.version;
    for (let value = 1; value <= 4; value += 1) store.put(kind, thing("a", value));
    assert.equal(store.changesAfter(start)?.length, 4);
    for (let value = 5; value <= 9; value += 1) store.put(kind, thing("a", value));
    assert.equal(store.changesAfter(start), undefined);
    const recent = store.changesAfter(store.version - 2) ?? [];
    assert.deepEqual(
      recent.map((change) => change.is?.["value"]),
      [8, 9],
    );
  });

  test("compaction makes every earlier version too old", () => {
    const store = new Store(10);
    const { metadata } = store.put(kind, thing("a", 1));
    store.compact();
    assert.equal(store.changesAfter(Number(metadata.resourceVersion)), undefined);
    assert.deepEqual(store.changesAfter(store.version), []);
  });

  test("dependents are known by their owner's uid", () => {
    const store = new Store(10);
    store.put(kind, thing("owner", 1));
    store.put(kind, thing("child", 1, "owner"));
    store.put(kind, thing("child", 2, "owner"));
    const names = () =>
      store.dependentsOf("uid-owner").map(({ object }) => [object.metadata.name, object["value"]]);
    assert.deepEqual(names(), [["child", 2]]);
    store.remove(kind, thing("child", 2, "owner"));
    assert.deepEqual(names(), []);
  });
});
