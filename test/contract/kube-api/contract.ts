/**
 * What the spoke relies on in a Kubernetes API, as cases that a simulated cluster and a real API server
 * both pass.
 */
import { after, before, suite } from "node:test";
import { Bench, casesOn, type ApiServer, type Cases } from "./bench.ts";
import { accessCases } from "./access.ts";
import { applyCases } from "./apply.ts";
import { customKindCases } from "./custom-kinds.ts";
import { deletionCases } from "./deletion.ts";
import { discoveryCases } from "./discovery.ts";
import { listCases } from "./lists.ts";
import { objectCases } from "./objects.ts";
import { patchCases } from "./patches.ts";
import { statusCases } from "./status.ts";
import { validationCases } from "./validation.ts";
import { watchCases } from "./watches.ts";
import { workloadCases } from "./workloads.ts";

export type { ApiServer };

const groups: readonly (readonly [name: string, cases: (cases: Cases) => void])[] = [
  ["discovery", discoveryCases],
  ["objects", objectCases],
  ["lists", listCases],
  ["watches", watchCases],
  ["server-side apply", applyCases],
  ["patches", patchCases],
  ["status, scale and generation", statusCases],
  ["deletion", deletionCases],
  ["custom kinds", customKindCases],
  ["validation", validationCases],
  ["access", accessCases],
  ["workloads", workloadCases],
];

export function kubeApiContract(
  name: string,
  connect: () => Promise<ApiServer>,
  options: { readonly skip?: string | undefined } = {},
): void {
  const skip = options.skip ?? false;
  void suite(`Kubernetes API contract: ${name}`, { skip }, () => {
    let bench: Bench | undefined;
    before(async () => {
      bench = new Bench(await connect());
    });
    after(async () => {
      bench?.close();
      await bench?.server.stop();
    });
    const cases = casesOn(() => {
      if (bench === undefined) throw new Error("the API server did not start");
      return bench;
    });
    for (const [group, register] of groups) void suite(group, () => register(cases));
  });
}
