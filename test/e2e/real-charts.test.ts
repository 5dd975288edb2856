import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { hubValues, spokeValues } from "../charts/values.ts";
import { gatewayKinds } from "../charts/values.ts";
import { whyNoControlPlane, whyNoTool } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { renderText } from "../support/helm.ts";
import { kubectl } from "../support/kubectl.ts";
import { definitionOf } from "./install/samples.ts";

/** What the charts render is what a real API server takes: every field known, every value allowed. */

const skip =
  whyNoControlPlane(["kube-apiserver", "etcd"]) ??
  whyNoTool("helm") ??
  whyNoTool("kubectl") ??
  false;

describe("the charts, before a real API server", { skip }, () => {
  let plane: ControlPlane;
  let folder: string;

  const dryRun = (manifests: string): Promise<string> =>
    kubectl(
      join(folder, "admin"),
      ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-"],
      manifests,
    );

  before(async () => {
    plane = await startControlPlane();
    folder = mkdtempSync(join(tmpdir(), "wheelhouse-charts-"));
    writeFileSync(join(folder, "admin"), plane.kubeconfig(), { mode: 0o600 });
    const namespaces = ["wheelhouse", "team-a", "team-b"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    }));
    // Only that they exist: what they hold is for their own controllers to judge.
    const kinds = gatewayKinds.map((name) => {
      const [group = "", , kind = ""] = name.split("/");
      return definitionOf(group, kind);
    });
    const list = { apiVersion: "v1", kind: "List", items: [...namespaces, ...kinds] };
    await kubectl(
      join(folder, "admin"),
      ["apply", "--server-side", "--filename", "-"],
      JSON.stringify(list),
    );
    for (const name of [
      "httproutes.gateway.networking.k8s.io",
      "servicemonitors.monitoring.coreos.com",
    ])
      await kubectl(join(folder, "admin"), ["wait", "--for=condition=Established", `crd/${name}`]);
  });
  after(async () => {
    await plane.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, values] of Object.entries(spokeValues))
    test(`wheelhouse-spoke, ${name}`, async () => {
      await dryRun(await renderText("wheelhouse-spoke", values, { serves: gatewayKinds }));
    });

  for (const [name, values] of Object.entries(hubValues))
    test(`wheelhouse-hub, ${name}`, async () => {
      await dryRun(await renderText("wheelhouse-hub", values, { serves: gatewayKinds }));
    });
});
