import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ClusterApi } from "../../../spoke/domain/cluster.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { application, heldSet, newDisk, summary, tombstone } from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";
import { benchesOfSuite } from "./shop.ts";

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
