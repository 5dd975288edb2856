import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import { desiredRoot } from "../../../proto/words/desired.ts";
import { reportDigest } from "../../../proto/words/report.ts";
import {
  addCluster,
  app,
  atMs,
  clusterId,
  configMap,
  deployment,
  newsSince,
  publish,
  putBundle,
  record,
  remove,
  report,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function reportCases(it: Case): void {
  it("an application whose cluster has not got the newest generation is not Synced, in every count", async (store) => {
    const id = await addCluster(store, "dev-1");
    const [one, two] = [await putBundle(store, { a: 1 }), await putBundle(store, { a: 2 })];
    await publish(store, [write("web", id, one)]);
    await record(store, id, [report("web")]);
    assert.equal((await store.applications.find(app("web"), signal))?.status.syncStatus, "Synced");
    await publish(store, [write("web", id, two)]);
    const statuses = async () => ({
      found: (await store.applications.find(app("web"), signal))?.status.syncStatus,
      summary: (await store.fleet.summary(undefined, signal))[0]?.applications.sync,
    });
    const behind = { found: "OutOfSync", summary: { OutOfSync: 1 } };
    assert.deepEqual(await statuses(), behind);
    // A report that was under way when the generation rose knows nothing of it.
    await record(store, id, [report("web", { healthyGeneration: 0 })]);
    assert.deepEqual(await statuses(), behind);
    await record(store, id, [report("web", { storedGeneration: 2, appliedGeneration: 2 })]);
    assert.deepEqual(await statuses(), { found: "Synced", summary: { Synced: 1 } });
  });

  const running = async (store: Store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    return cluster;
  };

  it("tell of a removal that what the spoke holds has overtaken, until the order is newer", async (store) => {
    const cluster = await running(store);
    await publish(store, [remove("web", cluster)]);
    const order = async () =>
      (await store.desiredSets.changeAgainst(cluster, new Map(), signal))?.tombstones.map(
        ({ generation }) => generation,
      );
    assert.deepEqual(await order(), [2]);
    const heard = (storedGeneration: number) =>
      record(store, cluster, [report("web", { storedGeneration })]);
    assert.deepEqual(await heard(1), [], "it is being removed under this order");
    const overtaken = await heard(2);
    assert.deepEqual(overtaken, [{ what: "removal", cluster, application: "web", generation: 2 }]);
    await store.publishing.outnumber(overtaken, atMs, signal);
    assert.deepEqual(await order(), [3]);
    assert.deepEqual(await heard(2), []);
    await store.desiredSets.recordRemoved(cluster, app("web"), 3, atMs, signal);
    assert.deepEqual(await heard(3), [], "it is carried out");
  });

  it("become the application's status and resources", async (store) => {
    const cluster = await running(store);
    const full = report("web", {
      syncStatus: "OutOfSync",
      health: { state: "Degraded", message: "image cannot be pulled" },
      operation: {
        phase: "Running",
        generation: 1,
        message: "",
        startedAtMs: atMs,
        finishedAtMs: undefined,
      },
      conditions: [{ code: "WH-APP-1017", message: "not ours" }],
      resources: [
        configMap("one", { awaitsPrune: true }),
        deployment("web", ["nginx:1", "sidecar"]),
      ],
    });
    await record(store, cluster, [full]);
    const { application: _, resources, ...said } = full;
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual(found?.status, { ...said, reportedAtMs: atMs });
    assert.deepEqual(await store.applications.resources(app("web"), signal), resources);
  });

  it("replace older ones whole", async (store) => {
    const cluster = await running(store);
    await record(store, cluster, [
      report("web", { resources: [configMap("one"), deployment("web", ["nginx:1"])] }),
    ]);
    const next = [configMap("two"), deployment("web", ["nginx:2"])];
    await record(store, cluster, [report("web", { resources: next })]);
    assert.deepEqual(await store.applications.resources(app("web"), signal), next);
    const running1 = await store.fleet.resources(
      { image: "nginx:1" },
      { limit: 9, after: undefined },
      signal,
    );
    assert.deepEqual(running1.items, []);
  });

  it("of applications that are not offered to the cluster are ignored", async (store) => {
    const cluster = await running(store);
    const other = await addCluster(store, "b");
    await record(store, other, [report("web"), report("nobody")]);
    assert.equal((await store.applications.find(app("web"), signal))?.status.syncStatus, "Unknown");
    await record(store, cluster, [report("web")]);
    await record(store, other, [], ["web"]);
    assert.equal((await store.applications.find(app("web"), signal))?.status.syncStatus, "Synced");
    await record(store, clusterId("nobody"), [report("web")]);
  });

  it("make an event when sync status or health changes, and only then", async (store) => {
    const cluster = await running(store);
    const from = await store.events.latest(signal);
    await record(store, cluster, [report("web")]);
    await record(store, cluster, [report("web")]);
    await record(store, cluster, [report("web", { health: { state: "Healthy", message: "x" } })]);
    await record(store, cluster, [report("web", { storedGeneration: 2 })]);
    assert.deepEqual(await newsSince(store, from), ["application-status web"]);
    await record(store, cluster, [report("web", { syncStatus: "OutOfSync" })]);
    const events = await store.events.since(from, 10, signal);
    assert.equal(events.length, 2);
    assert.deepEqual(
      [events[1]?.cluster, events[1]?.message],
      ["a", "OutOfSync and Healthy, was Synced and Healthy"],
    );
  });

  it("of applications that are gone reset them", async (store) => {
    const cluster = await running(store);
    await record(store, cluster, [report("web", { resources: [configMap("one")] })]);
    await record(store, cluster, [], ["web"]);
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual(
      [found?.status.syncStatus, found?.status.reportedAtMs],
      ["Unknown", undefined],
    );
    assert.deepEqual(await store.applications.resources(app("web"), signal), []);
  });

  it("have a root over what is held", async (store) => {
    const cluster = await running(store);
    assert.equal(await store.reports.statusRoot(cluster, signal), desiredRoot(new Map()));
    const said = report("web", { resources: [configMap("one")] });
    await record(store, cluster, [said]);
    assert.equal(
      await store.reports.statusRoot(cluster, signal),
      desiredRoot(new Map([["web", reportDigest(said)]])),
    );
    await record(store, cluster, [], ["web"]);
    assert.equal(await store.reports.statusRoot(cluster, signal), desiredRoot(new Map()));
  });

  it("of many clusters are one batch", async (store) => {
    const bundle = await putBundle(store, { one: 1 });
    const names = ["a", "b", "c"];
    for (const name of names)
      await publish(store, [write(`web-${name}`, await addCluster(store, name), bundle)]);
    await store.reports.record(
      names.map((name) => ({
        cluster: clusterId(name),
        applications: [report(`web-${name}`)],
        gone: [],
      })),
      atMs,
      signal,
    );
    const [whole] = await store.fleet.summary(undefined, signal);
    assert.deepEqual(whole?.applications, {
      total: 3,
      sync: { Synced: 3 },
      health: { Healthy: 3 },
    });
  });
}
