import { startSimulatedCluster } from "../../support/cluster/server.ts";
import { forgettingContract } from "./forgetting.ts";

forgettingContract("simulated cluster", async () => {
  const cluster = await startSimulatedCluster();
  return {
    url: cluster.url,
    caPem: cluster.caPem,
    token: cluster.adminToken,
    controllers: true,
    forget: cluster.faults.compact,
    stop: cluster.stop,
  };
});
