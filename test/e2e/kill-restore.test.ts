import assert from "node:assert/strict";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import Sqlite from "better-sqlite3";
import { databaseFile } from "../../hub/store/database.ts";
import { eventually } from "../support/eventually.ts";
import { settled } from "../support/fleet.ts";
import { changesAskedOf } from "../support/kill/estate-oracle.ts";
import { startSquad, type Squad } from "../support/kill/squad.ts";
import { namespace, settings } from "../support/story-files.ts";

/**
 * The hub's database put back from a backup, with spokes that have seen more than it remembers. They keep what
 * they have until the hub has read Git again, and then take what Git says, whatever the numbers in the backup.
 */
suite("the hub restored from a backup", () => {
  let squad: Squad;
  before(async () => {
    squad = await startSquad({ clusters: ["one", "two"] });
    await squad.checkAll();
  });
  after(() => squad.stop());

  const dataFolder = (): string => join(squad.fleet.folder, "hub");
  const backupFile = (): string => join(squad.fleet.folder, "backup.sqlite");

  function backUp(): void {
    rmSync(backupFile(), { force: true });
    const database = new Sqlite(join(dataFolder(), databaseFile), { readonly: true });
    database.prepare("vacuum into ?").run(backupFile());
    database.close();
  }

  /** Of the hub's folder only the database is in the backup; what else there is may be lost, or still be there. */
  async function restore(mirrors: "kept" | "lost" = "kept"): Promise<void> {
    await squad.fleet.hub.process.kill();
    for (const name of [`${databaseFile}-wal`, `${databaseFile}-shm`])
      rmSync(join(dataFolder(), name), { force: true });
    if (mirrors === "lost") rmSync(join(dataFolder(), "mirrors"), { recursive: true, force: true });
    copyFileSync(backupFile(), join(dataFolder(), databaseFile));
    await squad.fleet.launchHub().ready;
  }

  const allAttached = (): Promise<void> =>
    eventually(
      async () => {
        const { total } = await squad.fleet.api.get<{
          readonly total: { readonly clusters: { readonly attached: number } };
        }>("/v1/fleet/summary");
        assert.equal(total.clusters.attached, squad.members.length);
      },
      { withinMs: 30_000, what: "every spoke attached" },
    );

  /** One more application in every cluster: something that can go. */
  const guestSet = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: guest}
spec:
  goTemplate: true
  generators:
    - clusters: {selector: {matchLabels: {estate: "yes"}}}
  template:
    metadata: {name: 'guest-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: apps/guest}
      destination: {name: '{{ .name }}', namespace: guest}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`;
  const guest = "/api/v1/namespaces/guest/configmaps/settings";
  const guestFiles = (greeting: string): Readonly<Record<string, string>> => ({
    "fleet/guest.yaml": guestSet,
    "apps/guest/namespace.yaml": namespace("guest"),
    "apps/guest/settings.yaml": settings(greeting),
  });
  const names = (): readonly string[] => squad.members.map(({ application }) => application);
  const guestNames = (): readonly string[] => squad.members.map(({ name }) => `guest-${name}`);

  test("with several rounds more in the clusters than in the backup, the next push reaches everybody", async () => {
    backUp();
    for (let round = 0; round < 4; round += 1) {
      await squad.pushRound();
      await squad.checkAll();
    }
    await restore();
    // Nothing new in Git: what the clusters hold is what it says, and the hub learns so.
    await squad.checkAll();
    await squad.pushRound();
    await squad.checkAll();
  });

  test("while Git cannot be read, nothing goes back to what the backup remembers", async () => {
    const { fleet } = squad;
    backUp();
    await squad.pushRound();
    await squad.checkAll();
    const requestsBefore = squad.members.map(({ requests }) => requests.seen().length);
    fleet.git.setFault({ kind: "down" });
    try {
      await restore();
      await restore("lost");
      await allAttached();
      // The hub looks again with every heartbeat, and they come every second: let several pass.
      const heartbeats = 4;
      await eventually(
        async () => {
          const { connection } = await fleet.api.get<{
            readonly connection: { readonly sinceAtMs: number };
          }>("/v1/clusters/one");
          assert.ok(Date.now() - connection.sinceAtMs > heartbeats * 1_000);
        },
        { withinMs: 30_000, what: `${heartbeats} heartbeats` },
      );
      for (const { oracle } of squad.members) await oracle.check(squad.round());
      for (const [at, { requests }] of squad.members.entries())
        assert.deepEqual(changesAskedOf(requests.seen().slice(requestsBefore[at])), []);
    } finally {
      fleet.git.setFault({ kind: "none" });
    }
    await squad.checkAll();
    await squad.pushRound();
    await squad.checkAll();
  });

  test("what left Git after the backup does not come back, and what came stays", async () => {
    const { fleet } = squad;
    const withGuests = [...names(), ...guestNames()];
    await settled(fleet, withGuests, await fleet.push(guestFiles("hello")));
    backUp();
    const gone = Object.fromEntries(Object.keys(guestFiles("")).map((path) => [path, undefined]));
    await settled(fleet, names(), await fleet.push(gone));
    for (const { member } of squad.members)
      await eventually(async () => assert.equal(await member.kube.get(guest), undefined));
    const seenBefore = squad.members.map(({ requests }) => requests.seen().length);
    await restore();
    await settled(fleet, names(), await fleet.repository.head("main", AbortSignal.timeout(10_000)));
    await allAttached();
    for (const [at, { requests, name }] of squad.members.entries())
      assert.ok(
        !requests
          .seen()
          .slice(seenBefore[at])
          .some(({ method, path }) => method === "PATCH" && path.includes("/guest")),
        `${name}: what had left Git was made again`,
      );
  });

  test("what leaves Git after the restore leaves the clusters, though they saw it in newer generations", async () => {
    const { fleet } = squad;
    const withGuests = [...names(), ...guestNames()];
    await settled(fleet, withGuests, await fleet.push(guestFiles("hello")));
    backUp();
    for (const greeting of ["a", "b", "c"])
      await settled(fleet, withGuests, await fleet.push(guestFiles(greeting)));
    fleet.git.setFault({ kind: "down" });
    const gone = Object.fromEntries(Object.keys(guestFiles("")).map((path) => [path, undefined]));
    const commit = await fleet.push(gone);
    await restore();
    fleet.git.setFault({ kind: "none" });
    await settled(fleet, names(), commit);
    for (const { member } of squad.members)
      await eventually(async () => assert.equal(await member.kube.get(guest), undefined), {
        withinMs: 30_000,
      });
  });
});
