import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, summary, tombstone } from "../../support/spoke-bench.ts";
import { configMap, definition, deployment, widget } from "./manifests.ts";
import { benchesOfSuite, settings } from "./shop.ts";

suite("sync loop: kinds and namespaces", () => {
  const bench = benchesOfSuite();

  test("a definition and an object of its kind arrive in one sync", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [widget("one"), definition()] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.deepEqual(cluster.writes(), [
      "apply apiextensions.k8s.io/CustomResourceDefinition//widgets.example.com",
      "apply example.com/Widget/shop/one",
    ]);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
  });

  test("an object waits for its definition to be established, and the rest does not", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
    const disk = newDisk();
    const held = heldSet([
      application({ manifests: [widget("one"), definition(), configMap("settings")] }, disk),
    ]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle(60_000);
    assert.ok(cluster.object(settings) !== undefined);
    assert.equal(cluster.object(keyOf("example.com/v1", "Widget", "shop", "one")), undefined);
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1014");
    cluster.setStatus(
      keyOf("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "widgets.example.com"),
      {
        conditions: [
          { type: "NamesAccepted", status: "True" },
          { type: "Established", status: "True" },
        ],
      },
    );
    await spoke.settle(2_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("a kind nobody defines is told, and found when somebody does", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([
      application({ manifests: [widget("one"), configMap("settings")] }, disk),
    ]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.ok(cluster.object(settings) !== undefined);
    assert.deepEqual(spoke.reports.get("shop")?.conditions, [
      {
        code: "WH-APP-1013",
        message:
          "example.com/Widget one: the cluster does not serve this kind: Widget in example.com/v1",
      },
    ]);
    cluster.put(definition());
    await spoke.settle(180_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("a namespace that does not exist is told, and made only when the policy says so", async () => {
    const cluster = fakeCluster();
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: [configMap("settings")] }, disk)]));
    await spoke.settle();
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1012");
    const policy = { createNamespace: true };
    spoke.loop.setHeld(
      heldSet([application({ manifests: [configMap("settings")], policy, generation: 2 }, disk)]),
    );
    await spoke.settle();
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
    const made = cluster.object(keyOf("v1", "Namespace", "", "shop"));
    assert.deepEqual(made?.metadata.annotations ?? {}, {}, "it is not ours");
    spoke.loop.setHeld(heldSet([], [tombstone("shop", 3)]));
    await spoke.settle();
    assert.ok(cluster.object(keyOf("v1", "Namespace", "", "shop")) !== undefined);
    assert.deepEqual(spoke.removed, ["shop 3"]);
  });

  test("one group whose discovery fails keeps only its own objects back", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    cluster.brokenGroups.add("apps");
    const disk = newDisk();
    const held = heldSet([
      application({ manifests: [deployment("web"), configMap("settings")] }, disk),
    ]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.ok(cluster.object(settings) !== undefined);
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1016");
    cluster.brokenGroups.clear();
    await spoke.settle(180_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });
});
