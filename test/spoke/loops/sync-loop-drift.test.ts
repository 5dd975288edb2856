import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, order, resourceLines } from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";
import { benchesOfSuite, settings, web } from "./shop.ts";

suite("sync loop: drift", () => {
  const bench = benchesOfSuite();

  test("is repaired at once, then ever more slowly, and from anew once a repair has held", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    const spoil = () =>
      cluster.edit(settings, (object) => {
        object["data"] = { color: "red" };
      });
    const color = () => cluster.object(settings)?.["data"];

    spoil();
    await spoke.settle();
    assert.deepEqual(color(), { color: "blue" }, "the first repair is immediate");
    for (const pauseMs of [2_000, 6_000, 18_000]) {
      spoil();
      await spoke.settle(pauseMs - 1);
      assert.deepEqual(color(), { color: "red" }, `not yet after ${pauseMs - 1} ms`);
      assert.equal(spoke.reports.get("shop")?.syncStatus, "OutOfSync");
      assert.match(
        spoke.reports.get("shop")?.resources[0]?.message ?? "",
        /^was changed in the cluster by kubectl-edit at /,
      );
      await spoke.settle(1);
      assert.deepEqual(color(), { color: "blue" }, `after ${pauseMs} ms`);
    }
    await spoke.settle(600_000);
    spoil();
    await spoke.settle();
    assert.deepEqual(color(), { color: "blue" }, "the last repair had held");
  });

  test("is told from what does not concern us: other fields, and status", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [deployment("web")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    cluster.forgetRequests();
    cluster.edit(web, (object) => {
      object["spec"] = { ...(object["spec"] as object), revisionHistoryLimit: 3 };
    });
    cluster.setStatus(web, { observedGeneration: 99, replicas: 2, updatedReplicas: 2 });
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.deepEqual(new Set(cluster.requests), new Set(["list /Pod shop app=web"]));
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
    assert.equal(spoke.reports.get("shop")?.health.state, "Progressing");
  });

  test("is only reported without self-heal, until somebody orders a sync", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const policy = { selfHeal: false };
    const held = heldSet([application({ manifests: [configMap("settings")], policy }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    cluster.forgetRequests();
    cluster.delete(settings);
    await spoke.settle(3_600_000);
    assert.deepEqual(cluster.writes(), []);
    assert.deepEqual(resourceLines(spoke.reports.get("shop")), [
      "OutOfSync Missing /ConfigMap/shop/settings was removed from the cluster",
    ]);
    spoke.loop.command(order("sync", "shop"));
    await spoke.settle();
    assert.ok(cluster.object(settings) !== undefined);
    assert.deepEqual(spoke.answers, [
      {
        kind: "command-result",
        id: "sync-shop",
        succeeded: true,
        message: "applied 1, removed 0",
      },
    ]);
  });

  test("of a stripped label is repaired on the same object", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    const uid = cluster.object(settings)?.metadata.uid;
    cluster.edit(settings, (object) => {
      object["metadata"] = { ...(object["metadata"] as object), labels: {} };
    });
    await spoke.settle();
    assert.equal(cluster.object(settings)?.metadata.uid, uid);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });
});
