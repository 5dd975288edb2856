import assert from "node:assert/strict";
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { databaseFile } from "../../hub/store/database.ts";
import { eventually } from "../support/eventually.ts";
import { damage, damageKinds, filesBelow } from "../support/kill/damage.ts";
import { changesAskedOf } from "../support/kill/estate-oracle.ts";
import type { SeenRequest } from "../support/kill/request-proxy.ts";
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
    const from = new Map<SquadMember, number>();
    for (const one of squad.members) {
      await one.member.spoke.kill();
      from.set(one, one.requests.seen().length);
      damage(join(stateOf(one), "desired-set"), "cut", random);
      const logFrom = one.member.spoke.log().length;
      one.startSpoke();
      // It knows what it has in the cluster, and has had time to act on it: it looked for its hub again and again.
      await eventually(
        () => {
          const said = one.member.spoke.log().slice(logFrom);
          assert.match(said, /damaged desired set set aside/);
          assert.ok(said.split('"event":"link lost"').length > 4, "it has hardly looked");
          const asked = one.requests.seen().slice(from.get(one));
          assert.ok(asked.some(isInventoryRead), "it has not read its inventories");
        },
        { withinMs: 30_000, what: "a word about the damage, and several about the hub" },
      );
    }
    for (const [{ name, requests }, start] of from)
      assert.deepEqual(changesAskedOf(requests.seen().slice(start)), [], name);
    await squad.fleet.launchHub().ready;
    await squad.checkAll();
    for (const [{ name, requests }, start] of from)
      assert.ok(
        !requests
          .seen()
          .slice(start)
          .some(({ method }) => method === "DELETE"),
        `${name}: something was deleted`,
      );
  });

  const dataFolder = (): string => join(squad.fleet.folder, "hub");
  const copyFolder = (): string => join(squad.fleet.folder, "hub-copy");

  /** How the hub took being started again: whether it ended instead, and what it and the spokes have said since. */
  type Start = {
    readonly isRefused: boolean;
    readonly said: () => string;
    readonly spokesSaid: () => string;
  };

  /**
   * Kills everything, has the hub's files damaged, starts everything, and has `judge` told how the hub took it. Puts the files back afterwards, as an operator with a backup would.
   */
  async function withDamage(
    hurt: () => string,
    judge: (what: string, start: Start) => Promise<void>,
  ): Promise<void> {
    let what = "";
    const start = await restartAround(() => {
      rmSync(copyFolder(), { recursive: true, force: true });
      cpSync(dataFolder(), copyFolder(), { recursive: true });
      what = hurt();
    });
    try {
      await judge(what, start);
    } catch (error) {
      const outcome = start.isRefused ? start.said() : "and the hub started";
      throw new Error(`${what}, ${outcome}`, { cause: error });
    } finally {
      await restartAround(() => {
        rmSync(dataFolder(), { recursive: true, force: true });
        cpSync(copyFolder(), dataFolder(), { recursive: true });
      });
    }
    await squad.checkAll();
  }

  /** Spokes too: one that was long without its hub waits longer and longer before it looks again. */
  async function restartAround(work: () => void): Promise<Start> {
    const { hub } = squad.fleet;
    await hub.process.kill();
    for (const { member } of squad.members) await member.spoke.kill();
    work();
    const from = hub.process.log().length;
    const launched = squad.fleet.launchHub();
    const isRefused = await launched.ready.then(
      () => false,
      () => true,
    );
    const spokesFrom = squad.members.map(({ member }) => member.spoke.log().length);
    for (const one of squad.members) one.startSpoke();
    return {
      isRefused,
      said: () => hub.process.log().slice(from),
      spokesSaid: () =>
        squad.members.map(({ member }, at) => member.spoke.log().slice(spokesFrom[at])).join("\n"),
    };
  }

  /** What a hub that ends must have said: what is wrong, and what is to be done about it. */
  const instruction = /restore a backup/;

  /**
   * Throws when a hub that is not well keeps it to itself. One that was only slow has time to get well. Whom it
   * turns away it tells, and not its own log: strangers could fill that.
   */
  const saysSoOrSettles = ({ said, spokesSaid }: Start): Promise<void> =>
    eventually(
      async () => {
        if (
          tellsOfTrouble(said()) ||
          turnedAway.test(spokesSaid()) ||
          (await squad.settledWithin(1_000))
        )
          return;
        const logs = `${said().slice(-4_000)}\nspokes:\n${spokesSaid().slice(-4_000)}`;
        throw new Error(`not settled, and no word of trouble:\n${logs}`);
      },
      { withinMs: 60_000, what: "a hub that is well, or says that it is not" },
    );

  const databaseFiles = [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`];
  test("of the hub's database: it works as before, or says that a backup is to be restored, or what it cannot do", async () => {
    const tries = 14;
    let refused = 0;
    const unwell: string[] = [];
    for (let turn = 0; turn < tries; turn += 1) {
      const kind = oneOf(damageKinds);
      await withDamage(
        () => {
          const present = databaseFiles.filter((name) => existsSync(join(dataFolder(), name)));
          const file = turn % 2 === 0 ? databaseFile : oneOf(present);
          return damage(join(dataFolder(), file), kind, random);
        },
        async (what, start) => {
          if (start.isRefused) {
            refused += 1;
            assert.match(start.said(), instruction);
          } else {
            await squad.pushRound();
            // Damage that shows only when it is read may stop the hub's work, and never a cluster's.
            if (!(await squad.settledWithin(10_000))) {
              unwell.push(what);
              // A bit flipped inside a value is noticed only where there is a digest: nobody can tell of it.
              if (!kind.startsWith("flip")) await saysSoOrSettles(start);
            }
          }
          for (const { oracle } of squad.members) await oracle.checkSoFar(squad.round());
        },
      );
    }
    say(`${tries} damaged databases: ${refused} refused, ${unwell.length} hubs not well`);
    for (const what of unwell) say(`not well with ${what}`);
  });

  /** A letter that became another letter makes another token: the hub says that it opens nothing, and goes on. */
  const notGood = /admin token in its file is not good/;

  for (const path of ["authority/authority.pem", "authority/server.pem", "admin-token", "mirrors"])
    test(`of the hub's ${path}: made again, or refused with what to do`, async () => {
      for (const kind of damageKinds)
        await withDamage(
          () => {
            const whole = join(dataFolder(), path);
            const files = path === "mirrors" ? filesBelow(whole) : [whole];
            return damage(oneOf(files), kind, random);
          },
          async (_what, { isRefused, said }) => {
            if (isRefused) {
              assert.match(said(), instruction);
              return;
            }
            if (notGood.test(said())) return;
            await squad.pushRound();
            await squad.checkAll();
          },
        );
    });
});

const isInventoryRead = ({ method, path, status }: SeenRequest): boolean =>
  method === "GET" && path.endsWith("/configmaps") && status === 200;

type LogLine = { readonly level?: string; readonly code?: string; readonly problem?: string };

/** What a spoke says when the hub does not know it any more. */
const turnedAway = /"level":"error".*"event":"hub refused this spoke".*"code":"WH-/;

/**
 * Whether a log has an error, or a warning with a code or about the database. A hub that is well
 * writes none of these, however it died before.
 */
const tellsOfTrouble = (log: string): boolean =>
  log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as LogLine)
    .some(
      ({ level, code, problem = "" }) =>
        level === "error" ||
        (level === "warn" &&
          (code?.startsWith("WH-") === true ||
            /the store could not be|SQLITE_|database/.test(problem))),
    );
