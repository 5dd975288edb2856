/**
 * The simulated cluster and a real API server are sent the same requests, and must answer the same: codes,
 * whole objects after defaults, ownership records, messages, causes and warnings.
 *
 * `WHEELHOUSE_SEED` makes other scripts than those of the first seed; `WHEELHOUSE_SCRIPTS` says how many there are.
 */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { whyNoControlPlane } from "../../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../../support/control-plane/control-plane.ts";
import { startSimulatedCluster, type SimulatedCluster } from "../../support/cluster/server.ts";
import { seeded } from "../../support/seeded.ts";
import { openPair, type Pair } from "./side-by-side/pair.ts";
import { randomSteps } from "./side-by-side/random.ts";
import { writtenScripts } from "./side-by-side/written.ts";

const seed = Number(process.env["WHEELHOUSE_SEED"] ?? 1);
const randomScripts = Number(process.env["WHEELHOUSE_SCRIPTS"] ?? 120);
const stepsEach = 14;

const skip = whyNoControlPlane(["etcd", "kube-apiserver"]) ?? false;

void suite("the simulated cluster beside a real API server", { skip }, () => {
  let real: ControlPlane | undefined;
  let simulated: SimulatedCluster | undefined;
  let pair: Pair | undefined;
  before(async () => {
    // Nothing moves by itself on either side: what is there is what was sent.
    [real, simulated] = await Promise.all([
      startControlPlane({ name: "side-by-side" }),
      startSimulatedCluster({ rbac: true, controllers: false }),
    ]);
    pair = await openPair(
      { url: simulated.url, caPem: simulated.caPem, token: simulated.adminToken },
      { url: real.url, caPem: real.caPem, token: real.adminToken },
    );
  });
  after(async () => {
    pair?.close();
    await simulated?.stop();
    await real?.stop();
  });
  const both = (): Pair => {
    if (pair === undefined) throw new Error("the clusters did not start");
    return pair;
  };

  void suite("scripts written by hand", () => {
    for (const [name, steps] of writtenScripts)
      void test(name, async () => {
        const { different } = await both().compare(name, steps);
        assert.equal(different.join("\n\n"), "");
      });
  });

  void test(`${randomScripts} scripts made by chance, seed ${seed}`, async (context) => {
    const different: string[] = [];
    let requests = 0;
    for (let number = 0; number < randomScripts; number += 1) {
      const name = `seed ${seed + number}`;
      const compared = await both().compare(name, (place) =>
        randomSteps(place, seeded(seed + number), stepsEach),
      );
      requests += compared.requests;
      // Whatever follows a first difference may follow from it.
      different.push(...compared.different.slice(0, 1));
    }
    context.diagnostic(`${randomScripts} scripts, ${requests} requests compared, seed ${seed}`);
    assert.equal(different.join("\n\n"), "", `seed ${seed}`);
  });
});
