import assert from "node:assert/strict";
import { BadCursor } from "../../../hub/domain/queries.ts";
import type { Store } from "../../../hub/store/store.ts";
import {
  addCluster,
  allPages,
  app,
  atMs,
  draft,
  plainOrigin,
  publish,
  putBundle,
  record,
  report,
  setOrigin,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function applicationCases(it: Case): void {
  /** Six applications: web and api in dev-1 and prod-1, one nowhere, one plain. */
  const fleet = async (store: Store) => {
    const dev = await addCluster(store, "dev-1", { env: "dev" });
    const prod = await addCluster(store, "prod-1", { env: "prod", ring: "3" });
    const bundle = await putBundle(store, { one: 1 });
    const problem = { code: "WH-DST-3501", message: "no such cluster", sinceMs: atMs };
    await publish(store, [
      write("web-dev-1", dev, bundle, { draft: { labels: { tier: "front", size: "1" } } }),
      write("web-prod-1", prod, bundle, { draft: { labels: { tier: "front", size: "5" } } }),
      {
        kind: "write",
        record: draft("web-nowhere", { problem }),
        desired: undefined,
        leaves: undefined,
      },
    ]);
    const api = { origin: setOrigin("api"), project: "core", labels: { tier: "back" } };
    await publish(
      store,
      [
        write("api-dev-1", dev, bundle, { draft: api }),
        write("api-prod-1", prod, bundle, { draft: api, entry: { revision: "c9" } }),
      ],
      { origin: setOrigin("api"), atMs: atMs + 1 },
    );
    const origin = plainOrigin("tool");
    await publish(store, [write("tool", dev, bundle, { draft: { origin } })], {
      origin,
      atMs: atMs + 2,
    });
    await record(store, dev, [
      report("web-dev-1"),
      report("api-dev-1", { health: { state: "Degraded", message: "" } }),
    ]);
    await record(store, prod, [report("web-prod-1", { syncStatus: "OutOfSync" })]);
  };
  type Filter = Parameters<Store["applications"]["list"]>[0];
  type Sort = Parameters<Store["applications"]["list"]>[1];
  const byName: Sort = { by: "name", descending: false };

  const rows: readonly { readonly filter: Filter; readonly expect: readonly string[] }[] = [
    {
      filter: {},
      expect: ["api-dev-1", "api-prod-1", "tool", "web-dev-1", "web-nowhere", "web-prod-1"],
    },
    { filter: { cluster: "dev-1" }, expect: ["api-dev-1", "tool", "web-dev-1"] },
    { filter: { cluster: "no-such" }, expect: [] },
    { filter: { cluster: "" }, expect: [] },
    { filter: { set: "api" }, expect: ["api-dev-1", "api-prod-1"] },
    { filter: { set: "tool" }, expect: [] },
    { filter: { project: "core" }, expect: ["api-dev-1", "api-prod-1"] },
    { filter: { revision: "c9" }, expect: ["api-prod-1"] },
    { filter: { troubled: true }, expect: ["web-nowhere"] },
    { filter: { syncStatus: ["Synced"] }, expect: ["api-dev-1", "web-dev-1"] },
    {
      filter: { syncStatus: ["Synced", "OutOfSync"], cluster: "prod-1" },
      expect: ["web-prod-1"],
    },
    { filter: { syncStatus: [] }, expect: [] },
    { filter: { health: ["Degraded"] }, expect: ["api-dev-1"] },
    {
      filter: { health: ["Healthy", "Degraded"] },
      expect: ["api-dev-1", "web-dev-1", "web-prod-1"],
    },
    { filter: { text: "WEB" }, expect: ["web-dev-1", "web-nowhere", "web-prod-1"] },
    { filter: { text: "d-1" }, expect: ["api-prod-1", "web-prod-1"] },
    { filter: { text: "oo" }, expect: ["tool"] },
    { filter: { text: "_" }, expect: [] },
    { filter: { text: 'a"b' }, expect: [] },
    {
      filter: { selector: [{ key: "tier", operator: "In", values: ["front"] }] },
      expect: ["web-dev-1", "web-prod-1"],
    },
    {
      filter: { selector: [{ key: "size", operator: "Gt", values: ["1"] }] },
      expect: ["web-prod-1"],
    },
    {
      filter: { selector: [{ key: "tier", operator: "DoesNotExist", values: [] }] },
      expect: ["tool", "web-nowhere"],
    },
    {
      filter: { clusterSelector: [{ key: "env", operator: "In", values: ["prod"] }] },
      expect: ["api-prod-1", "web-prod-1"],
    },
    {
      filter: { clusterSelector: [{ key: "ring", operator: "DoesNotExist", values: [] }] },
      expect: ["api-dev-1", "tool", "web-dev-1"],
    },
    {
      filter: {
        clusterSelector: [{ key: "env", operator: "Exists", values: [] }],
        selector: [{ key: "tier", operator: "NotIn", values: ["front"] }],
        text: "1",
      },
      expect: ["api-dev-1", "api-prod-1"],
    },
  ];
  it("are found by every filter, in every order, in pages of any size", async (store) => {
    await fleet(store);
    for (const { filter, expect } of rows) {
      for (const by of ["name", "cluster", "health", "sync", "changed"] as const) {
        for (const descending of [false, true]) {
          const list = (page: { limit: number; after: string | undefined }) =>
            store.applications.list(filter, { by, descending }, page, signal);
          for (const limit of [1, 2, 100]) {
            const names = (await allPages(list, limit)).map(({ name }) => name);
            const label = `${JSON.stringify(filter)} by ${by}, ${limit} at a time`;
            assert.deepEqual(names.toSorted(), expect, label);
          }
        }
      }
    }
  });

  const orders: readonly { readonly sort: Sort; readonly expect: readonly string[] }[] = [
    {
      sort: { by: "name", descending: true },
      expect: ["web-prod-1", "web-nowhere", "web-dev-1", "tool", "api-prod-1", "api-dev-1"],
    },
    {
      sort: { by: "cluster", descending: false },
      expect: ["web-nowhere", "api-dev-1", "tool", "web-dev-1", "api-prod-1", "web-prod-1"],
    },
    {
      sort: { by: "health", descending: true },
      expect: ["web-nowhere", "tool", "api-prod-1", "api-dev-1", "web-prod-1", "web-dev-1"],
    },
    {
      sort: { by: "sync", descending: false },
      expect: ["api-dev-1", "web-dev-1", "web-prod-1", "api-prod-1", "tool", "web-nowhere"],
    },
    {
      sort: { by: "changed", descending: true },
      expect: ["tool", "api-prod-1", "api-dev-1", "web-prod-1", "web-nowhere", "web-dev-1"],
    },
  ];
  for (const { sort, expect } of orders) {
    it(`are sorted by ${sort.by}${sort.descending ? ", last first" : ""}`, async (store) => {
      await fleet(store);
      const list = (page: { limit: number; after: string | undefined }) =>
        store.applications.list({}, sort, page, signal);
      assert.deepEqual(
        (await allPages(list, 2)).map(({ name }) => name),
        expect,
      );
    });
  }

  it("refuse a cursor of another order", async (store) => {
    await fleet(store);
    const first = await store.applications.list({}, byName, { limit: 1, after: undefined }, signal);
    const page = { limit: 1, after: first.next };
    for (const sort of [
      { by: "changed", descending: false },
      { by: "name", descending: true },
    ] as const)
      await assert.rejects(async () => store.applications.list({}, sort, page, signal), BadCursor);
    await assert.rejects(async () => store.clusters.list({}, page, signal), BadCursor);
  });

  it("lose labels that Git no longer has", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle, { draft: { labels: { tier: "x" } } })]);
    await publish(store, [write("web", cluster, bundle)]);
    const page = await store.applications.list(
      { selector: [{ key: "tier", operator: "Exists", values: [] }] },
      byName,
      { limit: 9, after: undefined },
      signal,
    );
    assert.deepEqual(page.items, []);
    assert.deepEqual((await store.applications.find(app("web"), signal))?.labels, {});
  });
}
