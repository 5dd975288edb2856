import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { openCluster, type OpenCluster } from "../../../spoke/kube/open.ts";
import type { Json } from "../../support/cluster/json.ts";
import { startSimulatedCluster } from "../../support/cluster/server.ts";
import { kubeconfigAccess } from "../../support/kubeconfig-access.ts";
import { handOf } from "./hand.ts";
import { clusterApiContract } from "./suite.ts";

clusterApiContract("the spoke's client and the simulated cluster", async () => {
  const simulated = await startSimulatedCluster({ namespaces: ["shop", "wheelhouse"] });
  const folder = await mkdtemp(join(tmpdir(), "wheelhouse-cluster-api-"));
  const file = join(folder, "kubeconfig");
  await writeFile(file, simulated.kubeconfig());
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

  async function ask(method: string, path: string, body?: unknown): Promise<void> {
    const { status, body: said } = await simulated.call(
      method,
      `${path}?fieldManager=visitor`,
      body as Json | undefined,
    );
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(said)}`);
  }

  const { api, inventory } = open();
  return {
    api,
    inventory,
    anotherInventory: () => open().inventory,
    hand: handOf(ask),
    loseWatchPlaces: async () => void simulated.faults.expireWatches(),
    [Symbol.asyncDispose]: async () => {
      for (const cluster of opened) cluster.close();
      await simulated.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
