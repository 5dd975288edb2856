import { Script } from "node:vm";
import { fail, ok, type Result } from "../proto/kit/result.ts";

const place = Symbol.for("wheelhouse.work");

/** The engine's watchdog takes a text to run, which finds its work in a place that everybody sees. */
const script = new Script("globalThis[Symbol.for('wheelhouse.work')]()", { filename: "watchdog" });

const nothing = Symbol("nothing came of it");

/**
 * Runs work that may never end, for so long at most. What it has thrown is thrown on. Work that is stopped is
 * stopped anywhere, without its `finally` blocks: whatever it was changing is to be thrown away. Not to be nested.
 * Costs a tenth of a millisecond, for the thread that watches.
 */
export function endsWithin<T>(mostMs: number, work: () => T): Result<T, "took-too-long"> {
  let result: T | typeof nothing = nothing;
  const world = globalThis as { [place]?: () => void };
  world[place] = () => {
    result = work();
  };
  try {
    script.runInThisContext({ timeout: mostMs });
  } catch (error) {
    if (isTimeout(error)) return fail("took-too-long");
    throw error;
  } finally {
    delete world[place];
  }
  if (result === nothing) throw new TypeError("work under the watchdog did not run");
  return ok(result);
}

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
