import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { parseDigest, type Digest } from "../../proto/words/digest.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";
import { openCluster } from "../../spoke/kube/open.ts";
import { createHubClient } from "../../spoke/link/client.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { kubeconfigAccess } from "../support/kubeconfig-access.ts";
import { webFolder, webSet } from "../support/story-files.ts";

suite("apart", () => {
  test("a spoke that asks with another's digests gets nothing, and cannot ask in another's name", async () => {
    const fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" }, "prod-1": { env: "prod", web: "yes" } },
      files: {
        "fleet/web.yaml": webSet(),
        ...webFolder("dev", { greeting: "only dev" }),
        ...webFolder("prod", { greeting: "only prod" }),
      },
    });
    try {
      const commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));
      await settled(fleet, ["web-dev-1", "web-prod-1"], commit);
      const signal = AbortSignal.timeout(20_000);
      const bundles = new Map<string, Digest>();
      for (const name of ["dev-1", "prod-1"]) {
        const view = await fleet.api.get<{ readonly bundle: string }>(
          `/v1/applications/web-${name}`,
        );
        const digest = parseDigest(view.bundle);
        assert.ok(digest.ok);
        bundles.set(name, digest.value);
      }
      const [dev, prod] = [bundles.get("dev-1"), bundles.get("prod-1")];
      assert.ok(dev !== undefined && prod !== undefined && dev !== prod);

      const identity = await identityOf(fleet, "dev-1");
      const client = createHubClient({ address: fleet.hub.linkAddress, spokeVersion: "0.0.0" });
      const connection = client.dial(identity);
      try {
        const got: Digest[] = [];
        const refused = await connection.fetchBlobs(
          [dev, prod],
          async (blob) => {
            got.push(blob.digest);
          },
          signal,
        );
        assert.deepEqual(got, [dev]);
        assert.deepEqual(refused, [prod]);
        // A digest that nobody has is refused in the same way: the answer does not tell the two apart.
        const nobody = parseDigest("0".repeat(64));
        assert.ok(nobody.ok);
        const none = await connection.fetchBlobs([nobody.value], async () => assert.fail(), signal);
        assert.deepEqual(none, [nobody.value]);
        // Whatever it calls itself, it is renewed as what its certificate says.
        const other = await identityOf(fleet, "prod-1");
        const renewed = await client
          .dial({ ...identity, clusterName: "prod-1", clusterId: other.clusterId })
          .renew(signal)
          .catch((error: unknown) => error);
        assert.match(String(renewed), /another cluster/);
      } finally {
        connection.close();
      }
    } finally {
      await fleet.stop();
    }
  });
});

/** The identity as the spoke keeps it in its own cluster: what a thief of that cluster would have. */
async function identityOf(fleet: Fleet, cluster: string): Promise<SpokeIdentity> {
  const opened = openCluster(
    kubeconfigAccess(fleet.member(cluster).kubeconfig),
    { namespace: "wheelhouse", version: "0.0.0" },
    { requests: { add: () => {} }, clock: systemClock, random: Math.random, log: silentLog },
  );
  try {
    const identity = await opened.identity.read(AbortSignal.timeout(10_000));
    assert.ok(identity);
    return identity;
  } finally {
    opened.close();
  }
}
