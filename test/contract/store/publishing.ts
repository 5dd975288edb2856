import assert from "node:assert/strict";
import { setConditions } from "../../../hub/domain/set-status.ts";
import type { RolloutStatus } from "../../../hub/domain/rollout/rollout.ts";
import { desiredDigest, desiredRoot } from "../../../proto/words/desired.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { ServiceAccount } from "../../../proto/words/service-account.ts";
import {
  addCluster,
  app,
  atMs,
  digest,
  draft,
  entry,
  hour,
  publish,
  putBundle,
  record,
  remove,
  report,
  setOrigin,
  setRecord,
  signal,
  tombstone,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

/** What one publication writes, all of it or nothing. */
export function publishingCases(it: Case): void {
  it("remembers the set, its applications and what is offered", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    const change = write("web", cluster, bundle);
    assert.ok(change.kind === "write");
    const { changedClusters } = await publish(store, [change], { set: setRecord("web") });
    assert.deepEqual(changedClusters, [cluster]);
    assert.deepEqual(await store.publishing.published(setOrigin("web"), signal), [
      { draft: change.record, desired: change.desired },
    ]);
    const found = await store.applicationSets.find("web", signal);
    assert.deepEqual(found, {
      ...setRecord("web"),
      applications: { total: 1, sync: { Unknown: 1 }, health: { Unknown: 1 } },
    });
    const { clusterId: _, keepObjects: __, ...decided } = change.record;
    assert.deepEqual(await store.applications.find(app("web"), signal), {
      ...decided,
      cluster: "a",
      createdAtMs: atMs,
      changedAtMs: atMs,
      status: {
        syncStatus: "Unknown",
        health: { state: "Unknown", message: "" },
        storedGeneration: 0,
        appliedGeneration: 0,
        healthyGeneration: 0,
        appliedRevision: "",
        operation: undefined,
        conditions: [],
        reportedAtMs: undefined,
      },
    });
  });

  it("moves nothing when nothing changed", async (store) => {
    const cluster = await addCluster(store, "a");
    const change = write("web", cluster, await putBundle(store, { one: 1 }));
    await publish(store, [change]);
    const before = await store.desiredSets.current(cluster, signal);
    const again = await publish(store, [change], { atMs: atMs + hour });
    assert.deepEqual(again.changedClusters, []);
    assert.deepEqual(await store.desiredSets.current(cluster, signal), before);
    assert.equal((await store.applications.find(app("web"), signal))?.changedAtMs, atMs);
  });

  it("moves a cluster's version once, however many of its applications change", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    const { changedClusters } = await publish(store, [
      write("web-a", a, bundle),
      write("api-a", a, bundle),
      write("web-b", b, bundle),
    ]);
    assert.deepEqual(changedClusters.toSorted(), [a, b].toSorted());
    assert.deepEqual(await store.desiredSets.current(a, signal), {
      version: 1,
      root: desiredRoot(
        new Map(["api-a", "web-a"].map((name) => [name, desiredDigest(entry(name, bundle))])),
      ),
    });
  });

  it("keeps what is offered when only the application's problem changes", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await record(store, cluster, [report("web")]);
    const problem = { code: "WH-RND-3401", message: "kind is missing", sinceMs: atMs };
    const record_ = draft("web", { clusterId: cluster, bundle, problem });
    const { changedClusters } = await publish(store, [
      { kind: "write", record: record_, desired: undefined, leaves: undefined },
    ]);
    assert.deepEqual(changedClusters, []);
    const found = await store.applications.find(app("web"), signal);
    assert.deepEqual(found?.problem, problem);
    assert.equal(found?.status.syncStatus, "Synced");
    const [published] = await store.publishing.published(setOrigin("web"), signal);
    assert.deepEqual(published?.desired, { cluster, entry: entry("web", bundle) });
  });

  it("says with whose rights an application is looked after, and removed", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    const acting = { serviceAccount: "web:deployer" as ServiceAccount };
    await publish(store, [write("web", a, bundle, { entry: acting })]);
    await publish(store, [write("api", b, bundle)]);
    const offered = async (cluster: typeof a) =>
      (await store.desiredSets.changeSince(cluster, 0, signal))?.upserts;
    assert.deepEqual(await offered(a), [entry("web", bundle, acting)]);
    assert.deepEqual(await offered(b), [entry("api", bundle)]);
    const { root } = await store.desiredSets.current(a, signal);
    assert.equal(
      root,
      desiredRoot(new Map([["web", desiredDigest(entry("web", bundle, acting))]])),
    );
    await publish(store, [remove("web", a), remove("api", b)]);
    const removed = async (cluster: typeof a) =>
      (await store.desiredSets.changeSince(cluster, 1, signal))?.tombstones;
    assert.equal((await removed(a))?.[0]?.serviceAccount, "web:deployer");
    assert.ok(!Object.hasOwn((await removed(b))?.[0] ?? {}, "serviceAccount"));
  });

  it("writes everything of a publication or nothing", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    const before = await store.events.latest(signal);
    await assert.rejects(
      publish(
        store,
        [write("good", cluster, bundle), write("bad", cluster, digest("no such bundle"))],
        {
          set: setRecord("web"),
          events: [{ kind: "set-changed", subject: "web", cluster: "", message: "" }],
        },
      ),
    );
    assert.equal(await store.applications.find(app("good"), signal), undefined);
    assert.equal(await store.applicationSets.find("web", signal), undefined);
    assert.equal((await store.desiredSets.current(cluster, signal)).version, 0);
    assert.equal(await store.events.latest(signal), before);
    const [whole] = await store.fleet.summary(undefined, signal);
    assert.equal(whole?.applications.total, 0);
  });

  it("carries out several changes of one application in their order", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    const labelled = (tier: string, generation: number) => ({
      draft: { labels: { tier, size: "1" }, document: `{"tier":"${tier}"}` },
      entry: { generation },
    });
    const named = async (text: string) => {
      const sort = { by: "name", descending: false } as const;
      const page = { limit: 9, after: undefined };
      return (await store.applications.list({ text }, sort, page, signal)).items;
    };
    await publish(store, [
      write("web-app", a, bundle, labelled("first", 1)),
      write("web-app", a, bundle, labelled("second", 1)),
      write("other", a, bundle),
    ]);
    assert.deepEqual(
      (await named("web-app")).map(({ labels, document }) => [labels["tier"], document]),
      [["second", '{"tier":"second"}']],
    );

    await publish(store, [
      write("web-app", b, bundle, {
        ...labelled("third", 2),
        leaves: tombstone("web-app", a),
      }),
      write("web-app", a, bundle, {
        ...labelled("fourth", 2),
        leaves: tombstone("web-app", b, { generation: 5 }),
      }),
    ]);
    const [there] = await store.publishing
      .published(setOrigin("web"), signal)
      .then((all) => all.filter(({ draft }) => draft.name === "web-app"));
    assert.equal(there?.desired?.cluster, a);
    // Beyond the order to remove it, which is lifted.
    assert.equal(there?.desired?.entry.generation, 3);
    const ordersOf = async (cluster: typeof a) =>
      (await store.desiredSets.changeSince(cluster, 0, signal))?.tombstones.map(
        ({ generation }) => generation,
      );
    assert.deepEqual([await ordersOf(a), await ordersOf(b)], [[], [5]]);

    await publish(store, [
      write("web-app", a, bundle, labelled("fifth", 4)),
      remove("web-app", a),
      write("web-app", a, bundle, labelled("sixth", 5)),
      remove("other", a),
    ]);
    const [again] = await named("web-app");
    assert.deepEqual([again?.labels["tier"], again?.generation], ["sixth", 6]);
    assert.deepEqual(await named("other"), []);
    const [whole] = await store.fleet.summary(undefined, signal);
    assert.equal(whole?.applications.total, 1);
  });

  it("remembers what was true of a set, and since when", async (store) => {
    const conditions = setConditions(
      {
        fault: { reason: "ApplicationValidationError", problem: { code: "X", message: "no" } },
        ungenerated: undefined,
        rollout: { kind: "known", statuses: [], issue: "Steps [1] have no applications" },
      },
      [],
      atMs,
    );
    const found = async () => (await store.applicationSets.find("web", signal))?.conditions;
    await publish(store, [], { set: setRecord("web", { conditions }) });
    assert.deepEqual(await found(), conditions);
    await publish(store, [], { set: setRecord("web", { conditions: conditions.slice(1) }) });
    assert.deepEqual(await found(), conditions.slice(1));
  });

  it("remembers how far the rollout of a set is", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    const status = (application: string, state: RolloutStatus["status"]): RolloutStatus => ({
      application: application as ApplicationName,
      status: state,
      step: 2,
      message: "as told",
      targetRevisions: ["c1", "c2"],
      sinceMs: atMs,
    });
    const written = [status("api", "Healthy"), status("web", "Waiting")];
    const rollout = { kind: "changed", written, dropped: [] } as const;
    await publish(store, [write("web", cluster, bundle)], { set: setRecord("web"), rollout });
    const { statuses, reported, leaving } = await store.publishing.rollout("web", signal);
    assert.deepEqual([statuses, [...reported.keys()], [...leaving]], [written, ["web"], []]);
    assert.deepEqual(await store.applicationSets.rollout("web", 1, signal), written.slice(0, 1));
    const next = status("web", "Pending");
    await publish(store, [], {
      rollout: { kind: "changed", written: [next], dropped: ["api" as ApplicationName] },
    });
    assert.deepEqual((await store.publishing.rollout("web", signal)).statuses, [next]);

    await publish(store, [remove("web", cluster)]);
    assert.deepEqual([...(await store.publishing.rollout("web", signal)).leaving], ["web"]);
    await publish(store, [], { set: "removed" });
    assert.deepEqual((await store.publishing.rollout("web", signal)).statuses, []);
  });
}
