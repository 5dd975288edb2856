import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { eventually } from "../support/eventually.ts";
import { estateLists } from "../support/kill/estate.ts";
import { openSmallDisk, whyNoSmallDisk, type SmallDisk } from "../support/kill/small-disk.ts";
import { startSquad, type Squad, type SquadMember } from "../support/kill/squad.ts";

/**
 * Disks that are full, on either side. What was there stays, what is running goes on, nothing is acknowledged
 * that is not on the disk, and when there is space again all goes on by itself.
 */
suite("a disk that is full", { skip: whyNoSmallDisk() }, () => {
  /** However far the beginning got: a mount would outlive us. */
  const opened = new AsyncDisposableStack();
  let hubDisk: SmallDisk;
  let spokeDisk: SmallDisk;
  let squad: Squad;
  let one: SquadMember;
  before(async () => {
    hubDisk = openSmallDisk(24);
    opened.defer(() => hubDisk.stop());
    spokeDisk = openSmallDisk(4);
    opened.defer(() => spokeDisk.stop());
    mkdirSync(join(hubDisk.folder, "data"));
    squad = await startSquad({
      clusters: ["one", "two"],
      hubSettings: { "data-folder": join(hubDisk.folder, "data") },
      stateFolder: (name) => (name === "one" ? join(spokeDisk.folder, "spoke") : undefined),
    });
    opened.defer(() => squad.stop());
    const [first] = squad.members;
    assert.ok(first !== undefined);
    one = first;
    await squad.checkAll();
  });
  after(() => opened.disposeAsync());

  const steadyMap = `${estateLists["configmaps"]}/steady-1`;
  const roundOf = async (): Promise<unknown> =>
    ((await one.member.kube.get(steadyMap))?.["data"] as { readonly round?: string } | undefined)
      ?.round;
  const said = (log: string, from: number, event: string): void =>
    assert.ok(log.slice(from).includes(event), `nothing said ${event}`);

  test("the spoke's: it keeps and heals what it has, takes nothing new, and goes on when there is space", async () => {
    const logFrom = one.member.spoke.log().length;
    spokeDisk.fill();
    const before = squad.round();
    await squad.pushRound();
    await eventually(() => said(one.member.spoke.log(), logFrom, "change could not be stored"), {
      withinMs: 20_000,
      what: "a word about the disk",
    });
    await one.member.kube.edit(steadyMap, { data: { round: "by hand" } });
    await eventually(async () => assert.equal(await roundOf(), String(before)), {
      withinMs: 20_000,
      what: "the hand edit healed",
    });
    assert.ok(one.member.spoke.isRunning());
    await one.checkNothingAcknowledgedIsLost();
    await one.oracle.checkSoFar(squad.round());
    spokeDisk.clear();
    await squad.checkAll();
  });

  test("the spoke's, and it is killed and started: it works from what it has", async () => {
    spokeDisk.fill();
    const before = squad.round();
    await squad.pushRound();
    for (let kill = 0; kill < 3; kill += 1) {
      await one.killSpoke();
      one.startSpoke();
      await one.member.kube.edit(steadyMap, { data: { round: "by hand" } });
      await eventually(async () => assert.equal(await roundOf(), String(before)), {
        withinMs: 20_000,
        what: "the hand edit healed",
      });
    }
    spokeDisk.clear();
    await squad.checkAll();
  });

  test("the hub's: it refuses what it cannot write down, answers what it knows, and goes on when there is space", async () => {
    const { fleet } = squad;
    const before = squad.round();
    hubDisk.fill();
    // The log of the database may have room in pages it has already: write until it has not.
    const acknowledged: string[] = [];
    const refusal = await eventually(
      async () => {
        const name = `guest-${acknowledged.length}`;
        try {
          await fleet.api.send("POST", "/v1/clusters", { name, labels: {} });
        } catch (error) {
          return String(error);
        }
        acknowledged.push(name);
        throw new Error(`${name} was written`);
      },
      { withinMs: 60_000, everyMs: 0, what: "a refusal" },
    );
    assert.match(refusal, /: 50[37] /);
    await squad.pushRound();
    const summary = await fleet.api.get<{
      readonly total: { readonly clusters: { readonly total: number } };
    }>("/v1/fleet/summary");
    assert.equal(summary.total.clusters.total, squad.members.length + acknowledged.length);
    for (const { oracle } of squad.members) await oracle.checkSoFar(squad.round());
    assert.equal(await roundOf(), String(before));
    assert.ok(fleet.hub.process.isRunning());
    hubDisk.clear();
    await squad.checkAll();
    await fleet.api.send("POST", "/v1/clusters", { name: "guest-after", labels: {} });
    const found = (await fleet.api.all<{ readonly name: string }>("/v1/clusters")).map(
      ({ name }) => name,
    );
    for (const name of [...acknowledged, "guest-after"]) assert.ok(found.includes(name), name);
  });

  test("the hub's, and it is killed and started: it says so and ends, or waits, and nothing is lost", async () => {
    const { fleet } = squad;
    hubDisk.fill();
    await squad.pushRound();
    await fleet.hub.process.kill();
    const again = fleet.launchHub();
    const outcome = await again.ready.then(
      () => "ready",
      (error: unknown) => String(error),
    );
    if (outcome !== "ready") assert.match(outcome, /full|ENOSPC|no space/i);
    for (const { oracle } of squad.members) await oracle.checkSoFar(squad.round());
    hubDisk.clear();
    if (outcome !== "ready") await fleet.launchHub().ready;
    await squad.checkAll();
  });
});
