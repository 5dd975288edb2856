import { seeded } from "../seeded.ts";

/** Chance that comes from one seed, printed: `WHEELHOUSE_SEED` has the same drawn again. */
type Chance = {
  /** For what goes on one thing after the other. */
  readonly random: () => number;
  /**
   * For the `nth` (from 1) of the loops that run side by side: what it draws does not depend on who of them draws when.
   * The same numbers again each time it is asked for.
   */
  readonly randomOf: (nth: number) => () => number;
};

export function chanceOfRun(what: string): Chance {
  const given = process.env["WHEELHOUSE_SEED"];
  const seed = given === undefined ? Date.now() % 1_000_000 : Number(given);
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`WHEELHOUSE_SEED must be a whole number, got ${JSON.stringify(given)}`);
  say(`${what}: WHEELHOUSE_SEED=${seed} draws the same again`);
  return { random: seeded(seed), randomOf: (nth) => seeded(seed + nth) };
}

/** A line in the output of the run, among those that say what passed. */
export function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

/** A whole number from `least` up to and including `most`. */
export const wholeFrom = (random: () => number, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
