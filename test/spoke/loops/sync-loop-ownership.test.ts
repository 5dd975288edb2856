import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, summary } from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";
import { benchesOfSuite, extra, settings } from "./shop.ts";

suite("sync loop: ownership", () => {
  const bench = benchesOfSuite();

  test("a stranger's object that differs is refused, left alone, and tried again without haste", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    cluster.put({
      ...configMap("settings", { color: "green" }),
      metadata: { name: "settings", namespace: "shop" },
    });
    const held = heldSet([
      application({ manifests: [configMap("settings"), configMap("extra")] }, disk),
    ]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "green" });
    assert.ok(cluster.object(extra) !== undefined, "the others are applied");
    const report = spoke.reports.get("shop");
    assert.equal(report?.syncStatus, "OutOfSync");
    assert.equal(report?.operation?.phase, "Failed");
    assert.deepEqual(report?.conditions, [
      {
        code: "WH-APP-1017",
        message:
          "ConfigMap shop/settings: exists and is not ours: its field managers are kubectl-create; left alone unless its manifest says wheelhouse.dev/adopt: always",
      },
    ]);
    cluster.forgetRequests();
    await spoke.settle(3_600_000);
    assert.deepEqual(cluster.writes(), []);
    assert.ok(cluster.requests.length < 60, `${cluster.requests.length} requests in an hour`);
    cluster.delete(settings);
    await spoke.settle(180_000);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
  });

  test("a stranger's object that says the same is adopted", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const { uid } = cluster.put({
      ...configMap("settings"),
      metadata: { name: "settings", namespace: "shop" },
    }).metadata;
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
    assert.equal(cluster.object(settings)?.metadata.uid, uid);
  });

  test("another tool's object is refused by the tool's name", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const annotations = { "argocd.argoproj.io/tracking-id": "x" };
    cluster.put({
      ...configMap("settings"),
      metadata: { name: "settings", namespace: "shop", annotations },
    });
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.deepEqual(cluster.writes(), []);
    assert.match(spoke.reports.get("shop")?.conditions[0]?.message ?? "", /Argo CD manages it/);
  });
});
