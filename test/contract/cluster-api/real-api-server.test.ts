import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { openCluster, type OpenCluster } from "../../../spoke/kube/open.ts";
import { mapsAt, textAt, type Json } from "../../support/cluster/json.ts";
import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../../support/control-plane/control-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { kubeconfigAccess } from "../../support/kubeconfig-access.ts";
import { KubeClient } from "../kube-api/client.ts";
import { handOf, type Ask } from "./hand.ts";
import { clusterApiContract } from "./suite.ts";

/** One control plane for all cases: each leaves it as empty as it found it. */
let shared: Promise<ControlPlane> | undefined;

const namespaces = ["shop", "wheelhouse"];

async function startedPlane(): Promise<ControlPlane> {
  const plane = await startControlPlane({ name: "cluster-api" });
  await withVisitor(plane, async (visitor) => {
    for (const name of namespaces)
      await asking(visitor)("POST", "/api/v1/namespaces", { metadata: { name } });
  });
  return plane;
}

after(async () => await (await shared)?.stop());

clusterApiContract(
  "the spoke's client and a real API server",
  async () => {
    const plane = await (shared ??= startedPlane());
    const folder = await mkdtemp(join(tmpdir(), "wheelhouse-cluster-api-"));
    const file = join(folder, "kubeconfig");
    await writeFile(file, plane.kubeconfig());
    const visitor = new KubeClient({ ...plane, token: plane.adminToken });
    const opened: OpenCluster[] = [];
    const open = (): OpenCluster => {
      const cluster = openCluster(
        kubeconfigAccess(file),
        { namespace: "wheelhouse", version: "0.0.0" },
        { requests: { add: () => {} }, clock: systemClock, random: Math.random, log: silentLog },
      );
      opened.push(cluster);
      return cluster;
    };
    const ask = asking(visitor);
    const { api, inventory } = open();
    return {
      api,
      inventory,
      anotherInventory: () => open().inventory,
      hand: handOf(ask),
      loseWatchPlaces: async () => {
        // A server that starts again remembers nothing from before its start, and this comes before it.
        await ask("PATCH", "/api/v1/namespaces/shop", {
          metadata: { annotations: { again: "1" } },
        });
        await plane.apiServer.kill();
        await plane.apiServer.start();
      },
      [Symbol.asyncDispose]: async () => {
        for (const cluster of opened) cluster.close();
        visitor.close();
        await withVisitor(plane, emptied);
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  { skip: whyNoControlPlane(["etcd", "kube-apiserver"]) },
);

const asking =
  (visitor: KubeClient): Ask =>
  async (method, path, body) => {
    const reply = await visitor.send(method, path, body as Json | undefined, {
      query: { fieldManager: "visitor" },
      headers: method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {},
    });
    if (reply.code >= 300) throw new Error(`${method} ${path}: ${reply.code} ${reply.text}`);
  };

async function withVisitor(
  plane: ControlPlane,
  visit: (visitor: KubeClient) => Promise<void>,
): Promise<void> {
  const visitor = new KubeClient({ ...plane, token: plane.adminToken });
  try {
    await visit(visitor);
  } finally {
    visitor.close();
  }
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Takes away everything that a case may have left, and waits until it is gone. */
async function emptied(visitor: KubeClient): Promise<void> {
  const collections = namespaces.flatMap((namespace) => [
    `/api/v1/namespaces/${namespace}/configmaps`,
    `/api/v1/namespaces/${namespace}/secrets`,
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
  ]);
  for (const path of [...collections, definitions]) {
    await eventually(
      async () => {
        const left = mapsAt((await visitor.get(path)).body, "items");
        for (const item of left) {
          const one = `${path}/${textAt(item, "metadata", "name")}`;
          // A definition needs its own finalizer: it takes the objects along.
          if (path !== definitions)
            await visitor.patch("merge", one, { metadata: { finalizers: null } });
          await visitor.delete(one);
        }
        if (left.length > 0) throw new Error(`${left.length} left in ${path}`);
      },
      { what: `nothing in ${path}` },
    );
  }
}
