import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import type { InventoryEntry } from "../../../spoke/domain/inventory.ts";
import {
  parseShard,
  planShards,
  printShard,
  shardName,
  type Shards,
} from "../../../spoke/kube/inventory-shards.ts";

suite("shards of an inventory", () => {
  const limits = { entriesMost: 3, bytesMost: 1_000_000 };

  test("carrying out any plan gives the entries asked for, within the limits", () => {
    const law = fc.property(shardsLaw, entriesLaw, (before, entries) => {
      const { shards } = planShards(before, entries, limits);
      assert.deepEqual(keysOf(shards), entries.map(({ key }) => key).toSorted());
      for (const [number, held] of shards)
        assert.ok(held.length <= Math.max(limits.entriesMost, before.get(number)?.length ?? 0));
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("a crash after any step loses nothing that stays, and forgets nothing before all new is in", () => {
    const law = fc.property(shardsLaw, entriesLaw, (before, entries) => {
      const plan = planShards(before, entries, limits);
      const wanted = new Set<string>(entries.map(({ key }) => key));
      const held = new Map(before);
      const steps = [
        ...plan.writes.map((number) => () => held.set(number, plan.shards.get(number) ?? [])),
        ...plan.deletes.map((number) => () => held.delete(number)),
      ];
      const staying = keysOf(before).filter((key) => wanted.has(key));
      for (const step of steps) {
        step();
        const now = new Set(keysOf(held));
        assert.ok(staying.every((key) => now.has(key)));
      }
      assert.deepEqual(keysOf(held), [...wanted].toSorted());
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("adding to what is owned never loses an entry on the way", () => {
    const law = fc.property(shardsLaw, entriesLaw, (before, more) => {
      const old = [...before.values()].flat();
      const known = new Set(old.map(({ key }) => key));
      const union = [...old, ...more.filter(({ key }) => !known.has(key))];
      const plan = planShards(before, union, limits);
      assert.deepEqual(plan.deletes, []);
      for (const number of plan.writes) {
        const lost = (before.get(number) ?? []).filter(
          ({ key }) => !(plan.shards.get(number) ?? []).some((entry) => entry.key === key),
        );
        assert.deepEqual(lost, []);
      }
    });
    fc.assert(law, { numRuns: 200 });
  });

  test("planning what is there already writes nothing", () => {
    const law = fc.property(shardsLaw, (before) => {
      const { shards } = planShards(before, [...before.values()].flat(), limits);
      const again = planShards(shards, [...shards.values()].flat().toReversed(), limits);
      assert.deepEqual([again.writes, again.deletes], [[], []]);
    });
    fc.assert(law, { numRuns: 200 });
  });

  test("a change of one entry writes its shard only", () => {
    const before = planShards(
      new Map(),
      ["a", "b", "c", "d", "e", "f", "g"].map(entry),
      limits,
    ).shards;
    const changed = ["a", "b", "c", "d", "e", "f", "g"].map((name) =>
      name === "e" ? { ...entry(name), uid: "u-1" } : entry(name),
    );
    assert.deepEqual(planShards(before, changed, limits).writes, [1]);
  });

  test("a shard without entries goes, but the first stays to say that nothing is owned", () => {
    const before = planShards(new Map(), ["a", "b", "c", "d", "e"].map(entry), limits).shards;
    const plan = planShards(before, [], limits);
    assert.deepEqual([...plan.shards], [[0, []]]);
    assert.deepEqual([plan.writes, plan.deletes], [[0], [1]]);
    assert.deepEqual(planShards(new Map(), [], limits).writes, [0]);
  });

  test("a shard is closed by bytes as well as by number, with room for what entries become", () => {
    const names = Array.from({ length: 3_000 }, (_, number) => `object-${number}`);
    const full = names.map((name) => ({
      ...entry(name),
      uid: "u".repeat(36),
      applied: "a".repeat(64),
      fingerprint: "f".repeat(64),
    }));
    const intents = planShards(new Map(), names.map(entry)).shards;
    const done = planShards(intents, full).shards;
    assert.ok(intents.size >= 3);
    for (const [number, held] of done) {
      assert.ok(held.length <= 1_500);
      assert.ok(Buffer.byteLength(printShard(held)) <= 256 * 1024);
      assert.equal(held.length, intents.get(number)?.length);
    }
  });

  test("a shard reads as it was printed, and counts lines it cannot read", () => {
    const law = fc.property(entriesLaw, (entries) => {
      const sorted = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      assert.deepEqual(parseShard(printShard(entries)), { entries: sorted, badLines: 0 });
    });
    fc.assert(law, { numRuns: 100 });
    const text = `${printShard([entry("a")])}\nnot json\n["too","short"]\n["no key","","","",""]`;
    assert.deepEqual(parseShard(text), { entries: [entry("a")], badLines: 3 });
  });

  test("names are short, and differ by application and shard", () => {
    const names = [
      shardName("web", 0),
      shardName("web", 1),
      shardName("web-1", 0),
      shardName("x".repeat(253), 12),
    ];
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^wheelhouse-inventory-[0-9a-f]{16}(-\d+)?$/);
  });
});

function entry(name: string): InventoryEntry {
  return {
    key: makeObjectKey({ group: "apps", kind: "Deployment", namespace: "shop", name }),
    version: "v1",
    uid: "",
    applied: "",
    fingerprint: "",
  };
}

const entriesLaw: fc.Arbitrary<readonly InventoryEntry[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 15 })
  .chain((numbers) =>
    fc.tuple(
      ...numbers.map((number) =>
        fc.constantFrom("", "u-1").map((uid) => ({ ...entry(`o${number}`), uid })),
      ),
    ),
  );

/** Any shards a history could have left: the first is there, numbers may have gaps, no entry is in two. */
const shardsLaw: fc.Arbitrary<Shards> = entriesLaw.chain((entries) =>
  fc
    .array(fc.constantFrom(0, 1, 3), { minLength: entries.length, maxLength: entries.length })
    .map((homes) => {
      const shards = new Map<number, InventoryEntry[]>([[0, []]]);
      for (const [index, held] of entries.entries()) {
        const home = homes[index] ?? 0;
        shards.set(home, [...(shards.get(home) ?? []), held]);
      }
      return shards;
    }),
);

const keysOf = (shards: Shards): readonly string[] =>
  [...shards.values()]
    .flat()
    .map(({ key }) => key)
    .toSorted();
