import assert from "node:assert/strict";
import { blobOf } from "../../../proto/words/bundle.ts";
import { desiredDigest, desiredRoot } from "../../../proto/words/desired.ts";
import {
  addCluster,
  app,
  atMs,
  bundleOf,
  clusterId,
  clusterName,
  digest,
  entry,
  openSession,
  publish,
  putBundle,
  remove,
  signal,
  tombstone,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function desiredSetCases(it: Case): void {
  it("are empty at version 0", async (store) => {
    const cluster = await addCluster(store, "a");
    const empty = { version: 0, root: desiredRoot(new Map()) };
    assert.deepEqual(await store.desiredSets.current(cluster, signal), empty);
    assert.deepEqual(await store.desiredSets.current(clusterId("nobody"), signal), empty);
  });

  it("give what changed since a version", async (store) => {
    const cluster = await addCluster(store, "a");
    const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
    await publish(store, [write("web", cluster, one), write("api", cluster, one)]);
    await publish(store, [write("web", cluster, two, { entry: { generation: 2 } })]);
    await publish(store, [remove("api", cluster)]);
    const { root } = await store.desiredSets.current(cluster, signal);
    const since = (base: number) => store.desiredSets.changeSince(cluster, base, signal);
    const web = entry("web", two, { generation: 2 });
    const { cluster: _, ...api } = tombstone("api", cluster);
    const rest = { target: 3, root, strays: [] };
    assert.deepEqual(await since(0), { base: 0, upserts: [web], tombstones: [api], ...rest });
    assert.deepEqual(await since(2), { base: 2, upserts: [], tombstones: [api], ...rest });
    assert.deepEqual(await since(3), { base: 3, upserts: [], tombstones: [], ...rest });
    assert.equal(await since(4), undefined);
    assert.equal(root, desiredRoot(new Map([["web", desiredDigest(web)]])));
  });

  it("leave out what was carried out of the change from nothing, and only there", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle), write("api", cluster, bundle)]);
    await publish(store, [remove("web", cluster), remove("api", cluster)]);
    await store.desiredSets.recordRemoved(cluster, app("web"), 2, atMs, signal);
    const orderedSince = async (base: number) =>
      (await store.desiredSets.changeSince(cluster, base, signal))?.tombstones.map(
        ({ application }) => application,
      );
    assert.deepEqual(await orderedSince(0), ["api"]);
    assert.deepEqual(await orderedSince(1), ["api", "web"]);
  });

  it("give an application that came back instead of its tombstone", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await publish(store, [remove("web", cluster)]);
    await publish(store, [write("web", cluster, bundle)]);
    const change = await store.desiredSets.changeSince(cluster, 1, signal);
    assert.deepEqual(change?.tombstones, []);
    assert.deepEqual(change?.upserts, [entry("web", bundle, { generation: 3 })]);
  });

  it("refuse a delta that would need a forgotten tombstone", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await publish(store, [remove("web", cluster)]);
    const forget = () => store.desiredSets.forgetTombstones(atMs + 1, signal);
    assert.equal(await forget(), 0, "a tombstone nobody carried out stays");
    await store.desiredSets.recordRemoved(cluster, app("web"), 2, atMs, signal);
    assert.equal(await forget(), 1);
    assert.equal(await store.desiredSets.changeSince(cluster, 1, signal), undefined);
    assert.notEqual(await store.desiredSets.changeSince(cluster, 2, signal), undefined);
  });

  it("compare with what a spoke holds, entry by entry", async (store) => {
    const cluster = await addCluster(store, "a");
    const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
    await publish(store, [
      write("same", cluster, one),
      write("old", cluster, two, { entry: { generation: 2 } }),
      write("new", cluster, one),
      write("gone", cluster, one),
      write("done", cluster, one),
    ]);
    await publish(store, [remove("gone", cluster), remove("done", cluster)]);
    await store.desiredSets.recordRemoved(cluster, app("done"), 2, atMs, signal);
    const held = new Map([
      [app("same"), desiredDigest(entry("same", one))],
      [app("old"), desiredDigest(entry("old", one))],
      [app("stray"), digest("stray")],
    ]);
    const change = await store.desiredSets.changeAgainst(cluster, held, signal);
    const { version, root } = await store.desiredSets.current(cluster, signal);
    assert.deepEqual([change.base, change.target, change.root], [0, version, root]);
    assert.deepEqual(
      change.upserts.map(({ application }) => application),
      ["new", "old"],
    );
    assert.deepEqual(
      change.tombstones.map(({ application }) => application),
      ["gone"],
      "one that is not held but was never carried out, and not the one that was",
    );
    assert.deepEqual(change.strays, ["stray"]);
  });

  it("order a spoke with an old disk to remove what it held, carried out or not", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await publish(store, [remove("web", cluster)]);
    await store.desiredSets.recordRemoved(cluster, app("web"), 2, atMs, signal);
    const held = new Map([[app("web"), desiredDigest(entry("web", bundle))]]);
    const change = await store.desiredSets.changeAgainst(cluster, held, signal);
    assert.deepEqual(
      change.tombstones.map(({ application }) => application),
      ["web"],
    );
    assert.deepEqual(change.strays, []);
  });

  it("show what the spoke has stored", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    const { version, root } = await store.desiredSets.current(cluster, signal);
    await store.desiredSets.recordStored(cluster, version, digest("other"), atMs, signal);
    assert.equal((await store.clusters.find(clusterName("a"), signal))?.storedVersion, 0);
    await store.desiredSets.recordStored(cluster, version, root, atMs + 3, signal);
    const found = await store.clusters.find(clusterName("a"), signal);
    assert.deepEqual([found?.storedVersion, found?.lastSeenAtMs], [1, atMs + 3]);
  });

  it("name the blobs a cluster lacks, smallest first and within the limits", async (store) => {
    const cluster = await addCluster(store, "a");
    const content = { small: "1", middle: "m".repeat(400), large: "l".repeat(5_000) };
    await publish(store, [write("web", cluster, await putBundle(store, content))]);
    const lacking = async (blobBytesMost: number, totalBytesMost: number) =>
      (
        await store.desiredSets.lackingBlobs(
          cluster,
          [app("web")],
          { blobBytesMost, totalBytesMost },
          signal,
        )
      ).map(({ bytes }) => bytes.byteLength);
    const all = await lacking(100_000, 100_000);
    assert.equal(all.length, 4, "three objects and the list");
    assert.deepEqual(
      all,
      all.toSorted((left, right) => left - right),
    );
    assert.equal((await lacking(1_000, 100_000)).length, 3);
    const two = (all[0] ?? 0) + (all[1] ?? 0);
    assert.equal((await lacking(100_000, two)).length, 2);
    assert.equal((await lacking(100_000, two - 1)).length, 1);
  });

  it("do not count what was stored for the application as lacking", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1, two: 2 }))]);
    const stored = await store.desiredSets.current(cluster, signal);
    await store.desiredSets.recordStored(cluster, stored.version, stored.root, atMs, signal);
    const next = bundleOf({ one: 1, two: 3 });
    await putBundle(store, { one: 1, two: 3 });
    await publish(store, [write("web", cluster, next.digest, { entry: { generation: 2 } })]);
    const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
    const lacking = async () =>
      (await store.desiredSets.lackingBlobs(cluster, [app("web")], limits, signal))
        .map(({ digest }) => digest)
        .toSorted();
    const changed = blobOf({ kind: "ConfigMap", name: "two", data: 3 }).digest;
    assert.deepEqual(await lacking(), [changed, next.digest].toSorted());
    await openSession(store, cluster, { heldVersion: 0 });
    assert.equal((await lacking()).length, 3, "a spoke with an empty disk lacks everything");
  });

  it("believe a spoke whose acknowledgement was lost", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    await openSession(store, cluster, { heldVersion: 1 });
    assert.equal((await store.clusters.find(clusterName("a"), signal))?.storedVersion, 1);
    const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
    assert.deepEqual(
      await store.desiredSets.lackingBlobs(cluster, [app("web")], limits, signal),
      [],
    );
  });

  it("are apart: one cluster's never show another's", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", a, bundle)]);
    assert.equal((await store.desiredSets.current(b, signal)).version, 0);
    const change = await store.desiredSets.changeAgainst(b, new Map(), signal);
    assert.deepEqual([change.upserts, change.tombstones], [[], []]);
    const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
    assert.deepEqual(await store.desiredSets.lackingBlobs(b, [app("web")], limits, signal), []);
  });
}
