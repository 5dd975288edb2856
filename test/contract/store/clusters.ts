import assert from "node:assert/strict";
import { BadCursor } from "../../../hub/domain/queries.ts";
import type { Requirement } from "../../../hub/domain/selector.ts";
import type { Store } from "../../../hub/store/store.ts";
import {
  addCluster,
  allPages,
  app,
  atMs,
  clusterId,
  clusterName,
  configMap,
  fact,
  newsSince,
  openSession,
  publish,
  putBundle,
  record,
  report,
  setOrigin,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function clusterCases(it: Case): void {
  it("are found by name and by id once added", async (store) => {
    const draft = fact("prod-1", { labels: { env: "prod" }, annotations: { owner: "ann" } });
    const added = await store.clusters.add(draft, atMs, signal);
    const expected = {
      ...draft,
      createdAtMs: atMs,
      connection: { kind: "never-joined" },
      lastSeenAtMs: undefined,
      spokeVersion: "",
      kubernetesVersion: "",
      certificateExpiresAtMs: undefined,
      locked: undefined,
      desiredVersion: 0,
      storedVersion: 0,
      applications: { total: 0, sync: {}, health: {} },
    };
    assert.deepEqual(added, { ok: true, value: expected });
    assert.deepEqual(await store.clusters.find(clusterName("prod-1"), signal), expected);
    assert.deepEqual(await store.clusters.findById(draft.id, signal), expected);
    assert.equal(await store.clusters.find(clusterName("prod-2"), signal), undefined);
  });

  it("have names and servers of their own", async (store) => {
    await addCluster(store, "a");
    const sameName = { ...fact("a", { server: "https://other" }), id: clusterId("x") };
    const sameServer = { ...fact("b"), server: fact("a").server };
    assert.deepEqual(await store.clusters.add(sameName, atMs, signal), {
      ok: false,
      problem: { kind: "name-taken" },
    });
    assert.deepEqual(await store.clusters.add(sameServer, atMs, signal), {
      ok: false,
      problem: { kind: "server-taken" },
    });
    assert.equal((await store.clusters.facts(signal)).length, 1);
  });

  it("give facts sorted by name", async (store) => {
    await addCluster(store, "b", { env: "dev" });
    await addCluster(store, "a");
    assert.deepEqual(await store.clusters.facts(signal), [
      fact("a"),
      fact("b", { labels: { env: "dev" } }),
    ]);
  });

  it("change their labels and annotations as whole maps", async (store) => {
    await addCluster(store, "a", { env: "dev", tier: "1" });
    const changed = await store.clusters.setMetadata(
      clusterName("a"),
      { labels: { env: "prod" } },
      atMs,
      signal,
    );
    assert.deepEqual(changed?.labels, { env: "prod" });
    assert.deepEqual((await store.clusters.find(clusterName("a"), signal))?.labels, {
      env: "prod",
    });
    await store.clusters.setMetadata(clusterName("a"), { annotations: { a: "b" } }, atMs, signal);
    const found = await store.clusters.find(clusterName("a"), signal);
    assert.deepEqual([found?.labels, found?.annotations], [{ env: "prod" }, { a: "b" }]);
    assert.equal(await store.clusters.setMetadata(clusterName("b"), {}, atMs, signal), undefined);
  });

  it("say nothing when nothing about them changed", async (store) => {
    await addCluster(store, "a", { x: "1", y: "2" });
    const before = await store.events.latest(signal);
    await store.clusters.setMetadata(
      clusterName("a"),
      { labels: { y: "2", x: "1" } },
      atMs,
      signal,
    );
    assert.equal(await store.events.latest(signal), before);
  });

  it("free their name and never their id when removed", async (store) => {
    const id = await addCluster(store, "a");
    assert.equal(await store.clusters.remove(clusterName("a"), "ann", atMs, signal), true);
    assert.equal(await store.clusters.remove(clusterName("a"), "ann", atMs, signal), false);
    assert.equal(await store.clusters.find(clusterName("a"), signal), undefined);
    assert.equal(await store.clusters.findById(id, signal), undefined);
    assert.deepEqual(await store.clusters.facts(signal), []);
    await assert.rejects(store.clusters.add(fact("a"), atMs, signal));
    const again = await store.clusters.add({ ...fact("a"), id: clusterId("a2") }, atMs, signal);
    assert.equal(again.ok, true);
  });

  it("take status and resources of their applications along when removed", async (store) => {
    const id = await addCluster(store, "a");
    await publish(store, [write("web", id, await putBundle(store, { one: 1 }))]);
    await record(store, id, [report("web", { resources: [configMap("one")] })]);
    await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
    const found = await store.applications.find(app("web"), signal);
    assert.equal(found?.cluster, undefined);
    assert.deepEqual(found?.status.syncStatus, "Unknown");
    assert.deepEqual(await store.applications.resources(app("web"), signal), []);
    const [published] = await store.publishing.published(setOrigin("web"), signal);
    assert.equal(published?.desired, undefined);
    assert.equal(published?.draft.clusterId, undefined);
  });

  it("tell of themselves in events", async (store) => {
    await addCluster(store, "a");
    await store.clusters.setMetadata(clusterName("a"), { labels: { e: "1" } }, atMs, signal);
    await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
    assert.deepEqual(await newsSince(store, 0), [
      "cluster-added a",
      "cluster-changed a",
      "cluster-removed a",
    ]);
    const [, , removed] = await store.events.since(0, 10, signal);
    assert.equal(removed?.message, "removed by ann");
  });

  const labelRows: readonly {
    readonly selector: readonly Requirement[];
    readonly expect: readonly string[];
  }[] = [
    { selector: [], expect: ["a", "b", "c"] },
    { selector: [{ key: "env", operator: "In", values: ["dev"] }], expect: ["a"] },
    { selector: [{ key: "env", operator: "In", values: ["dev", "prod"] }], expect: ["a", "b"] },
    { selector: [{ key: "env", operator: "In", values: [] }], expect: [] },
    { selector: [{ key: "env", operator: "NotIn", values: ["dev"] }], expect: ["b", "c"] },
    { selector: [{ key: "env", operator: "NotIn", values: [] }], expect: ["a", "b", "c"] },
    { selector: [{ key: "env", operator: "Exists", values: [] }], expect: ["a", "b"] },
    { selector: [{ key: "env", operator: "DoesNotExist", values: [] }], expect: ["c"] },
    { selector: [{ key: "ring", operator: "Gt", values: ["2"] }], expect: ["b"] },
    { selector: [{ key: "ring", operator: "Lt", values: ["10"] }], expect: ["a"] },
    { selector: [{ key: "ring", operator: "Gt", values: ["two"] }], expect: [] },
    {
      selector: [
        { key: "env", operator: "Exists", values: [] },
        { key: "ring", operator: "NotIn", values: ["2"] },
      ],
      expect: ["b"],
    },
  ];
  for (const { selector, expect } of labelRows) {
    const title = selector.map((r) => `${r.key} ${r.operator} ${r.values.join(",")}`).join("; ");
    it(`are selected by labels: ${title || "everything"}`, async (store) => {
      await addCluster(store, "a", { env: "dev", ring: "2" });
      await addCluster(store, "b", { env: "prod", ring: "10" });
      await addCluster(store, "c", { ring: "many" });
      const page = await store.clusters.list({ selector }, { limit: 10, after: undefined }, signal);
      assert.deepEqual(
        page.items.map(({ name }) => name),
        expect,
      );
    });
  }

  it("are listed by connection, and by part of the name in any case", async (store) => {
    for (const name of ["prod-eu-1", "prod-us-1", "dev-1"]) await addCluster(store, name);
    await openSession(store, clusterId("prod-us-1"));
    const names = async (filter: Parameters<Store["clusters"]["list"]>[0]) =>
      (await store.clusters.list(filter, { limit: 10, after: undefined }, signal)).items.map(
        ({ name }) => name,
      );
    assert.deepEqual(await names({ connection: "attached" }), ["prod-us-1"]);
    assert.deepEqual(await names({ connection: "never-joined" }), ["dev-1", "prod-eu-1"]);
    assert.deepEqual(await names({ text: "PROD" }), ["prod-eu-1", "prod-us-1"]);
    assert.deepEqual(await names({ text: "-1" }), ["dev-1", "prod-eu-1", "prod-us-1"]);
    assert.deepEqual(await names({ text: "s-1" }), ["prod-us-1"]);
    assert.deepEqual(await names({ text: "ro%1" }), []);
  });

  it("page without skipping or repeating what stays", async (store) => {
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await addCluster(store, name);
    const list = (page: { limit: number; after: string | undefined }) =>
      store.clusters.list({}, page, signal);
    assert.deepEqual(
      (await allPages(list, 2)).map(({ name }) => name),
      names,
    );
    const first = await list({ limit: 2, after: undefined });
    await store.clusters.remove(clusterName("b"), "ann", atMs, signal);
    await addCluster(store, "bb");
    const second = await list({ limit: 2, after: first.next });
    assert.deepEqual(
      second.items.map(({ name }) => name),
      ["bb", "c"],
    );
    assert.equal((await list({ limit: 5, after: undefined })).next, undefined);
  });

  it("refuse a cursor that is not theirs", async (store) => {
    const list = (after: string) => store.clusters.list({}, { limit: 1, after }, signal);
    for (const after of ["nonsense", "", Buffer.from('["clusters",false]').toString("base64url")])
      await assert.rejects(async () => list(after), BadCursor);
  });
}
