import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  spokeBench,
  summary,
  tombstone,
  type SpokeBench,
} from "../../support/spoke-bench.ts";
import { configMap, namespace } from "./manifests.ts";

const shop = keyOf("v1", "Namespace", "", "shop");
const settings = keyOf("v1", "ConfigMap", "shop", "settings");
const blocker = keyOf("v1", "ConfigMap", "shop", "blocker");
const remaining = "Some content has finalizers remaining: example.com/hold in 1 resource instances";
const whole = `${remaining}; the namespace itself has finalizers example.com/last`;

let spoke: SpokeBench;

/** A namespace that is deleted while a finalizer of somebody else holds something in it. */
async function stuck(
  manifests: readonly ReturnType<typeof configMap>[],
  options: { readonly mayReadNamespaces?: boolean } = {},
) {
  const clock = fakeClock();
  const cluster = fakeCluster({ namespaces: ["shop"], nowMs: clock.nowMs });
  const disk = newDisk();
  cluster.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "blocker", namespace: "shop", finalizers: ["example.com/hold"] },
  });
  const held = heldSet([application({ manifests }, disk)]);
  const { get } = cluster.api;
  const api = {
    ...cluster.api,
    get: (async (key, signal) => {
      if (key === shop && options.mayReadNamespaces === false)
        throw new ApiServerUnavailable("namespaces is forbidden");
      return get(key, signal);
    }) satisfies typeof get,
  };
  spoke = spokeBench({ cluster, api, disk, held, clock });
  await spoke.settle();
  cluster.edit(shop, (object) => {
    object["metadata"] = { ...(object["metadata"] as object), finalizers: ["example.com/last"] };
  });
  cluster.delete(shop);
  cluster.setStatus(shop, {
    phase: "Terminating",
    conditions: [
      { type: "NamespaceContentRemaining", status: "False", message: "no" },
      { type: "NamespaceFinalizersRemaining", status: "True", message: remaining },
    ],
  });
  const release = (): void => {
    for (const key of [blocker, shop])
      cluster.edit(key, (object) => {
        const { finalizers: _gone, ...metadata } = object["metadata"] as Record<string, unknown>;
        object["metadata"] = metadata;
      });
  };
  const conditions = () =>
    (spoke.reports.get("shop")?.conditions ?? []).map(({ code, message }) => `${code} ${message}`);
  return { cluster, disk, release, conditions };
}

suite("a namespace stuck in its deletion", () => {
  test.afterEach(() => spoke.stop());

  const explained = `namespace "shop" is being deleted: ${whole}; goes on by itself once it is gone`;

  test("is explained and waited for without a request, when it is ours", async () => {
    const { cluster, release, conditions } = await stuck([
      namespace("shop"),
      configMap("settings"),
    ]);
    await spoke.settle(5_000);
    cluster.forgetRequests();
    await spoke.settle(25 * 60_000);
    assert.deepEqual(cluster.requests, [], "its watch will tell");
    assert.deepEqual(conditions(), [
      `WH-APP-1027 ConfigMap shop/settings: ${explained}`,
      `WH-APP-1027 Namespace shop: ${explained}`,
    ]);
    const report = spoke.reports.get("shop");
    assert.equal(report?.health.state, "Degraded");
    assert.equal(report?.operation?.message, `waiting for Namespace shop to be gone (${whole})`);
    release();
    await spoke.settle();
    assert.ok(cluster.object(settings) !== undefined);
    assert.deepEqual(conditions(), []);
    assert.match(summary(spoke.reports.get("shop")), /^Synced Healthy/);
  });

  test("is asked about now and then, when it is not ours", async () => {
    const { cluster, release, conditions } = await stuck([configMap("settings")]);
    await spoke.settle(5_000);
    cluster.forgetRequests();
    await spoke.settle(10 * 60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.deepEqual([...new Set(cluster.requests)], ["get /Namespace//shop"]);
    assert.ok(cluster.requests.length <= 23, `${cluster.requests.length} requests in ten minutes`);
    assert.deepEqual(conditions(), [`WH-APP-1027 ConfigMap shop/settings: ${explained}`]);
    release();
    cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    await spoke.settle(31_000);
    assert.ok(cluster.object(settings) !== undefined, "it goes on by itself");
    assert.deepEqual(conditions(), []);
  });

  test("is tried again now and then, where namespaces may not be read", async () => {
    const { cluster, release, conditions } = await stuck([configMap("settings")], {
      mayReadNamespaces: false,
    });
    await spoke.settle(5_000);
    cluster.forgetRequests();
    await spoke.settle(10 * 60_000);
    const tries = cluster.writes().length;
    assert.ok(tries > 0 && tries <= 21, `${tries} applies in ten minutes`);
    assert.match(
      conditions()[0] ?? "",
      /^WH-APP-1027 .*namespace "shop" is being deleted; goes on/,
    );
    release();
    cluster.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    await spoke.settle(31_000);
    assert.ok(cluster.object(settings) !== undefined);
    assert.deepEqual(conditions(), []);
  });

  test("is explained beside an object of the same wave that fails", async () => {
    const other = configMap("other");
    const elsewhere = { ...other, metadata: { ...other.metadata, namespace: "default" } };
    const { cluster, conditions } = await stuck([
      namespace("shop"),
      configMap("settings"),
      elsewhere,
    ]);
    cluster.setApplyHook(({ metadata }) =>
      metadata.name === "other"
        ? { kind: "rejected", status: 422, reason: "Invalid", message: "too odd" }
        : undefined,
    );
    cluster.delete(keyOf("v1", "ConfigMap", "default", "other"));
    await spoke.settle(60_000);
    assert.match(spoke.reports.get("shop")?.operation?.message ?? "", /default\/other: .*too odd/);
    assert.partialDeepStrictEqual(
      new Set(conditions()),
      new Set([
        `WH-APP-1027 ConfigMap shop/settings: ${explained}`,
        `WH-APP-1027 Namespace shop: ${explained}`,
      ]),
    );
  });

  test("hides no failure of an object that is in it", async () => {
    const { cluster, conditions } = await stuck([configMap("odd"), configMap("settings")]);
    cluster.setApplyHook(({ metadata }) =>
      metadata.name === "odd"
        ? { kind: "rejected", status: 422, reason: "Invalid", message: "too odd" }
        : undefined,
    );
    await spoke.settle(1_000);
    const said = conditions().join("\n");
    assert.match(said, /ConfigMap shop\/odd: .*too odd/);
    assert.ok(said.includes(`WH-APP-1027 ConfigMap shop/settings: ${explained}`), said);
  });

  test("is explained while its application is being removed", async () => {
    const { release, conditions, cluster } = await stuck([
      namespace("shop"),
      configMap("settings"),
    ]);
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 2)]));
    await spoke.settle(5_000);
    const report = spoke.reports.get("shop");
    assert.deepEqual(conditions(), [`WH-APP-1027 Namespace shop: ${explained}`]);
    assert.match(
      report?.operation?.message ?? "",
      /Namespace shop to be gone \(.*example\.com\/hold/,
    );
    release();
    await spoke.settle();
    assert.deepEqual(spoke.removed, ["shop 2"]);
    assert.equal(cluster.object(shop), undefined);
  });
});
