import { seeded } from "../seeded.ts";

/** The seed of this run, and chance that comes from it. `WHEELHOUSE_SEED` repeats a run; what was used is printed. */
export function chanceOfRun(what: string): {
  readonly seed: number;
  readonly random: () => number;
} {
  const given = process.env["WHEELHOUSE_SEED"];
  const seed = given === undefined ? Date.now() % 1_000_000 : Number(given);
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`WHEELHOUSE_SEED must be a whole number, got ${JSON.stringify(given)}`);
  say(`${what}: WHEELHOUSE_SEED=${seed} repeats this run`);
  return { seed, random: seeded(seed) };
}

/** A line in the output of the run, among those that say what passed. */
export function say(line: string): void {
  process.stdout.write(`  ${line}\n`);
}

/** A whole number from `least` up to and including `most`. */
export const wholeFrom = (random: () => number, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
