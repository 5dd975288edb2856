import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import {
  addCluster,
  allPages,
  atMs,
  clusterId,
  clusterName,
  configMap,
  deployment,
  draft,
  openSession,
  publish,
  putBundle,
  record,
  report,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function fleetCases(it: Case): void {
  it("is summed up without and with a label, the rest under the empty value", async (store) => {
    const bundle = await putBundle(store, { one: 1 });
    for (const [name, labels] of [
      ["d1", { env: "dev" }],
      ["d2", { env: "dev" }],
      ["p1", { env: "prod" }],
      ["x1", {}],
      ["e1", { env: "" }],
    ] as const) {
      const cluster = await addCluster(store, name, labels);
      await publish(store, [write(`web-${name}`, cluster, bundle)]);
    }
    await publish(store, [
      { kind: "write", record: draft("nowhere"), desired: undefined, leaves: undefined },
    ]);
    await openSession(store, clusterId("d1"));
    await openSession(store, clusterId("x1"));
    await record(store, clusterId("d1"), [report("web-d1")]);
    const unknown = (total: number) => ({
      total,
      sync: { Unknown: total },
      health: { Unknown: total },
    });
    assert.deepEqual(await store.fleet.summary("env", signal), [
      { value: "", clusters: { total: 2, attached: 1 }, applications: unknown(3) },
      {
        value: "dev",
        clusters: { total: 2, attached: 1 },
        applications: {
          total: 2,
          sync: { Synced: 1, Unknown: 1 },
          health: { Healthy: 1, Unknown: 1 },
        },
      },
      { value: "prod", clusters: { total: 1, attached: 0 }, applications: unknown(1) },
    ]);
    const [whole, ...more] = await store.fleet.summary(undefined, signal);
    assert.deepEqual(more, []);
    assert.deepEqual(whole?.clusters, { total: 5, attached: 2 });
    assert.equal(whole?.applications.total, 6);
  });

  it("is one empty group when there is nothing", async (store) => {
    const nothing = {
      value: "",
      clusters: { total: 0, attached: 0 },
      applications: { total: 0, sync: {}, health: {} },
    };
    assert.deepEqual(await store.fleet.summary(undefined, signal), [nothing]);
    assert.deepEqual(await store.fleet.summary("env", signal), []);
  });

  it("moves the counts of a cluster that is relabelled", async (store) => {
    const cluster = await addCluster(store, "a", { env: "dev" });
    await openSession(store, cluster);
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    await store.clusters.setMetadata(clusterName("a"), { labels: { env: "prod" } }, atMs, signal);
    const groups = await store.fleet.summary("env", signal);
    assert.deepEqual(
      groups.map(({ value, clusters, applications }) => [value, clusters, applications.total]),
      [["prod", { total: 1, attached: 1 }, 1]],
    );
  });

  const resources = async (store: Store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web-a", a, bundle), write("web-b", b, bundle)]);
    await record(store, a, [
      report("web-a", {
        resources: [
          configMap("settings"),
          deployment("web", ["docker.io/nginx:1.27", "docker.io/nginx:1.27-debug"]),
        ],
      }),
    ]);
    await record(store, b, [
      report("web-b", {
        resources: [
          configMap("settings", { syncStatus: "OutOfSync" }),
          { ...deployment("web", ["docker.io/nginx:1.28", "envoy:2"]), health: "Degraded" },
        ],
      }),
    ]);
  };
  const resourceRows = [
    { filter: {}, expect: ["a settings", "a web", "b settings", "b web"] },
    { filter: { image: "docker.io/nginx:1.27" }, expect: ["a web"] },
    { filter: { image: "docker.io/nginx:*" }, expect: ["a web", "b web"] },
    { filter: { image: "nginx" }, expect: [] },
    { filter: { image: "*" }, expect: ["a web", "b web"] },
    { filter: { image: "docker.io/nginx:1.2*", cluster: "b" }, expect: ["b web"] },
    { filter: { kind: "ConfigMap" }, expect: ["a settings", "b settings"] },
    { filter: { group: "apps" }, expect: ["a web", "b web"] },
    { filter: { group: "" }, expect: ["a settings", "b settings"] },
    { filter: { name: "web", namespace: "web" }, expect: ["a web", "b web"] },
    { filter: { namespace: "other" }, expect: [] },
    { filter: { cluster: "a" }, expect: ["a settings", "a web"] },
    { filter: { cluster: "nobody" }, expect: [] },
    { filter: { application: "web-b", kind: "ConfigMap" }, expect: ["b settings"] },
    { filter: { health: ["Degraded"] }, expect: ["b web"] },
    { filter: { health: ["Healthy"] }, expect: ["a web"] },
    { filter: { health: ["Healthy", "Degraded"] }, expect: ["a web", "b web"] },
    { filter: { health: [] }, expect: [] },
  ] as const;
  it("answers which clusters run what, in pages of any size", async (store) => {
    await resources(store);
    for (const { filter, expect } of resourceRows) {
      for (const limit of [1, 3, 100]) {
        const list = (page: { limit: number; after: string | undefined }) =>
          store.fleet.resources(filter, page, signal);
        const found = (await allPages(list, limit)).map(
          ({ cluster, resource }) => `${cluster} ${resource.key.split("/").at(-1) ?? ""}`,
        );
        assert.deepEqual(found, expect, JSON.stringify(filter));
      }
    }
  });

  it("gives a resource as it was reported", async (store) => {
    await resources(store);
    const page = await store.fleet.resources(
      { image: "envoy:2" },
      { limit: 1, after: undefined },
      signal,
    );
    assert.deepEqual(page, {
      items: [
        {
          cluster: "b",
          application: "web-b",
          resource: {
            ...deployment("web", ["docker.io/nginx:1.28", "envoy:2"]),
            health: "Degraded",
          },
        },
      ],
      next: undefined,
    });
  });
}
