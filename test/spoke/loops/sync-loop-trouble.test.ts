import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Trouble } from "../../../proto/kit/trouble.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { ClusterApi } from "../../../spoke/domain/cluster.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  resourceLines,
  summary,
} from "../../support/spoke-bench.ts";
import { configMap, definition, deployment, widget } from "./manifests.ts";
import { benchesOfSuite, extra, settings, web } from "./shop.ts";

suite("sync loop: trouble", () => {
  const bench = benchesOfSuite();

  test("one kind whose watch is broken is unknown, and the rest goes on", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const isBroken = { deployments: true };
    const api: ClusterApi = {
      ...cluster.api,
      watch: (type, labelSelector, signal) => {
        if (isBroken.deployments && type.kind === "Deployment")
          throw new Trouble("conversion failed");
        return cluster.api.watch(type, labelSelector, signal);
      },
    };
    const manifests = [deployment("web"), configMap("settings")];
    const held = heldSet([application({ manifests }, disk)]);
    const spoke = bench({ cluster, disk, held, api });
    await spoke.settle(60_000);
    assert.ok(cluster.object(settings) !== undefined);
    assert.equal(cluster.object(web), undefined);
    assert.deepEqual(resourceLines(spoke.reports.get("shop")), [
      "Synced - /ConfigMap/shop/settings",
      "Unknown Unknown apps/Deployment/shop/web objects of this kind cannot be read: conversion failed",
    ]);
    isBroken.deployments = false;
    await spoke.settle(240_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("a definition deleted by hand is made again, and its objects after it", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const manifests = [definition(), widget("one"), configMap("settings")];
    const spoke = bench({ cluster, disk, held: heldSet([application({ manifests }, disk)]) });
    await spoke.settle();
    cluster.forgetRequests();
    cluster.delete(
      keyOf("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "widgets.example.com"),
    );
    await spoke.settle(600_000);
    assert.deepEqual(cluster.writes(), [
      "apply apiextensions.k8s.io/CustomResourceDefinition//widgets.example.com",
      "apply example.com/Widget/shop/one",
    ]);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("a watch that lists again costs no write", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([application({ manifests: [configMap("settings")] }, disk)]),
    });
    await spoke.settle();
    cluster.forgetRequests();
    cluster.relistWatches();
    await spoke.settle(60_000);
    cluster.breakWatches();
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("an overloaded API server is asked again after 5, 10, 20 seconds, and never less often than every 3 minutes", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const triesAtMs: number[] = [];
    const clock = fakeClock();
    cluster.setApplyHook(() => {
      triesAtMs.push(clock.nowMs());
      throw new Trouble("too many requests");
    });
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held, clock });
    await spoke.settle(3_600_000);
    const pauses = triesAtMs.slice(1).map((atMs, index) => atMs - (triesAtMs[index] ?? 0));
    assert.deepEqual(pauses.slice(0, 7), [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 180_000]);
    assert.equal(spoke.reports.get("shop")?.operation?.message, "too many requests");
    cluster.setApplyHook(undefined);
    await spoke.settle(180_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
  });

  test("an API server that is away changes nothing, is told after a while, and is made up for", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(
      heldSet([application({ manifests: [configMap("settings"), configMap("extra")] }, disk)]),
    );
    await spoke.settle();
    cluster.setAway(true);
    await spoke.settle(5_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced", "a short outage is no news");
    spoke.loop.setHeld(
      heldSet([
        application({ manifests: [configMap("settings", { color: "red" })], generation: 2 }, disk),
      ]),
    );
    await spoke.settle(120_000);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Unknown");
    cluster.setAway(false);
    await spoke.settle(180_000);
    assert.deepEqual(cluster.object(settings)?.["data"], { color: "red" });
    assert.equal(cluster.object(extra), undefined);
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=2 applied=2 healthy=2 Succeeded",
    );
  });

  test("a blob that is missing changes nothing and is told; once it is there all goes on", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({ cluster, disk });
    spoke.loop.setHeld(heldSet([application({ manifests: [configMap("settings")] }, disk)]));
    await spoke.settle();
    cluster.forgetRequests();
    const next = application({ manifests: [configMap("extra")], generation: 2 }, disk);
    const bytes = disk.blobs.get(next.bundle);
    disk.blobs.delete(next.bundle);
    spoke.loop.setHeld(heldSet([next]));
    await spoke.settle(60_000);
    assert.deepEqual(cluster.writes(), []);
    assert.equal(spoke.reports.get("shop")?.syncStatus, "Unknown");
    assert.equal(spoke.reports.get("shop")?.conditions[0]?.code, "WH-APP-1020");
    assert.ok(bytes !== undefined);
    disk.blobs.set(next.bundle, bytes);
    await spoke.settle(180_000);
    assert.deepEqual(
      cluster.objects().map(({ metadata }) => metadata.name),
      ["extra"],
    );
  });

  test("an empty disk prunes nothing and forgets nothing", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const first = bench({ cluster, disk, held });
    await first.settle();
    await first.stop();
    cluster.forgetRequests();
    const second = bench({ cluster, disk: newDisk(), held: heldSet([]) });
    await second.settle(3_600_000);
    assert.deepEqual(cluster.requests, []);
    assert.deepEqual(cluster.inventoryWrites, []);
    second.loop.setHeld(held);
    await second.settle(3_600_000);
    assert.deepEqual(cluster.writes(), [], "held again, but its blobs are gone");
    await second.stop();
    const third = bench({ cluster, disk, held });
    await third.settle();
    assert.deepEqual(cluster.writes(), []);
    assert.equal(third.reports.get("shop")?.syncStatus, "Synced");
  });

  test("a lost inventory is rebuilt from markers, and prunes nothing in that generation", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const spoke = bench({
      cluster,
      disk,
      held: heldSet([
        application({ manifests: [configMap("settings"), configMap("extra")] }, disk),
      ]),
    });
    await spoke.settle();
    const uid = cluster.object(settings)?.metadata.uid;
    await spoke.stop();
    await cluster.inventory.forget("shop" as ApplicationName, new AbortController().signal);
    const less = application({ manifests: [configMap("settings")], generation: 2 }, disk);
    const again = bench({ cluster, disk, held: heldSet([less]) });
    await again.settle(600_000);
    assert.equal(cluster.object(settings)?.metadata.uid, uid);
    assert.ok(cluster.object(extra) !== undefined);
    assert.equal(again.reports.get("shop")?.resources[0]?.awaitsPrune, true);
    again.loop.setHeld(heldSet([{ ...less, generation: 3 }]));
    await again.settle();
    assert.equal(cluster.object(extra), undefined);
    assert.equal(again.reports.get("shop")?.syncStatus, "Synced");
  });
});
