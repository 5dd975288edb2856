import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { startFaultProxy, type FaultProxy, type Weather } from "../support/fault-proxy.ts";
import { estateLists } from "../support/kill/estate.ts";
import { chanceOfRun, say, wholeFrom } from "../support/kill/seed.ts";
import { startSquad, type Squad, type SquadMember } from "../support/kill/squad.ts";

/**
 * The link between hub and spokes in every weather. Both ends notice a line that is dead, spokes go on with
 * what they have, a slow line is used and not given up, and when it is clear again everybody is at the last
 * commit, in one session each.
 */
suite("the link", () => {
  const { random } = chanceOfRun("kill-link");
  const lines = new Map<string, FaultProxy>();
  let squad: Squad;
  before(async () => {
    const clusters = ["one", "two", "three"];
    for (const name of clusters) lines.set(name, await startFaultProxy(0));
    squad = await startSquad({
      clusters,
      linkAddress: (hub, name) => {
        const line = lineOf(name);
        line.aim(hub.linkPort);
        return line.address;
      },
    });
    await squad.checkAll();
  });
  after(async () => {
    await squad?.stop();
    for (const line of lines.values()) await line.stop();
  });

  function lineOf(name: string): FaultProxy {
    const line = lines.get(name);
    if (line === undefined) throw new TypeError(`there is no line to ${name}`);
    return line;
  }

  const setAll = (weather: Weather): void => {
    for (const line of lines.values()) line.set(weather);
  };

  type ClusterView = {
    readonly id: string;
    readonly connection: { readonly kind: string; readonly sinceAtMs?: number };
  };
  const connectionOf = async ({ name }: SquadMember): Promise<ClusterView["connection"]> =>
    (await squad.fleet.api.get<ClusterView>(`/v1/clusters/${name}`)).connection;

  const allAre = (kind: "attached" | "detached"): Promise<void> =>
    eventually(
      async () => {
        for (const one of squad.members)
          assert.equal((await connectionOf(one)).kind, kind, one.name);
      },
      { withinMs: 30_000, what: `every spoke ${kind}` },
    );

  /** One session a spoke, whatever came before. */
  async function checkSessions(): Promise<void> {
    const { total } = await squad.fleet.api.get<{
      readonly total: { readonly clusters: { readonly attached: number } };
    }>("/v1/fleet/summary");
    assert.equal(total.clusters.attached, squad.members.length);
    const metrics = await fetch(`${squad.fleet.hub.url}/metrics`, {
      headers: { authorization: `Bearer ${squad.fleet.hub.adminToken}` },
    });
    const [, open] =
      /^wheelhouse_hub_sessions_attached (\d+)$/m.exec(await metrics.text()) ?? assert.fail();
    assert.equal(Number(open), squad.members.length);
  }

  /** The clusters whose spokes the hub says are gone. */
  const detachedIn = (log: string): readonly string[] =>
    log
      .split("\n")
      .filter((line) => line.includes("spoke detached"))
      .map((line) => (JSON.parse(line) as { readonly cluster: string }).cluster);

  const steadyMap = `${estateLists["configmaps"]}/steady-2`;
  async function healsAlone(one: SquadMember, round: number): Promise<void> {
    const { kube } = one.member;
    await kube.edit(steadyMap, { data: { round: "by hand" } });
    await eventually(
      async () => {
        const found = await kube.get(steadyMap);
        assert.deepEqual(found?.["data"], { round: String(round) });
      },
      { withinMs: 20_000, what: `${one.name} heals` },
    );
  }

  const dead: readonly { readonly name: string; readonly weather: Weather }[] = [
    { name: "cut", weather: { kind: "cut" } },
    { name: "stalled", weather: { kind: "stalled" } },
    { name: "dead towards the hub", weather: { kind: "half-open", dead: "to-server" } },
    { name: "dead towards the spoke", weather: { kind: "half-open", dead: "to-client" } },
  ];
  for (const { name, weather } of dead)
    test(`${name}: both ends notice, spokes heal what they have, and all goes on when it is clear`, async () => {
      await allAre("attached");
      const before = squad.round();
      const { process: hub } = squad.fleet.hub;
      const hubFrom = hub.log().length;
      const spokeFrom = squad.members.map(({ member }) => member.spoke.log().length);
      try {
        setAll(weather);
        await allAre("detached");
        await squad.pushRound();
        for (const [at, one] of squad.members.entries()) {
          await healsAlone(one, before);
          await eventually(
            () =>
              assert.match(
                one.member.spoke.log().slice(spokeFrom[at]),
                /link lost|hub fell silent|hub ended/,
              ),
            { what: `${one.name} notices` },
          );
          const { id } = await squad.fleet.api.get<ClusterView>(`/v1/clusters/${one.name}`);
          await eventually(
            () => assert.ok(detachedIn(hub.log().slice(hubFrom)).includes(id), "not in its log"),
            { what: `the hub notices that ${one.name} is gone` },
          );
        }
      } finally {
        setAll({ kind: "clear" });
      }
      await squad.checkAll();
      await checkSessions();
    });

  test("slow, it carries a large bundle in the session it has, and heartbeats beside it", async () => {
    const since = await Promise.all(squad.members.map(connectionOf));
    setAll({ kind: "slow", bytesPerSecond: 60_000, latencyMs: 100 });
    await squad.pushRound("z".repeat(300_000));
    await squad.checkAll();
    assert.deepEqual(await Promise.all(squad.members.map(connectionOf)), since);
    setAll({ kind: "clear" });
    await squad.pushRound();
    await squad.checkAll();
  });

  test("changing at random, with spokes killed in the middle, under pushes", async () => {
    const changes = 60;
    let kills = 0;
    const weathers: readonly Weather[] = [
      ...dead.map(({ weather }) => weather),
      { kind: "slow", bytesPerSecond: 20_000, latencyMs: 200 },
      { kind: "clear" },
      { kind: "clear" },
    ];
    for (let change = 0; change < changes; change += 1) {
      const one = squad.members[wholeFrom(random, 0, squad.members.length - 1)] ?? assert.fail();
      const line = lineOf(one.name);
      line.set(weathers[wholeFrom(random, 0, weathers.length - 1)] ?? assert.fail());
      if (random() < 0.3) line.reset();
      if (random() < 0.4) await squad.pushRoundInStep();
      if (random() < 0.2) {
        await one.killSpoke();
        one.startSpoke();
        kills += 1;
      }
      await pause(random() * 300);
    }
    for (const { oracle } of squad.members) await oracle.checkSoFar(squad.round());
    setAll({ kind: "clear" });
    await squad.checkAll();
    await checkSessions();
    say(`${changes} changes of weather, ${kills} spokes killed, round ${squad.round()}`);
  });
});
