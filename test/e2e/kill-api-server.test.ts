import assert from "node:assert/strict";
import test, { after, before, describe, suite } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { whyNoControlPlane } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import { startFaultProxy, type FaultProxy, type Weather } from "../support/fault-proxy.ts";
import { changesAskedOf } from "../support/kill/estate-oracle.ts";
import type { SeenRequest } from "../support/kill/request-proxy.ts";
import { chanceOfRun, say, wholeFrom } from "../support/kill/seed.ts";
import { startSquad, type Squad, type SquadMember } from "../support/kill/squad.ts";
import { measureSteps, stepsUpTo, strike } from "../support/kill/strikes.ts";

const { random } = chanceOfRun("kill-api-server");

/** The line between a spoke and its API server in every weather; the hub notices nothing but the delay. */
suite("the API server's line", () => {
  let line: FaultProxy;
  let squad: Squad;
  before(async () => {
    line = await startFaultProxy(0);
    squad = await startSquad({ clusters: ["one"], apiLine: () => line });
    await squad.checkAll();
  });
  after(async () => {
    await squad?.stop();
    await line?.stop();
  });

  const weathers: readonly { readonly name: string; readonly weather: Weather }[] = [
    { name: "cut", weather: { kind: "cut" } },
    { name: "stalled", weather: { kind: "stalled" } },
    { name: "dead towards the API server", weather: { kind: "half-open", dead: "to-server" } },
    { name: "dead towards the spoke", weather: { kind: "half-open", dead: "to-client" } },
  ];
  for (const { name, weather } of weathers)
    test(`${name} in the middle of a sync, and clear again: the sync ends as if nothing had been`, async () => {
      const [one] = squad.members;
      assert.ok(one !== undefined);
      let met = 0;
      for (let time = 0; time < 3; time += 1) {
        await pushAndReachMiddle(squad, one);
        const from = one.requests.seen().length;
        line.set(weather);
        await pause(random() * 500);
        if (time === 2) await one.killSpoke();
        line.set({ kind: "clear" });
        if (time === 2) one.startSpoke();
        await squad.checkAll(90_000);
        if (changesAskedOf(one.requests.seen().slice(from)).length > 0) met += 1;
      }
      assert.ok(met > 0, "every sync was over before the weather came");
      say(`${name}: ${met} of 3 syncs had something left to write`);
    });

  test("slow, syncs take longer and end well", async () => {
    line.set({ kind: "slow", bytesPerSecond: 50_000, latencyMs: 30 });
    await squad.pushRound();
    await squad.checkAll(90_000);
    line.set({ kind: "clear" });
  });
});

/** The same estate on a real API server with real controllers. */
describe("a real control plane", { skip: whyNoControlPlane() }, () => {
  let plane: ControlPlane;
  let squad: Squad;
  let one: SquadMember;
  before(async () => {
    plane = await startControlPlane({ name: "real", workloads: true });
    squad = await startSquad({ clusters: ["real"], openCluster: () => Promise.resolve(plane) });
    const [first] = squad.members;
    assert.ok(first !== undefined);
    one = first;
    await squad.checkAll();
  });
  after(() => squad?.stop());

  test("the spoke killed at 60 steps of syncs, before and after they were carried out", async () => {
    const kills = 60;
    const { warm, cold } = await measureSteps(squad);
    const [warmSteps, coldSteps] = [warm, cold].map((count) => {
      const steps = [...stepsUpTo(count)];
      return () => steps.splice(wholeFrom(random, 0, steps.length - 1), 1)[0] ?? assert.fail();
    });
    assert.ok(warmSteps !== undefined && coldSteps !== undefined);
    let struck = 0;
    while (struck < kills) {
      const met = await strike(one, warmSteps(), squad.pushRound);
      if (met === undefined) continue;
      struck += 1;
      // And once more on the way back, while there is something left to do.
      const again = await strike(one, coldSteps(), one.startSpoke);
      if (again !== undefined) {
        struck += 1;
        one.startSpoke();
      }
      await squad.checkAll();
    }
    say(`${struck} kills at steps against a real API server, round ${squad.round()}`);
  });

  test("its API server killed in the middle of syncs, and started", async () => {
    let met = 0;
    for (let time = 0; time < 3; time += 1) {
      await pushAndReachMiddle(squad, one);
      const from = one.requests.seen().length;
      await plane.apiServer.kill();
      if (time === 1) await one.killSpoke();
      await plane.apiServer.start();
      if (time === 1) one.startSpoke();
      await squad.checkAll(120_000, "cut-off");
      if (changesAskedOf(one.requests.seen().slice(from)).length > 0) met += 1;
    }
    assert.ok(met > 0, "every sync was over before the API server died");
    say(`API server killed: ${met} of 3 syncs had something left to write`);
  });

  test("its etcd paused under a push: what cannot be written waits, and is written once", async () => {
    for (let time = 0; time < 2; time += 1) {
      plane.etcd.pause();
      const from = one.requests.seen().length;
      await squad.pushRound();
      await eventually(
        () =>
          assert.ok(
            one.requests.seen().slice(from).some(isUnansweredWrite),
            "nothing waits to be written",
          ),
        { withinMs: 30_000, what: "a write that waits" },
      );
      await pause(random() * 3_000);
      if (time === 1) await one.killSpoke();
      plane.etcd.resume();
      if (time === 1) one.startSpoke();
      await squad.checkAll(120_000, "cut-off");
    }
  });
});

/** A round whose first requests have been made, as many as chance decides. */
async function pushAndReachMiddle(squad: Squad, one: SquadMember): Promise<void> {
  const from = one.requests.seen().length;
  // A round takes a few requests more.
  const middle = wholeFrom(random, 1, 20);
  await squad.pushRound();
  await eventually(
    async () => {
      if (one.requests.seen().length < from + middle) await one.settledNow();
    },
    { withinMs: 20_000, everyMs: 1, what: `${middle} requests` },
  );
}

const isUnansweredWrite = ({ method, status }: SeenRequest): boolean =>
  method === "PATCH" && status === undefined;
