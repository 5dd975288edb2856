import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, summary } from "../../support/spoke-bench.ts";
import { configMap, deployment } from "./manifests.ts";
import { benchesOfSuite, settings } from "./shop.ts";

suite("sync loop: applying", () => {
  const bench = benchesOfSuite();

  test("a newer generation takes over between two kinds, and what it does not want is not applied", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const manifests = [configMap("settings"), deployment("web")];
    const held = heldSet([application({ manifests }, disk)]);
    const newer = heldSet([
      application({ manifests: [configMap("settings")], generation: 2 }, disk),
    ]);
    const spoke = bench({ cluster, disk, held });
    cluster.setApplyHook(() => {
      spoke.loop.setHeld(newer);
      return undefined;
    });
    await spoke.settle();
    assert.deepEqual(cluster.writes(), ["apply /ConfigMap/shop/settings"]);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=2 applied=2 healthy=2 Succeeded",
    );
  });

  test("a newer generation takes over between two objects of one kind", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const many = Array.from({ length: 9 }, (_, index) => configMap(`n${index}`));
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([application({ manifests: many }, disk)]),
    });
    const newer = heldSet([application({ manifests: [configMap("n0")], generation: 2 }, disk)]);
    cluster.setApplyHook(() => {
      spoke.loop.setHeld(newer);
      return undefined;
    });
    await spoke.settle();
    assert.ok(cluster.writes().filter((write) => write.startsWith("apply")).length <= 4);
    assert.deepEqual(
      cluster.objects().map(({ metadata }) => metadata.name),
      ["n0"],
    );
  });

  test("fields of other managers are taken or respected as the policy says", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    const next = (generation: number, color: string, conflicts: "override" | "report") =>
      heldSet([
        application(
          {
            manifests: [configMap("settings", { color })],
            generation,
            policy: { conflicts, selfHeal: false },
          },
          disk,
        ),
      ]);
    spoke.loop.setHeld(next(1, "blue", "report"));
    await spoke.settle();
    cluster.edit(settings, (object) => {
      object["data"] = { color: "red" };
    });
    spoke.loop.setHeld(next(2, "green", "report"));
    await spoke.settle();
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "red" });
    assert.deepEqual(spoke.reports.get("shop")?.conditions, [
      {
        code: "WH-APP-1011",
        message:
          "ConfigMap shop/settings: other field managers own what would be changed: kubectl-edit",
      },
    ]);
    spoke.loop.setHeld(next(3, "green", "override"));
    await spoke.settle();
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "green" });
  });

  test("a job that cleans itself up is not run again, until it changes", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const job = (image: string): KubeObject => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "migrate" },
      spec: {
        ttlSecondsAfterFinished: 60,
        template: { spec: { containers: [{ name: "main", image }] } },
      },
    });
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: [job("m:1")] }, disk)]));
    await spoke.settle();
    cluster.forgetRequests();
    cluster.delete(keyOf("batch/v1", "Job", "shop", "migrate"));
    await spoke.settle(60_000);
    assert.deepEqual(cluster.requests, []);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
    );
    spoke.loop.setHeld(heldSet([application({ manifests: [job("m:2")], generation: 2 }, disk)]));
    await spoke.settle();
    assert.deepEqual(cluster.writes(), ["apply batch/Job/shop/migrate"]);
  });

  test("two manifests that end up with one name are told, and the first is used", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const twin: KubeObject = {
      ...configMap("settings", { color: "red" }),
      metadata: { name: "settings", namespace: "shop" },
    };
    const held = heldSet([application({ manifests: [configMap("settings"), twin] }, disk)]);
    const spoke = bench({ cluster, disk, held });
    await spoke.settle();
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "blue" });
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1019");
  });

  test("somebody who changes an object back while it is waited for is named, not fought", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"], controllers: "none" });
    const disk = newDisk();
    const last = { "argocd.argoproj.io/sync-wave": "1" };
    const manifests = [deployment("web"), configMap("settings"), configMap("extra", {}, last)];
    const spoke = bench({ cluster, disk, held: heldSet([application({ manifests }, disk)]) });
    await spoke.settle();
    cluster.forgetRequests();
    for (let round = 0; round < 10; round += 1) {
      cluster.edit(settings, (object) => {
        object["data"] = { color: `red-${round}` };
      });
      await spoke.settle();
    }
    assert.equal(cluster.writes().length, 2, "three times in all");
    assert.match(
      spoke.reports.get("shop")?.operation?.message ?? "",
      /changed by kubectl-edit at .* as often as it is applied/,
    );
  });
});
