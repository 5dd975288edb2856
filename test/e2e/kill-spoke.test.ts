import assert from "node:assert/strict";
import test, { after, before, suite } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { chanceOfRun, say, wholeFrom } from "../support/kill/seed.ts";
import { startSquad, type Squad } from "../support/kill/squad.ts";
import { measureSteps, stepsUpTo, strike, type Step } from "../support/kill/strikes.ts";

const killsLeast = 200;

/**
 * Spokes killed with SIGKILL. After every story: each cluster is at the last commit, no object is another than
 * it was, nothing was deleted that Git did not delete, every Job ran once, and what a spoke acknowledged as
 * stored was on its disk when it died.
 */
suite("the spoke killed", () => {
  const { randomOf } = chanceOfRun("kill-spoke");
  /** Of all stories, told apart by how they come. */
  const kills = { atSteps: 0, atRandom: 0 };
  let squad: Squad;
  before(async () => {
    squad = await startSquad({ clusters: ["one", "two", "three", "four"] });
  });
  after(() => squad.stop());

  test("at every step of a sync, before and after the API server has carried it out", async () => {
    const { warm, cold } = await measureSteps(squad);
    assert.ok(warm > 20 && cold > 30, `a round takes ${warm} requests, ${cold} with a start`);
    let missed = 0;
    /** A round in which every spoke that is left a step dies at it. */
    const strikeAll = async (steps: Step[], manner: "running" | "starting"): Promise<void> => {
      const begun = Promise.withResolvers<void>();
      const lives = squad.members.map(async (one) => {
        const step = steps.shift();
        if (step === undefined) return;
        if (manner === "starting") await one.killSpoke();
        const met = await strike(one, step, async () => {
          await begun.promise;
          if (manner === "starting") one.startSpoke();
        });
        if (met === undefined) {
          missed += 1;
        } else {
          kills.atSteps += 1;
          one.startSpoke();
        }
      });
      await squad.pushRound();
      begun.resolve();
      await Promise.all(lives);
      await squad.checkAll();
    };
    const warmSteps = [...stepsUpTo(warm)];
    while (warmSteps.length > 0) await strikeAll(warmSteps, "running");
    const coldSteps = [...stepsUpTo(cold)];
    while (coldSteps.length > 0) await strikeAll(coldSteps, "starting");
    const struck = kills.atSteps;
    say(`${struck} kills at the steps of ${squad.round()} syncs, ${missed} steps not reached`);
    // What waits for what differs a little from run to run, and with it the number of requests.
    assert.ok(missed < struck / 10, `${missed} of ${struck + missed} steps were not reached`);
  });

  test("at random moments, while commits keep coming", async () => {
    const killsEach = 20;
    const living = Promise.all(
      squad.members.map(async (one, at) => {
        const random = randomOf(1 + at);
        for (let kill = 0; kill < killsEach; kill += 1) {
          await pause(random() * 800);
          await one.killSpoke();
          kills.atRandom += 1;
          if (kill % 5 === 0) await one.oracle.checkSoFar(squad.round());
          one.startSpoke();
        }
      }),
    );
    const randomOfPushes = randomOf(1 + squad.members.length);
    const over = new AbortController();
    living.then(
      () => over.abort(),
      () => over.abort(),
    );
    while (!over.signal.aborted) {
      await squad.pushRoundInStep();
      await pause(wholeFrom(randomOfPushes, 0, 900), undefined, over).catch(() => {});
    }
    await living;
    await squad.checkAll();
    say(`${kills.atRandom} kills at random moments, round ${squad.round()}`);
  });

  test("often enough to mean something", () => {
    const all = kills.atSteps + kills.atRandom;
    assert.ok(all >= killsLeast, `${all} kills, ${JSON.stringify(kills)}`);
  });
});
