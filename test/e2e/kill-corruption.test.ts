import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { databaseFile } from "../../hub/store/database.ts";
import { eventually } from "../support/eventually.ts";
import { damage, damageKinds, filesBelow, type DamageKind } from "../support/kill/damage.ts";
import { chanceOfRun, say, wholeFrom } from "../support/kill/seed.ts";
import { startSquad, type Squad, type SquadMember } from "../support/kill/squad.ts";

/**
 * Files that are damaged or gone, on either side. What is damaged is noticed and put aside, made again or
 * fetched again, or the program says what to do and ends. Whatever happens, nothing is deleted and nothing is
 * made twice.
 */
suite("damaged files", () => {
  const { random } = chanceOfRun("kill-corruption");
  let squad: Squad;
  before(async () => {
    squad = await startSquad({ clusters: ["one", "two"] });
    await squad.checkAll();
  });
  after(() => squad.stop());

  const oneOf = <T>(values: readonly T[]): T =>
    values[wholeFrom(random, 0, values.length - 1)] ?? assert.fail("nothing to choose from");
  const stateOf = ({ member }: SquadMember): string => join(member.folder, "spoke");

  test("of a spoke: it fetches again what it lacks, and nobody notices but its log", async () => {
    const rounds = 14;
    const done: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const one of squad.members) {
        await one.member.spoke.kill();
        // The set itself every other time: it is one file among many.
        const files = filesBelow(stateOf(one));
        const path = round % 2 === 0 ? join(stateOf(one), "desired-set") : oneOf(files);
        if (existsSync(path)) done.push(damage(path, oneOf(damageKinds), random));
        one.startSpoke();
      }
      if (random() < 0.5) await squad.pushRound();
      await squad.checkAll();
    }
    say(`${done.length} damaged files of spokes`);
  });

  test("of a spoke whose hub is away: it touches nothing until it knows again what is wanted", async () => {
    await squad.fleet.hub.process.stop();
    const from = squad.members.map(({ requests }) => requests.seen().length);
    for (const one of squad.members) {
      await one.member.spoke.kill();
      damage(join(stateOf(one), "desired-set"), "cut", random);
      const logFrom = one.member.spoke.log().length;
      one.startSpoke();
      await eventually(
        () => assert.match(one.member.spoke.log().slice(logFrom), /damaged desired set set aside/),
        { what: "a word about the damage" },
      );
    }
    await squad.fleet.launchHub().ready;
    await squad.checkAll();
    for (const [at, { requests, name }] of squad.members.entries())
      assert.ok(
        !requests
          .seen()
          .slice(from[at])
          .some(({ method }) => method === "DELETE"),
        `${name}: something was deleted`,
      );
  });

  const dataFolder = (): string => join(squad.fleet.folder, "hub");
  const copyFolder = (): string => join(squad.fleet.folder, "hub-copy");

  /**
   * Kills everything, has the hub's files damaged, starts everything, and has `judge` told what the hub said if
   * it ended instead. Puts the files back afterwards, as an operator with a backup would.
   */
  async function withDamage(
    hurt: () => string,
    judge: (what: string, refusal: string | undefined) => Promise<void>,
  ): Promise<void> {
    let what = "";
    const refusal = await restartAround(() => {
      rmSync(copyFolder(), { recursive: true, force: true });
      cpSync(dataFolder(), copyFolder(), { recursive: true });
      what = hurt();
    });
    try {
      await judge(what, refusal);
    } catch (error) {
      throw new Error(`${what}, ${refusal ?? "and the hub started"}`, { cause: error });
    } finally {
      await restartAround(() => {
        rmSync(dataFolder(), { recursive: true, force: true });
        cpSync(copyFolder(), dataFolder(), { recursive: true });
      });
    }
    await squad.checkAll();
  }

  /** Spokes too: one that was long without its hub waits longer and longer before it looks again. */
  async function restartAround(work: () => void): Promise<string | undefined> {
    const { hub } = squad.fleet;
    await hub.process.kill();
    for (const { member } of squad.members) await member.spoke.kill();
    work();
    const from = hub.process.log().length;
    const launched = squad.fleet.launchHub();
    const refusal = await launched.ready.then(
      () => undefined,
      () => hub.process.log().slice(from),
    );
    for (const one of squad.members) one.startSpoke();
    return refusal;
  }

  /** What a hub that ends must have said: what is wrong, and what is to be done about it. */
  const instruction = /restore a backup/;

  const databaseFiles = [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`];
  test("of the hub's database: it works as before, or says that a backup is to be restored", async () => {
    const tries = 14;
    let refused = 0;
    const unwell: string[] = [];
    for (let turn = 0; turn < tries; turn += 1)
      await withDamage(
        () => {
          const present = databaseFiles.filter((name) => existsSync(join(dataFolder(), name)));
          const file = turn % 2 === 0 ? databaseFile : oneOf(present);
          return damage(join(dataFolder(), file), oneOf(damageKinds), random);
        },
        async (what, refusal) => {
          if (refusal === undefined) {
            await squad.pushRound();
            // Damage that shows only when it is read may stop the hub's work, and never a cluster's.
            if (!(await squad.settledWithin(10_000))) unwell.push(what);
          } else {
            refused += 1;
            assert.match(refusal, instruction);
          }
          for (const { oracle } of squad.members) await oracle.checkSoFar(squad.round());
        },
      );
    say(`${tries} damaged databases: ${refused} refused, ${unwell.length} hubs not well`);
    for (const what of unwell) say(`not well with ${what}`);
  });

  const others: readonly { readonly path: string; readonly kinds: readonly DamageKind[] }[] = [
    { path: "authority/authority.pem", kinds: ["flip-many", "cut", "empty", "gone"] },
    { path: "authority/server.pem", kinds: ["flip", "cut", "empty", "gone"] },
    { path: "mirrors", kinds: damageKinds },
  ];
  for (const { path, kinds } of others)
    test(`of the hub's ${path}: made again, or refused with what to do`, async () => {
      for (const kind of kinds)
        await withDamage(
          () => {
            const whole = join(dataFolder(), path);
            const files = path === "mirrors" ? filesBelow(whole) : [whole];
            return damage(oneOf(files), kind, random);
          },
          async (_what, refusal) => {
            if (refusal !== undefined) {
              assert.match(refusal, instruction);
              return;
            }
            await squad.pushRound();
            await squad.checkAll();
          },
        );
    });
});
