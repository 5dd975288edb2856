import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ServiceAccount } from "../../../proto/words/service-account.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  order,
  summary,
  tombstone,
} from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";
import { benchesOfSuite, settings } from "./shop.ts";

const deployer = "shop:deployer" as ServiceAccount;

const aboutObjects = (request: string): boolean => !request.startsWith("watch ");

suite("an application with a service account", () => {
  const bench = benchesOfSuite();

  test("is looked after with that account's rights in every request about objects", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    // Somebody made it before, so that there is a dry run too.
    cluster.put({ ...configMap("settings"), metadata: { name: "settings", namespace: "shop" } });
    const disk = newDisk();
    const manifests = [deployment("web"), configMap("settings"), configMap("extra")];
    const made = { ...application({ manifests }, disk), serviceAccount: deployer };
    const spoke = bench({ cluster, disk, held: heldSet([made]) });
    await spoke.settle();
    // A later bundle prunes, a command reads all again, an edit by hand is repaired.
    const later = application({ manifests: manifests.slice(0, 2), generation: 2 }, disk);
    spoke.loop.setHeld(heldSet([{ ...later, serviceAccount: deployer }]));
    await spoke.settle();
    spoke.loop.command(order("refresh", "shop"));
    cluster.delete(settings);
    await spoke.settle(60_000);
    const requests = cluster.requests.filter(aboutObjects);
    for (const verb of ["apply ", "delete ", "dry-run ", "get "])
      assert.ok(
        requests.some((request) => request.startsWith(verb)),
        verb,
      );
    assert.equal(cluster.actors.length, requests.length);
    assert.deepEqual(new Set(cluster.actors), new Set([deployer]));
  });

  test("is removed with them too, also by a spoke that knows nothing but the order", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const made = application({ manifests: [configMap("settings")] }, disk);
    const first = bench({ cluster, disk, held: heldSet([{ ...made, serviceAccount: deployer }]) });
    await first.settle();
    await first.stop();
    cluster.forgetRequests();
    const removal = { ...tombstone("shop", 2), serviceAccount: deployer };
    const second = bench({ cluster, disk, held: heldSet([], [removal]) });
    await second.settle();
    assert.deepEqual(second.removed, ["shop 2"]);
    assert.equal(cluster.object(settings), undefined);
    const requests = cluster.requests.filter(aboutObjects);
    assert.ok(requests.length > 0);
    assert.deepEqual(
      cluster.actors,
      requests.map(() => deployer),
    );
  });

  test("says what is not permitted, alone, and goes on once it is", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const denial = 'configmaps "settings" is forbidden: User "x" cannot get resource "configmaps"';
    cluster.denied.set(deployer, denial);
    const made = application({ manifests: [configMap("settings")] }, disk);
    const other = application({ name: "other", manifests: [configMap("extra")] }, disk);
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([{ ...made, serviceAccount: deployer }, other]),
    });
    await spoke.settle();
    assert.deepEqual(spoke.reports.get("shop")?.conditions, [
      { code: "WH-APP-1030", message: `not permitted: ${denial}` },
    ]);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Unknown");
    assert.equal(
      summary(spoke.reports.get("other")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
    assert.equal(cluster.object(settings), undefined);
    // It is said for as long as it lasts, through every attempt.
    await spoke.settle(30_000);
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1030");
    cluster.denied.clear();
    await spoke.settle(240_000);
    assert.deepEqual(spoke.reports.get("shop")?.conditions, []);
    assert.ok(cluster.object(settings) !== undefined);
  });

  test("says so while it is being removed", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const made = application({ manifests: [configMap("settings")] }, disk);
    const spoke = bench({ cluster, disk, held: heldSet([{ ...made, serviceAccount: deployer }]) });
    await spoke.settle();
    cluster.denied.set(deployer, "no");
    const removal = { ...tombstone("shop", 2), serviceAccount: deployer };
    spoke.loop.setHeld(heldSet([], [removal]));
    await spoke.settle();
    assert.deepEqual(spoke.removed, []);
    assert.deepEqual(spoke.reports.get("shop")?.conditions, [
      { code: "WH-APP-1030", message: "not permitted: no" },
    ]);
    cluster.denied.clear();
    await spoke.settle(240_000);
    assert.deepEqual(spoke.removed, ["shop 2"]);
  });

  test("another account for the same objects changes nothing in the cluster", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const manifests = [configMap("settings")];
    const spoke = bench({ cluster, disk, held: heldSet([application({ manifests }, disk)]) });
    await spoke.settle();
    cluster.forgetRequests();
    const next = application({ manifests, generation: 2 }, disk);
    spoke.loop.setHeld(heldSet([{ ...next, serviceAccount: deployer }]));
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.equal(
      summary(spoke.reports.get("shop"))?.startsWith("Synced Healthy stored=2 applied=2"),
      true,
    );
  });
});
