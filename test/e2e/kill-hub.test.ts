import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { clientLedger } from "../support/kill/client-ledger.ts";
import { chanceOfRun, say } from "../support/kill/seed.ts";
import { startSquad, type Squad } from "../support/kill/squad.ts";

const kills = 200;

/**
 * The hub killed with SIGKILL while commits are pushed and people use its API. Afterwards: each cluster is at
 * the last commit, nothing was deleted or made again, and whatever the API answered to is so, once.
 */
suite("the hub killed", () => {
  const { randomOf } = chanceOfRun("kill-hub");
  const [randomOfKills, randomOfClient] = [randomOf(1), randomOf(2)];
  let squad: Squad;
  before(async () => {
    squad = await startSquad({ clusters: ["one", "two"] });
    await squad.checkAll();
  });
  after(() => squad.stop());

  test(`${kills} times at any moment, its start among them, under pushes and requests`, async () => {
    const { fleet } = squad;
    const [one] = squad.members;
    assert.ok(one !== undefined);
    const ledger = clientLedger(one.application);
    const over = new AbortController();
    const client = (async () => {
      while (!over.signal.aborted) {
        await ledger.act(fleet.hub);
        await pause(randomOfClient() * 20);
      }
    })();
    let whileStarting = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      if (randomOfKills() < 0.6) await squad.pushRoundInStep();
      await pause(randomOfKills() * 350);
      await fleet.hub.process.kill();
      let hub = fleet.launchHub();
      while (randomOfKills() < 0.4 && kill < kills) {
        hub.ready.catch(() => {});
        await pause(randomOfKills() * 300);
        await hub.process.kill();
        whileStarting += 1;
        kill += 1;
        hub = fleet.launchHub();
      }
      await hub.ready;
      if (kill % 50 === 0) await ledger.check(fleet.hub);
    }
    over.abort();
    await client;
    await squad.pushRound();
    await squad.checkAll();
    await eventually(
      async () => {
        await ledger.check(fleet.hub);
        assert.equal(ledger.waiting(), 0, `${ledger.waiting()} orders wait`);
      },
      { withinMs: 60_000, everyMs: 500, what: "everything acknowledged so, and every order ended" },
    );
    assert.ok(ledger.acknowledged() > kills, `only ${ledger.acknowledged()} acknowledgements`);
    say(
      `${kills} kills, ${whileStarting} of them while it started; ` +
        `${ledger.acknowledged()} acknowledged requests, round ${squad.round()}`,
    );
  });
});
