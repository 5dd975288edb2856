import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { settled, startFleet, type Fleet } from "../support/fleet.ts";
import { paths, webFolder, webSet } from "../support/story-files.ts";

suite("a spoke on its own", () => {
  let fleet: Fleet;
  let commit = "";
  const names = ["web-dev-1"];
  before(async () => {
    fleet = await startFleet({
      clusters: { "dev-1": { env: "dev", web: "yes" } },
      files: { "fleet/web.yaml": webSet(), ...webFolder("dev", { replicas: 2 }) },
    });
    commit = await fleet.repository.head("main", AbortSignal.timeout(10_000));
    await settled(fleet, names, commit);
  });
  after(() => fleet.stop());

  const replicas = async (): Promise<unknown> => {
    const web = await fleet.member("dev-1").kube.get(paths.deployment);
    return (web?.["spec"] as { readonly replicas?: number } | undefined)?.replicas;
  };
  const uids = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all(
      Object.values(paths).map(
        async (path) => (await fleet.member("dev-1").kube.get(path))?.metadata.uid,
      ),
    );

  test("a second sync of an unchanged application makes no write request", async () => {
    const simulated = fleet.member("dev-1").simulated();
    const before = simulated.requests.snapshot();
    const accepted = await fleet.api.send<{ readonly id: string }>(
      "POST",
      "/v1/applications/web-dev-1/sync",
      {},
    );
    await eventually(async () => {
      const command = await fleet.api.get<{ readonly state: string }>(
        `/v1/commands/${accepted.id}`,
      );
      assert.equal(command.state, "succeeded");
    });
    assert.equal(simulated.requests.snapshot().writes - before.writes, 0);
  });

  test("an idle spoke makes no request besides the watches it holds", async () => {
    const simulated = fleet.member("dev-1").simulated();
    const before = simulated.requests.snapshot();
    const startedAtMs = Date.now();
    await eventually(
      async () => {
        const { lastSeenAtMs } = await fleet.api.get<{ readonly lastSeenAtMs: number }>(
          "/v1/clusters/dev-1",
        );
        assert.ok(lastSeenAtMs > startedAtMs + 3_000, "three heartbeats heard");
      },
      { withinMs: 30_000, what: "three heartbeats" },
    );
    assert.deepEqual(simulated.requests.snapshot(), before);
  });

  test("with the hub away, a spoke started from cold still heals drift", async () => {
    await fleet.stopHub();
    await fleet.member("dev-1").spoke.kill();
    await fleet.member("dev-1").kube.edit(paths.deployment, { spec: { replicas: 7 } });
    fleet.startSpokeOf("dev-1");
    await eventually(async () => assert.equal(await replicas(), 2), { withinMs: 20_000 });
    await fleet.member("dev-1").kube.edit(paths.deployment, { spec: { replicas: 8 } });
    await eventually(async () => assert.equal(await replicas(), 2), { withinMs: 20_000 });
    await fleet.restartHub("stop");
    await settled(fleet, names, commit);
  });

  test("with its disk wiped it returns by its kept key, and nothing is orphaned or pruned", async () => {
    const before = await uids();
    const member = fleet.member("dev-1");
    await member.spoke.kill();
    rmSync(join(member.folder, "spoke"), { recursive: true, force: true });
    fleet.startSpokeOf("dev-1");
    await eventually(async () => {
      const cluster = await fleet.api.get<{ readonly connection: { readonly kind: string } }>(
        "/v1/clusters/dev-1",
      );
      assert.equal(cluster.connection.kind, "attached");
    });
    await settled(fleet, names, commit);
    assert.deepEqual(await uids(), before);
    // Still owned: what leaves Git leaves the cluster, and only that.
    commit = await fleet.push({ "apps/web/dev/service.yaml": undefined });
    await settled(fleet, names, commit);
    await eventually(async () => assert.equal(await member.kube.get(paths.service), undefined));
    const [namespace, settings, deployment] = await uids();
    assert.deepEqual([namespace, settings, deployment], before.slice(0, 3));
  });
});
