import { startSimulatedCluster } from "../../support/cluster/server.ts";
import { kubeApiContract } from "./contract.ts";

kubeApiContract("simulated cluster", async () => {
  const cluster = await startSimulatedCluster({ rbac: true });
  return {
    url: cluster.url,
    caPem: cluster.caPem,
    token: cluster.adminToken,
    controllers: true,
    stop: cluster.stop,
  };
});
