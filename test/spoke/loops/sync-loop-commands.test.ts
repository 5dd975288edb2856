import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, order, summary } from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";
import { benchesOfSuite, extra } from "./shop.ts";

suite("sync loop: an application that is not automated", () => {
  const bench = benchesOfSuite();

  test("is compared and reported, and synced only by order", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const policy = { automated: false };
    const held = heldSet([application({ manifests: [configMap("settings")], policy }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "OutOfSync Missing stored=1 applied=0 healthy=0 -",
    );
    spoke.loop.command(order("sync", "shop", { generation: 1 }));
    await spoke.settle();
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
  });

  test("prunes on an order that says so", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const policy = { automated: false, prune: false };
    const spoke = bench({ cluster, disk });
    const both = [configMap("settings"), configMap("extra")];
    spoke.loop.setHeld(heldSet([application({ manifests: both, policy }, disk)]));
    spoke.loop.command(order("sync", "shop"));
    await spoke.settle();
    spoke.loop.setHeld(
      heldSet([application({ manifests: [configMap("settings")], policy, generation: 2 }, disk)]),
    );
    spoke.loop.command(order("sync", "shop", { id: "plain" }));
    await spoke.settle();
    assert.ok(cluster.object(extra) !== undefined);
    assert.equal(spoke.reports.get("shop")?.resources[0]?.awaitsPrune, true);
    spoke.loop.command(order("sync", "shop", { id: "pruning", prune: true }));
    await spoke.settle();
    assert.equal(cluster.object(extra), undefined);
    assert.deepEqual(
      spoke.answers.map(({ id, message }) => `${id}: ${message}`),
      ["sync-shop: applied 2, removed 0", "plain: nothing to do", "pruning: applied 0, removed 1"],
    );
  });
});

suite("sync loop: commands", () => {
  const bench = benchesOfSuite();

  test("that cannot be obeyed are answered with the reason", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    spoke.loop.command(order("sync", "other"));
    spoke.loop.command(order("sync", "shop", { id: "old", generation: 7 }));
    spoke.loop.command(order("sync", "shop", { id: "late", expiresAtMs: 1 }));
    await spoke.settle();
    assert.deepEqual(
      spoke.answers.map(({ id, succeeded, message }) => `${id} ${succeeded} ${message}`),
      [
        "sync-other false this cluster has no application other",
        "old false void: generation 7 was meant, 1 is held",
        "late false expired before it came",
      ],
    );
  });

  test("refresh reads the live objects again and reports in any case", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    cluster.forgetRequests();
    const before = spoke.reportCount();
    spoke.loop.command(order("refresh", "shop"));
    await spoke.settle();
    assert.deepEqual(cluster.requests, ["get /ConfigMap/shop/settings"]);
    assert.equal(spoke.reportCount(), before + 1);
    assert.equal(spoke.answers[0]?.succeeded, true);
  });
});
