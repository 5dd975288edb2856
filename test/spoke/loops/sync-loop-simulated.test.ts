import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import type { ApplicationReport } from "../../../proto/words/report.ts";
import type { HeldSet } from "../../../spoke/domain/held-set.ts";
import { openCluster } from "../../../spoke/kube/open.ts";
import { createSyncLoop } from "../../../spoke/loops/sync-loop.ts";
import { startSimulatedCluster } from "../../support/cluster/server.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeconfigAccess } from "../../support/kubeconfig-access.ts";
import {
  application,
  heldSet,
  hubId,
  newDisk,
  resourceLines,
  summary,
  tombstone,
} from "../../support/spoke-bench.ts";
import { configMap, definition, deployment, namespace, service, widget } from "./manifests.ts";

/** The loop on the real client, over HTTPS, against the simulated Kubernetes API and its controllers. */
suite("sync loop over HTTPS", () => {
  test("installs, rests, heals, changes, prunes and removes", async () => {
    await using world = await startWorld();
    const { simulated, disk, start } = world;
    const web = { "argocd.argoproj.io/sync-wave": "1" };
    const schema = {
      openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    };
    const crd = definition();
    const manifests = [
      namespace("shop"),
      {
        ...crd,
        spec: {
          ...(crd["spec"] as object),
          versions: [{ name: "v1", served: true, storage: true, schema }],
        },
      },
      widget("one"),
      service("web"),
      configMap("settings"),
      configMap("extra"),
      deployment("web", "web:1", web),
    ];
    const first = heldSet([application({ manifests }, disk)]);

    await using installed = start(first);
    await installed.until("Synced Healthy stored=1 applied=1 healthy=1 Succeeded");
    const uid = simulated.get("apps/deployments", "shop", "web")?.metadata.uid;
    await installed.stop();

    simulated.requests.reset();
    await using rested = start(first);
    await rested.until("Synced Healthy stored=1 applied=1 healthy=1 -");

    await simulated.call(
      "PATCH",
      "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=hand",
      { spec: { replicas: 7 } },
      { "content-type": "application/merge-patch+json" },
    );
    await eventually(() => {
      const spec = simulated.get("apps/deployments", "shop", "web")?.["spec"];
      assert.equal((spec as { replicas?: number } | undefined)?.replicas, 2);
    });
    await rested.until("Synced Healthy stored=1 applied=1 healthy=1 Succeeded");
    // The repair comes after whatever would have gone on by itself.
    const { byVerb, writes } = simulated.requests.snapshot();
    assert.equal(writes, 1, "a second sync writes nothing, and a repair one object");
    assert.equal(byVerb.get, 0, "and nothing is read one by one");

    const changed = [
      ...manifests.filter(({ metadata }) => metadata.name !== "extra" && metadata.name !== "web"),
      service("web"),
      deployment("web", "web:2", web),
    ];
    rested.loop.setHeld(heldSet([application({ manifests: changed, generation: 2 }, disk)]));
    await rested.until("Synced Healthy stored=2 applied=2 healthy=2 Succeeded");
    assert.equal(simulated.get("/configmaps", "shop", "extra"), undefined);
    assert.equal(simulated.get("apps/deployments", "shop", "web")?.metadata.uid, uid);

    rested.loop.setHeld(heldSet([], [tombstone("shop", 3)]));
    await eventually(() => assert.deepEqual(rested.removed, ["shop 3"]));
    assert.equal(simulated.get("/namespaces", "", "shop"), undefined);
    assert.deepEqual(simulated.list("/configmaps", "wheelhouse").filter(isInventory), []);
  });
});

const isInventory = ({ metadata }: { readonly metadata: { readonly name: string } }): boolean =>
  metadata.name !== "kube-root-ca.crt";

async function startWorld() {
  const simulated = await startSimulatedCluster({ namespaces: ["wheelhouse"] });
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-sync-loop-"));
  const file = join(folder, "kubeconfig");
  await writeFile(file, simulated.kubeconfig());
  const disk = newDisk();

  function start(held: HeldSet) {
    const cluster = openCluster(
      kubeconfigAccess(file),
      { namespace: "wheelhouse", version: "0.0.0" },
      { requests: { add: () => {} }, clock: systemClock, random: Math.random, log: silentLog },
    );
    const reports = new Map<string, ApplicationReport>();
    const removed: string[] = [];
    const loop = createSyncLoop({
      cluster: cluster.api,
      inventory: cluster.inventory,
      readBlob: async (digest) => disk.blobs.get(digest),
      hubId: () => hubId,
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      onReport: (name, report) =>
        void (report === undefined ? reports.delete(name) : reports.set(name, report)),
      onAck: () => {},
      onRemoved: (name, generation) => void removed.push(`${name} ${generation}`),
      onCommandDone: () => {},
    });
    const stopping = new AbortController();
    loop.setHeld(held);
    const running = loop.run(stopping.signal).catch(() => undefined);
    const stop = async (): Promise<void> => {
      stopping.abort(new Error("the process ends"));
      await running;
      cluster.close();
    };
    const until = (wanted: string): Promise<void> =>
      eventually(() => {
        const report = reports.get("shop");
        const lines = [report?.operation?.message ?? "", ...resourceLines(report)];
        assert.equal(summary(report), wanted, lines.join("\n"));
      });
    return { loop, removed, until, stop, [Symbol.asyncDispose]: stop };
  }

  return {
    simulated,
    disk,
    start,
    [Symbol.asyncDispose]: async () => {
      await simulated.stop();
      await rm(folder, { recursive: true });
    },
  };
}
