import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  order,
  resourceLines,
  summary,
  type SpokeBench,
} from "../../support/spoke-bench.ts";
import { configMap, deployment, namespace } from "./manifests.ts";
import { benchesOfSuite, extra, web } from "./shop.ts";

suite("sync loop: pruning", () => {
  const bench = benchesOfSuite();

  const both = [deployment("web"), configMap("settings"), configMap("extra")];
  const one = [deployment("web"), configMap("settings")];

  async function afterRemovalOfExtra(
    policy: object,
    options: { readonly spoil?: boolean } = {},
  ): Promise<{
    cluster: ReturnType<typeof fakeCluster>;
    spoke: SpokeBench;
    disk: ReturnType<typeof newDisk>;
  }> {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: both, policy }, disk)]));
    await spoke.settle();
    if (options.spoil === true)
      cluster.setStatus(web, { observedGeneration: 1, updatedReplicas: 0 });
    spoke.loop.setHeld(heldSet([application({ manifests: one, policy, generation: 2 }, disk)]));
    await spoke.settle(60_000);
    return { cluster, spoke, disk };
  }

  test("waits while the application is not healthy, and comes when it is", async () => {
    const { cluster, spoke } = await afterRemovalOfExtra({}, { spoil: true });
    assert.ok(cluster.object(extra) !== undefined);
    assert.equal(spoke.reports.get("shop")?.operation?.phase, "Running");
    assert.match(spoke.reports.get("shop")?.operation?.message ?? "", /before anything is pruned/);
    assert.deepEqual(spoke.acks.at(-1), { kind: "applied", application: "shop", generation: 2 });
    cluster.setStatus(web, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      availableReplicas: 2,
    });
    await spoke.settle();
    assert.equal(cluster.object(extra), undefined);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=2 applied=2 healthy=2 Succeeded",
    );
  });

  test("is off unless the policy says so, and what waits for it is told", async () => {
    const { cluster, spoke } = await afterRemovalOfExtra({ prune: false });
    assert.ok(cluster.object(extra) !== undefined);
    assert.deepEqual(
      resourceLines(spoke.reports.get("shop"))[0],
      "OutOfSync - /ConfigMap/shop/extra awaits prune no longer wanted, but pruning is off: sync with prune to remove it",
    );
  });

  test("does not happen when something could not be applied", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: both }, disk)]));
    await spoke.settle();
    cluster.setApplyHook(({ kind }) =>
      kind === "Deployment"
        ? {
            kind: "rejected",
            status: 422,
            reason: "Invalid",
            message: "spec.selector: field is immutable",
          }
        : undefined,
    );
    const broken = [deployment("web", "web:2"), configMap("settings")];
    spoke.loop.setHeld(heldSet([application({ manifests: broken, generation: 2 }, disk)]));
    await spoke.settle(600_000);
    assert.ok(cluster.object(extra) !== undefined);
    const report = spoke.reports.get("shop");
    assert.equal(summary(report), "OutOfSync Healthy stored=2 applied=1 healthy=1 Failed");
    assert.deepEqual(report?.conditions, [
      {
        code: "WH-APP-1010",
        message:
          "apps/Deployment shop/web: refused by the API server: Invalid: spec.selector: field is immutable",
      },
    ]);
    cluster.setApplyHook(undefined);
    await spoke.settle(180_000);
    assert.equal(cluster.object(extra), undefined, "the next try goes through");
  });

  test("an empty bundle removes nothing unless the policy allows it", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: one }, disk)]));
    await spoke.settle();
    spoke.loop.setHeld(heldSet([application({ manifests: [], generation: 2 }, disk)]));
    await spoke.settle(600_000);
    assert.ok(cluster.object(web) !== undefined);
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1023");
    assert.equal(spoke.reports.get("shop")?.appliedGeneration, 1);
    const policy = { allowEmpty: true };
    spoke.loop.setHeld(heldSet([application({ manifests: [], generation: 3, policy }, disk)]));
    await spoke.settle();
    assert.deepEqual(cluster.objects(), []);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("spares protected kinds until an order confirms it, and objects that forbid it always", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    const never = configMap("never", {}, { "argocd.argoproj.io/sync-options": "Prune=false" });
    const manifests = [namespace("side"), never, configMap("settings")];
    spoke.loop.setHeld(heldSet([application({ manifests }, disk)]));
    await spoke.settle();
    const left = [configMap("settings")];
    spoke.loop.setHeld(heldSet([application({ manifests: left, generation: 2 }, disk)]));
    await spoke.settle(60_000);
    assert.deepEqual(resourceLines(spoke.reports.get("shop")), [
      "OutOfSync - /ConfigMap/shop/never awaits prune no longer wanted, but it says that it must not be pruned",
      "Synced - /ConfigMap/shop/settings",
      "OutOfSync - /Namespace//side awaits prune no longer wanted, but removing it takes a sync with prune, or the sync option Prune=true on the object",
    ]);
    spoke.loop.command(order("sync", "shop", { prune: true }));
    await spoke.settle();
    assert.equal(cluster.object(keyOf("v1", "Namespace", "", "side")), undefined);
    assert.ok(cluster.object(keyOf("v1", "ConfigMap", "shop", "never")) !== undefined);
  });

  test("of an object that was replaced behind our back leaves the new one alone", async () => {
    const { cluster, spoke, disk } = await afterRemovalOfExtra({ prune: false });
    cluster.delete(extra);
    cluster.put({ ...configMap("extra"), metadata: { name: "extra", namespace: "shop" } });
    spoke.loop.setHeld(heldSet([application({ manifests: one, generation: 3 }, disk)]));
    await spoke.settle();
    assert.ok(cluster.object(extra) !== undefined);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });
});
