import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ClusterApi } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  order,
  summary,
  tombstone,
} from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";
import { benchesOfSuite, setFinalizers, settings } from "./shop.ts";

suite("sync loop, whose wishes are replaced", () => {
  const bench = benchesOfSuite();

  test("brings in other content under the number it had, as a restored hub may give it", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const shop = (commit: string) => ({
      ...application({ manifests: [configMap("settings", { commit })], generation: 6 }, disk),
      revision: commit,
    });
    const spoke = bench({ cluster, disk, held: heldSet([shop("c6")]) });
    await spoke.settle();
    cluster.forgetRequests();
    const acksBefore = spoke.acks.length;
    spoke.loop.setHeld(heldSet([shop("c7")]));
    await spoke.settle();
    assert.deepEqual(cluster.writes(), ["apply /ConfigMap/shop/settings"]);
    const report = spoke.reports.get("shop");
    assert.equal(summary(report), "Synced Healthy stored=6 applied=6 healthy=6 Succeeded");
    assert.equal(report?.appliedRevision, "c7");
    assert.deepEqual(
      spoke.acks.slice(acksBefore).map(({ kind }) => kind),
      ["applied", "healthy"],
    );
  });

  test("begins anew where an attempt for the same number waits for its retry", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const shop = (namespace: string) =>
      application({ manifests: [configMap("settings")], namespace, generation: 6 }, disk);
    const spoke = bench({ cluster, disk, held: heldSet([shop("nowhere")]) });
    await spoke.settle();
    assert.match(summary(spoke.reports.get("shop")), /Failed/);
    spoke.loop.setHeld(heldSet([shop("shop")]));
    await spoke.settle();
    assert.equal(
      summary(spoke.reports.get("shop")),
      "Synced Healthy stored=6 applied=6 healthy=6 Succeeded",
    );
  });

  const byHand = { automated: false, prune: false, selfHeal: false };

  for (const { name, isOrdered, generation } of [
    { name: "a failed attempt", isOrdered: false, generation: 3 },
    { name: "an order to prune that failed", isOrdered: true, generation: 3 },
    { name: "an order to prune that failed under the same number", isOrdered: true, generation: 2 },
  ])
    test(`does not carry on ${name} for what is to be synced by hand`, async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const settings = (value: string) => configMap("settings", { value });
      const elsewhere = { ...configMap("lost"), metadata: { name: "lost", namespace: "nowhere" } };
      const first = application({ manifests: [settings("1"), configMap("extra")] }, disk);
      const failing = application(
        { manifests: [settings("1"), configMap("extra"), elsewhere], generation: 2 },
        disk,
      );
      const spoke = bench({ cluster, disk, held: heldSet([first]) });
      await spoke.settle();
      spoke.loop.setHeld(heldSet([failing]));
      await spoke.settle();
      if (isOrdered) spoke.loop.command(order("sync", "shop", { prune: true }));
      await spoke.settle();
      assert.match(summary(spoke.reports.get("shop")), /Failed/);
      cluster.forgetRequests();
      const manual = { manifests: [settings("3")], generation, policy: byHand };
      spoke.loop.setHeld(heldSet([application(manual, disk)]));
      await spoke.settle();
      await spoke.settle(600_000);
      assert.deepEqual(cluster.writes(), []);
      assert.match(summary(spoke.reports.get("shop")), /^OutOfSync /);
      const { operation } = spoke.reports.get("shop") ?? {};
      assert.deepEqual([operation?.phase, operation?.generation], ["Failed", 2]);
    });

  test("an order does not reach a generation that comes while the bundle it was for is read", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const unserved = { apiVersion: "example.org/v1", kind: "Odd", metadata: { name: "odd" } };
    const shop = (generation: number, manifests: readonly KubeObject[]) =>
      heldSet([application({ manifests, generation, policy: byHand }, disk)]);
    const one = configMap("settings", { value: "1" });
    const spoke = bench({ cluster, disk, held: shop(1, [one, configMap("extra"), unserved]) });
    await spoke.settle();
    spoke.loop.command(order("sync", "shop", { generation: 1 }));
    await spoke.settle();
    cluster.forgetRequests();
    const read = disk.blobs.get.bind(disk.blobs);
    let isThere = false;
    disk.blobs.get = (digest) => {
      if (!isThere) {
        isThere = true;
        spoke.loop.setHeld(shop(2, [configMap("settings", { value: "2" }), unserved]));
      }
      return read(digest);
    };
    spoke.loop.command(order("sync", "shop", { id: "late", generation: 1, prune: true }));
    await spoke.settle();
    await spoke.settle(60_000);
    assert.ok(isThere);
    assert.deepEqual(cluster.writes(), []);
    const answer = spoke.answers.find(({ id }) => id === "late");
    assert.deepEqual([answer?.succeeded, answer?.message], [false, "superseded by generation 2"]);
  });

  test("declares its objects again once its removal is taken back, so that nobody else gets them", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const of = (name: string, generation: number) =>
      application({ name, manifests: [configMap("settings", { of: name })], generation }, disk);
    const spoke = bench({ cluster, disk, held: heldSet([of("first", 1)]) });
    await spoke.settle();
    setFinalizers(cluster, settings, ["example.com/hold"]);
    spoke.loop.setHeld(heldSet([], [tombstone("first", 2)]));
    await spoke.settle();
    spoke.loop.setHeld(heldSet([of("first", 3)]));
    await spoke.settle();
    setFinalizers(cluster, settings, []);
    await spoke.settle(200_000);
    assert.match(summary(spoke.reports.get("first")), /^Synced Healthy stored=3 applied=3/);
    spoke.loop.setHeld(heldSet([of("first", 3), of("second", 1)]));
    await spoke.settle();
    await spoke.settle(60_000);
    assert.deepEqual(cluster.object(settings)?.["data"], { of: "first" });
    assert.match(summary(spoke.reports.get("second")), /Failed/);
  });

  test("looks at what it holds already once, and not again for being told the same", async () => {
    const cluster = fakeCluster({ namespaces: ["shop"] });
    const disk = newDisk();
    const held = () => heldSet([application({ manifests: [configMap("settings")] }, disk)]);
    const spoke = bench({ cluster, disk, held: held() });
    await spoke.settle();
    cluster.forgetRequests();
    const acksBefore = spoke.acks.length;
    spoke.loop.setHeld(held());
    await spoke.settle();
    assert.deepEqual(cluster.requests, []);
    assert.equal(spoke.acks.length, acksBefore);
  });

  const many = Array.from({ length: 9 }, (_, index) => configMap(`data-${index}`));
  const keep = configMap("keep");
  for (const { name, held } of [
    { name: "the whole application", held: heldSet([], [tombstone("shop", 2)]) },
    { name: "what left its bundle", held: undefined },
  ])
    test(`stops removing ${name} when that is taken back`, async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const whole = (generation: number) =>
        heldSet([application({ manifests: [...many, keep], generation }, disk)]);
      let afterwards = 0;
      let isTakenBack = false;
      const api: ClusterApi = {
        ...cluster.api,
        remove: async (...asked) => {
          if (isTakenBack) afterwards += 1;
          const outcome = await cluster.api.remove(...asked);
          if (!isTakenBack) spoke.loop.setHeld(whole(3));
          isTakenBack = true;
          return outcome;
        },
      };
      const spoke = bench({ cluster, disk, api, held: whole(1) });
      await spoke.settle();
      spoke.loop.setHeld(
        held ?? heldSet([application({ manifests: [keep], generation: 2 }, disk)]),
      );
      await spoke.settle();
      await spoke.settle(60_000);
      assert.ok(isTakenBack);
      // Those that had been asked for already.
      assert.ok(afterwards <= 3, `${afterwards} were asked for after that`);
      assert.equal(cluster.objects().filter(({ kind }) => kind === "ConfigMap").length, 10);
      assert.match(summary(spoke.reports.get("shop")), /^Synced Healthy stored=3 applied=3/);
    });
});
