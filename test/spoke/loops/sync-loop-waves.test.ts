import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, summary } from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";
import { benchesOfSuite, extra, web } from "./shop.ts";

suite("sync loop: sync waves", () => {
  const bench = benchesOfSuite();

  const second = { "argocd.argoproj.io/sync-wave": "1" };

  test("wait for the health of the wave before, without holding anybody up", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
    const disk = newDisk();
    const waved = application(
      { manifests: [deployment("web"), configMap("extra", {}, second)] },
      disk,
    );
    const other = application({ name: "other", manifests: [configMap("settings")] }, disk);
    const settingsOfLoop = { applicationsAtOnceMost: 1 };
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([waved, other]),
      settings: settingsOfLoop,
    });
    await spoke.settle(60_000);
    assert.equal(cluster.object(extra), undefined);
    assert.equal(spoke.reports.get("other")?.syncStatus, "Synced");
    assert.match(
      spoke.reports.get("shop")?.operation?.message ?? "",
      /^waiting for apps\/Deployment shop\/web to be healthy/,
    );
    cluster.forgetRequests();
    await spoke.settle(600_000);
    const looks = cluster.requests.filter((request) => request === "list /Pod shop app=web");
    assert.equal(cluster.requests.length, looks.length, "waiting costs a look at the pods");
    assert.ok(looks.length <= 10, `now and then, not ${looks.length} times in ten minutes`);
    cluster.setStatus(web, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      availableReplicas: 2,
    });
    await spoke.settle();
    assert.ok(cluster.object(extra) !== undefined);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
  });

  test("give up after the deadline, say so, and go on when it turns healthy after all", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
    const disk = newDisk();
    const manifests = [deployment("web"), configMap("extra", {}, second)];
    const spoke = bench({ cluster, disk, held: heldSet([application({ manifests }, disk)]) });
    await spoke.settle(30 * 60_000 + 1_000);
    assert.equal(spoke.reports.get("shop")?.operation?.phase, "Failed");
    assert.match(spoke.reports.get("shop")?.operation?.message ?? "", /^gave up waiting for /);
    cluster.setStatus(web, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      availableReplicas: 2,
    });
    await spoke.settle(60_000);
    assert.ok(cluster.object(extra) !== undefined);
  });

  test("a newer generation takes over from one that waits", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(
      heldSet([
        application(
          { manifests: [deployment("web", "broken"), configMap("extra", {}, second)] },
          disk,
        ),
      ]),
    );
    await spoke.settle(60_000);
    spoke.loop.setHeld(
      heldSet([application({ manifests: [configMap("settings")], generation: 2 }, disk)]),
    );
    await spoke.settle();
    assert.equal(cluster.object(web), undefined);
    assert.equal(cluster.object(extra), undefined);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=2 applied=2 healthy=2 Succeeded",
    );
  });
});
