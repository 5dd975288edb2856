import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, tombstone } from "../../support/spoke-bench.ts";
import { configMap, definition } from "./manifests.ts";
import { benchesOfSuite, setFinalizers, settings, shopManifests } from "./shop.ts";

suite("sync loop: tombstones", () => {
  const bench = benchesOfSuite();

  test("remove everything in reverse, namespaces last, and say when it is gone", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(
      heldSet([application({ manifests: [...shopManifests, definition()] }, disk)]),
    );
    await spoke.settle();
    setFinalizers(cluster, settings, ["example.com/hold"]);
    await spoke.settle();
    cluster.forgetRequests();
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 2)]));
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), [
      "delete apps/Deployment/shop/web",
      "delete /Service/shop/web",
      "delete /ConfigMap/shop/settings",
    ]);
    assert.deepEqual(spoke.removed, []);
    assert.equal(spoke.reports.get("shop")?.health.message, "is being removed");
    // Not the order's own number: a hub would take that for something held that is newer than the order.
    assert.equal(spoke.reports.get("shop")?.storedGeneration, 1);
    setFinalizers(cluster, settings, []);
    await spoke.settle();
    assert.deepEqual(spoke.removed, ["shop 2"]);
    assert.equal(spoke.reports.get("shop"), undefined);
    assert.deepEqual(
      cluster.objects().map(({ kind }) => kind),
      ["CustomResourceDefinition"],
      "a definition takes everybody's objects with it, so it stays",
    );
    assert.equal(cluster.inventoryContent.has("shop"), false);
  });

  test("that say something else under the same number are followed from there", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([application({ manifests: shopManifests }, disk)]),
    });
    await spoke.settle();
    setFinalizers(cluster, settings, ["example.com/hold"]);
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 2)]));
    await spoke.settle(60_000);
    assert.deepEqual(spoke.removed, [], "the finalizer holds it");
    // A hub that was restored orders anew, and does not remember that it had ordered already.
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 2, true)]));
    await spoke.settle();
    assert.deepEqual(spoke.removed, ["shop 2"]);
    assert.equal(cluster.inventoryContent.has("shop"), false);
  });

  test("with keepObjects forget and touch nothing", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([application({ manifests: [configMap("settings")] }, disk)]),
    });
    await spoke.settle();
    cluster.forgetRequests();
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 2, true)]));
    await spoke.settle();
    assert.deepEqual(cluster.requests, []);
    assert.deepEqual(cluster.inventoryWrites, ["forget shop"]);
    assert.deepEqual(spoke.removed, ["shop 2"]);
  });

  test("are carried on after a restart, and leave what another application has in a namespace", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const shop = application({ manifests: shopManifests }, disk);
    const guest = application({ name: "guest", manifests: [configMap("guest")] }, disk);
    const first = bench({ cluster, disk, held: heldSet([shop, guest]) });
    await first.settle(60_000);
    assert.equal(first.reports.get("guest")?.syncStatus, "Synced");
    await first.stop();
    const second = bench({ cluster, disk, held: heldSet([guest], [tombstone("shop", 2)]) });
    await second.settle();
    assert.deepEqual(second.removed, ["shop 2"]);
    assert.deepEqual(
      cluster.objects().map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ["Namespace shop", "ConfigMap guest"],
    );
  });
});
