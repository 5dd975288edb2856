import type { ClusterAccess, Environment } from "../../spoke/domain/cluster-access.ts";

/** The cluster of a kubeconfig's current context, its server authenticated, with no more environment than given. */
export const kubeconfigAccess = (file: string, environment: Environment = {}): ClusterAccess => ({
  kind: "kubeconfig",
  file,
  context: undefined,
  acceptInsecure: false,
  environment,
});
