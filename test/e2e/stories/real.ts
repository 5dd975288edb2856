import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane } from "../../support/control-plane/control-plane.ts";
import type { Stage } from "./stage.ts";

/** Real control planes, with controllers, a scheduler and pods that become ready or fail on purpose. */
export const onRealClusters = (): Stage => ({
  options: { skip: whyNoControlPlane() ?? false },
  openCluster: (name) => startControlPlane({ name, workloads: true }),
  isReal: true,
});
