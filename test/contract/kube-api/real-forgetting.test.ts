import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane } from "../../support/control-plane/control-plane.ts";
import { forgettingContract } from "./forgetting.ts";

forgettingContract(
  "real API server",
  async () => {
    const plane = await startControlPlane({ name: "forgetful", forgetEverySeconds: 1 });
    return {
      url: plane.url,
      caPem: plane.caPem,
      token: plane.adminToken,
      controllers: false,
      forget: () => undefined,
      stop: plane.stop,
    };
  },
  { skip: whyNoControlPlane() },
);
