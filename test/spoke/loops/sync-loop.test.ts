import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { trackingAnnotation, type ClusterApi } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { fakeCluster, keyOf } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  hubId,
  newDisk,
  order,
  resourceLines,
  spokeBench,
  summary,
  tombstone,
  type SpokeBench,
} from "../../support/spoke-bench.ts";
import { configMap, definition, deployment, namespace, service, widget } from "./manifests.ts";

const web = keyOf("apps/v1", "Deployment", "shop", "web");
const settings = keyOf("v1", "ConfigMap", "shop", "settings");
const extra = keyOf("v1", "ConfigMap", "shop", "extra");

const shopManifests = [namespace("shop"), deployment("web"), service("web"), configMap("settings")];

/** Benches to stop after each test, whatever became of it. */
const benches: SpokeBench[] = [];
const bench: typeof spokeBench = (options) => {
  const made = spokeBench(options);
  benches.push(made);
  return made;
};

suite("sync loop", () => {
  test.afterEach(async () => {
    await Promise.all(benches.splice(0).map((made) => made.stop()));
  });

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

  suite("drift", () => {
    test("is repaired at once, then ever more slowly, and from anew once a repair has held", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      const spoil = () =>
        cluster.edit(settings, (object) => {
          object["data"] = { color: "red" };
        });
      const color = () => cluster.object(settings)?.["data"];

      spoil();
      await spoke.settle();
      assert.deepEqual(color(), { color: "blue" }, "the first repair is immediate");
      for (const pauseMs of [2_000, 6_000, 18_000]) {
        spoil();
        await spoke.settle(pauseMs - 1);
        assert.deepEqual(color(), { color: "red" }, `not yet after ${pauseMs - 1} ms`);
        assert.equal(spoke.reports.get("shop")?.syncStatus, "OutOfSync");
        assert.match(
          spoke.reports.get("shop")?.resources[0]?.message ?? "",
          /^was changed in the cluster by kubectl-edit at /,
        );
        await spoke.settle(1);
        assert.deepEqual(color(), { color: "blue" }, `after ${pauseMs} ms`);
      }
      await spoke.settle(600_000);
      spoil();
      await spoke.settle();
      assert.deepEqual(color(), { color: "blue" }, "the last repair had held");
    });

    test("is told from what does not concern us: other fields, and status", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const held = heldSet([application({ manifests: [deployment("web")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      cluster.forgetRequests();
      cluster.edit(web, (object) => {
        object["spec"] = { ...(object["spec"] as object), revisionHistoryLimit: 3 };
      });
      cluster.setStatus(web, { observedGeneration: 99, replicas: 2, updatedReplicas: 2 });
      await spoke.settle(60_000);
      assert.deepEqual(cluster.writes(), []);
      assert.deepEqual(new Set(cluster.requests), new Set(["list /Pod shop app=web"]));
      assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
      assert.equal(spoke.reports.get("shop")?.health.state, "Progressing");
    });

    test("is only reported without self-heal, until somebody orders a sync", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const policy = { selfHeal: false };
      const held = heldSet([application({ manifests: [configMap("settings")], policy }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      cluster.forgetRequests();
      cluster.delete(settings);
      await spoke.settle(3_600_000);
      assert.deepEqual(cluster.writes(), []);
      assert.deepEqual(resourceLines(spoke.reports.get("shop")), [
        "OutOfSync Missing /ConfigMap/shop/settings was removed from the cluster",
      ]);
      spoke.loop.command(order("sync", "shop"));
      await spoke.settle();
      assert.ok(cluster.object(settings) !== undefined);
      assert.deepEqual(spoke.answers, [
        {
          kind: "command-result",
          id: "sync-shop",
          succeeded: true,
          message: "applied 1, removed 0",
        },
      ]);
    });

    test("of a stripped label is repaired on the same object", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      const uid = cluster.object(settings)?.metadata.uid;
      cluster.edit(settings, (object) => {
        object["metadata"] = { ...(object["metadata"] as object), labels: {} };
      });
      await spoke.settle();
      assert.equal(cluster.object(settings)?.metadata.uid, uid);
      assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
    });
  });

  suite("an application that is not automated", () => {
    test("is compared and reported, and synced only by order", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const policy = { automated: false };
      const held = heldSet([application({ manifests: [configMap("settings")], policy }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle(60_000);
      assert.deepEqual(cluster.writes(), []);
      assert.equal(
        summary(spoke.reports.get("shop")),
        "OutOfSync Missing stored=1 applied=0 healthy=0 -",
      );
      spoke.loop.command(order("sync", "shop", { generation: 1 }));
      await spoke.settle();
      assert.equal(
        summary(spoke.reports.get("shop")),
        "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
      );
    });

    test("prunes on an order that says so", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const policy = { automated: false, prune: false };
      const spoke = bench({ cluster, disk });
      const both = [configMap("settings"), configMap("extra")];
      spoke.loop.setHeld(heldSet([application({ manifests: both, policy }, disk)]));
      spoke.loop.command(order("sync", "shop"));
      await spoke.settle();
      spoke.loop.setHeld(
        heldSet([application({ manifests: [configMap("settings")], policy, generation: 2 }, disk)]),
      );
      spoke.loop.command(order("sync", "shop", { id: "plain" }));
      await spoke.settle();
      assert.ok(cluster.object(extra) !== undefined);
      assert.equal(spoke.reports.get("shop")?.resources[0]?.awaitsPrune, true);
      spoke.loop.command(order("sync", "shop", { id: "pruning", prune: true }));
      await spoke.settle();
      assert.equal(cluster.object(extra), undefined);
      assert.deepEqual(
        spoke.answers.map(({ id, message }) => `${id}: ${message}`),
        [
          "sync-shop: applied 2, removed 0",
          "plain: nothing to do",
          "pruning: applied 0, removed 1",
        ],
      );
    });
  });

  suite("commands", () => {
    test("that cannot be obeyed are answered with the reason", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      spoke.loop.command(order("sync", "other"));
      spoke.loop.command(order("sync", "shop", { id: "old", generation: 7 }));
      spoke.loop.command(order("sync", "shop", { id: "late", expiresAtMs: 1 }));
      await spoke.settle();
      assert.deepEqual(
        spoke.answers.map(({ id, succeeded, message }) => `${id} ${succeeded} ${message}`),
        [
          "sync-other false this cluster has no application other",
          "old false void: generation 7 was meant, 1 is held",
          "late false expired before it came",
        ],
      );
    });

    test("refresh reads the live objects again and reports in any case", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      cluster.forgetRequests();
      const before = spoke.reportCount();
      spoke.loop.command(order("refresh", "shop"));
      await spoke.settle();
      assert.deepEqual(cluster.requests, ["get /ConfigMap/shop/settings"]);
      assert.equal(spoke.reportCount(), before + 1);
      assert.equal(spoke.answers[0]?.succeeded, true);
    });
  });

  suite("applying", () => {
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

  suite("ownership", () => {
    test("a stranger's object that differs is refused, left alone, and tried again without haste", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      cluster.put({
        ...configMap("settings", { color: "green" }),
        metadata: { name: "settings", namespace: "shop" },
      });
      const held = heldSet([
        application({ manifests: [configMap("settings"), configMap("extra")] }, disk),
      ]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      assert.deepEqual(cluster.object(settings)?.["data"], { color: "green" });
      assert.ok(cluster.object(extra) !== undefined, "the others are applied");
      const report = spoke.reports.get("shop");
      assert.equal(report?.syncStatus, "OutOfSync");
      assert.equal(report?.operation?.phase, "Failed");
      assert.deepEqual(report?.conditions, [
        {
          code: "WH-APP-1017",
          message:
            "ConfigMap shop/settings: exists and is not ours: its field managers are kubectl-create; left alone unless its manifest says wheelhouse.dev/adopt: always",
        },
      ]);
      cluster.forgetRequests();
      await spoke.settle(3_600_000);
      assert.deepEqual(cluster.writes(), []);
      assert.ok(cluster.requests.length < 60, `${cluster.requests.length} requests in an hour`);
      cluster.delete(settings);
      await spoke.settle(180_000);
      assert.equal(
        summary(spoke.reports.get("shop")),
        "Synced Healthy stored=1 applied=1 healthy=1 Succeeded",
      );
    });

    test("a stranger's object that says the same is adopted", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const { uid } = cluster.put({
        ...configMap("settings"),
        metadata: { name: "settings", namespace: "shop" },
      }).metadata;
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      assert.equal(spoke.reports.get("shop")?.syncStatus, "Synced");
      assert.equal(cluster.object(settings)?.metadata.uid, uid);
    });

    test("another tool's object is refused by the tool's name", async () => {
      const cluster = fakeCluster({ namespaces: ["shop"] });
      const disk = newDisk();
      const annotations = { "argocd.argoproj.io/tracking-id": "x" };
      cluster.put({
        ...configMap("settings"),
        metadata: { name: "settings", namespace: "shop", annotations },
      });
      const held = heldSet([application({ manifests: [configMap("settings")] }, disk)]);
      const spoke = bench({ cluster, disk, held });
      await spoke.settle();
      assert.deepEqual(cluster.writes(), []);
      assert.match(spoke.reports.get("shop")?.conditions[0]?.message ?? "", /Argo CD manages it/);
    });
  });

  suite("pruning", () => {
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
      assert.match(
        spoke.reports.get("shop")?.operation?.message ?? "",
        /before anything is pruned/,
      );
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

  suite("sync waves", () => {
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

  suite("kinds and namespaces", () => {
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

  suite("trouble", () => {
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
      assert.deepEqual(
        pauses.slice(0, 7),
        [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 180_000],
      );
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
          application(
            { manifests: [configMap("settings", { color: "red" })], generation: 2 },
            disk,
          ),
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
      await cluster.inventory.forget("shop", new AbortController().signal);
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

  suite("tombstones", () => {
    test("remove everything in reverse, namespaces last, and say when it is gone", async () => {
      const cluster = fakeCluster();
      const disk = newDisk();
      const spoke = bench({ cluster, disk });
      spoke.loop.setHeld(
        heldSet([application({ manifests: [...shopManifests, definition()] }, disk)]),
      );
      await spoke.settle();
      cluster.edit(settings, (object) => {
        object["metadata"] = {
          ...(object["metadata"] as object),
          finalizers: ["example.com/hold"],
        };
      });
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
      cluster.edit(settings, (object) => {
        object["metadata"] = { ...(object["metadata"] as object), finalizers: [] };
      });
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
});
