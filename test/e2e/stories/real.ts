import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane } from "../../support/control-plane/control-plane.ts";
import { withSpokeAccount } from "../../support/control-plane/spoke-account.ts";
import type { Stage } from "./stage.ts";

/**
 * Real control planes, with controllers, a scheduler and pods that become ready or fail on purpose. Their spokes have
 * the token of the account they are installed with, and its rights.
 */
export const onRealClusters = (): Stage => ({
  options: { skip: whyNoControlPlane() ?? false },
  openCluster: async (name) =>
    withSpokeAccount(await startControlPlane({ name, workloads: true }), {
      namespaces: [],
      secrets: true,
      customResourceGroups: ["example.com"],
    }),
  isReal: true,
});
