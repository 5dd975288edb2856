import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  hubId,
  newDisk,
  resourceLines,
  summary,
} from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";
import { benchesOfSuite, settings, shopManifests, web } from "./shop.ts";

suite("sync loop", () => {
  const bench = benchesOfSuite();

  test("brings an application into the cluster, in order, and says so", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const held = heldSet([application({ manifests: shopManifests }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.deepEqual(cluster.writes(), [
      "apply /Namespace//shop",
      "apply /ConfigMap/shop/settings",
      "apply /Service/shop/web",
      "apply apps/Deployment/shop/web",
    ]);
    assert.deepEqual(cluster.inventoryWrites, ["write shop", "write shop"]);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
    assert.deepEqual(resourceLines(spoke.reports.get("shop")), [
      "Synced - /ConfigMap/shop/settings",
      "Synced - /Namespace//shop",
      "Synced Healthy /Service/shop/web",
      "Synced Healthy apps/Deployment/shop/web",
    ]);
    assert.deepEqual(spoke.acks, [
      { kind: "applied", application: "shop", generation: 1 },
      { kind: "healthy", application: "shop", generation: 1, atMs: spoke.clock.nowMs() },
    ]);
    assert.equal(
      cluster.object(web)?.metadata.annotations?.[trackingAnnotation],
      `${hubId}/shop/apps/Deployment/shop/web`,
    );
  });

  test("makes no request at all while nothing moves, and none but lists and watches after a restart", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const held = heldSet([application({ manifests: shopManifests }, disk)]);
    const first = bench({ cluster, disk, held });
    await first.settle();
    cluster.forgetRequests();
    await first.settle(24 * 3_600_000);
    assert.deepEqual(cluster.requests, []);
    await first.stop();

    const second = bench({ cluster, disk, held });
    await second.settle(60_000);
    assert.ok(
      cluster.requests.every((request: string) => request.startsWith("watch ")),
      "only watches",
    );
    assert.deepEqual(cluster.inventoryWrites, []);
    assert.equal(
      summary(second.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 -",
    );
  });

  test("applies only what changed, and prunes only what left the bundle", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    const manifests = [deployment("web"), configMap("settings"), configMap("extra")];
    spoke.loop.setHeld(heldSet([application({ manifests }, disk)]));
    await spoke.settle();
    cluster.forgetRequests();
    const changed = [deployment("web", "web:2"), configMap("settings")];
    spoke.loop.setHeld(heldSet([application({ manifests: changed, generation: 2 }, disk)]));
    await spoke.settle();
    assert.deepEqual(cluster.writes(), [
      "apply apps/Deployment/shop/web",
      "delete /ConfigMap/shop/extra",
    ]);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=2 applied=2 healthy=2 Succeeded",
    );
    assert.deepEqual(
      [...(cluster.inventoryContent.get("shop") ?? [])].map(({ key }) => key),
      [settings, web],
    );
    assert.deepEqual(spoke.reports.get("shop")?.resources[1]?.images, ["web:2"]);
  });
});
