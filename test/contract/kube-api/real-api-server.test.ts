import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane } from "../../support/control-plane/control-plane.ts";
import { kubeApiContract } from "./contract.ts";

kubeApiContract(
  "real API server",
  async () => {
    const plane = await startControlPlane({ name: "contract", workloads: true });
    return {
      url: plane.url,
      caPem: plane.caPem,
      token: plane.adminToken,
      controllers: true,
      stop: plane.stop,
    };
  },
  { skip: whyNoControlPlane() },
);
