import assert from "node:assert/strict";
import {
  addCluster,
  app,
  atMs,
  clusterName,
  configMap,
  deployment,
  draft,
  hour,
  publish,
  putBundle,
  record,
  remove,
  report,
  setOrigin,
  signal,
  tombstone,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

/** What becomes of an application that a publication moves, removes or writes again. */
export function leavingCases(it: Case): void {
  it("keeps an application where it runs while its destination is unknown", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await record(store, cluster, [report("web")]);
    await publish(store, [
      { kind: "write", record: draft("web", { bundle }), desired: undefined, leaves: undefined },
    ]);
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual([found?.cluster, found?.status.syncStatus], ["a", "Synced"]);
    const [published] = await store.publishing.published(setOrigin("web"), signal);
    assert.equal(published?.draft.clusterId, undefined);
  });

  it("keeps the status of an application that is published again, save that it is synced no more", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    await record(store, cluster, [report("web", { resources: [configMap("one")] })]);
    const next = await putBundle(store, { one: 2 });
    await publish(store, [write("web", cluster, next, { entry: { generation: 2 } })], {
      atMs: atMs + hour,
    });
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual(
      [found?.generation, found?.status.appliedGeneration, found?.status.syncStatus],
      [2, 1, "OutOfSync"],
    );
    assert.deepEqual([found?.createdAtMs, found?.changedAtMs], [atMs, atMs + hour]);
    assert.equal((await store.applications.resources(app("web"), signal)).length, 1);
  });

  it("resets the status of an application that moves, and leaves a tombstone", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", a, bundle)]);
    await record(store, a, [report("web", { resources: [configMap("one")] })]);
    const leaves = tombstone("web", a, { cause: "destination-changed" });
    const { changedClusters } = await publish(store, [write("web", b, bundle, { leaves })]);
    assert.deepEqual(changedClusters.toSorted(), [a, b].toSorted());
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual([found?.cluster, found?.status.syncStatus], ["b", "Unknown"]);
    assert.deepEqual(await store.applications.resources(app("web"), signal), []);
    const change = await store.desiredSets.changeSince(a, 1, signal);
    assert.deepEqual(change?.tombstones, [
      {
        application: "web",
        generation: 2,
        cause: "destination-changed",
        actor: "c2",
        keepObjects: false,
      },
    ]);
  });

  it("does not let an application leave a cluster without a tombstone", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", a, bundle)]);
    await assert.rejects(publish(store, [write("web", b, bundle)]), TypeError);
    await assert.rejects(publish(store, [remove("web", undefined)]), TypeError);
    await assert.rejects(publish(store, [remove("web", b)]), TypeError);
    assert.equal((await store.desiredSets.current(a, signal)).version, 1);
  });

  it("takes resources and status along when it removes an application", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    await record(store, cluster, [report("web", { resources: [deployment("one", ["nginx"])] })]);
    await publish(store, [remove("web", cluster)]);
    assert.equal(await store.applications.find(app("web"), signal), undefined);
    assert.deepEqual(await store.applications.resources(app("web"), signal), []);
    const resources = await store.fleet.resources({}, { limit: 9, after: undefined }, signal);
    assert.deepEqual(resources.items, []);
    assert.deepEqual(await store.publishing.published(setOrigin("web"), signal), []);
  });

  it("removes what it does not know without a word", async (store) => {
    const cluster = await addCluster(store, "a");
    assert.deepEqual(await publish(store, [remove("web", cluster)]), { changedClusters: [] });
  });

  it("passes over a cluster that was removed meanwhile", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
    assert.deepEqual(await publish(store, [write("web", cluster, bundle)]), {
      changedClusters: [],
    });
    const found = await store.applications.find(app("web"), signal);
    assert.equal(found?.cluster, undefined);
    const [published] = await store.publishing.published(setOrigin("web"), signal);
    assert.deepEqual([published?.desired, published?.draft.clusterId], [undefined, undefined]);
    assert.deepEqual(await publish(store, [remove("web", cluster)]), { changedClusters: [] });
  });

  it("never lets a generation go back in a cluster", async (store) => {
    const cluster = await addCluster(store, "a");
    const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
    const generation = async () =>
      (await store.publishing.published(setOrigin("web"), signal))[0]?.desired?.entry.generation;
    await publish(store, [write("web", cluster, one, { entry: { generation: 5 } })]);
    await publish(store, [write("web", cluster, two, { entry: { generation: 5 } })]);
    assert.equal(await generation(), 6);
    assert.equal((await store.applications.find(app("web"), signal))?.generation, 6);
    await publish(store, [remove("web", cluster)]);
    const gone = await store.desiredSets.changeSince(cluster, 2, signal);
    assert.equal(gone?.tombstones[0]?.generation, 7);
    await publish(store, [write("web", cluster, one)]);
    assert.equal(await generation(), 8);
    await publish(store, [remove("web", cluster)]);
    await store.desiredSets.recordRemoved(cluster, app("web"), 9, atMs, signal);
    assert.equal(await store.desiredSets.forgetTombstones(atMs + 1, signal), 1);
    await publish(store, [write("web", cluster, one)]);
    assert.equal(await generation(), 10);
  });
}
