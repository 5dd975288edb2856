import { homedir } from "node:os";
import { CommanderError } from "commander";
import { systemClock } from "../../proto/kit/clock.ts";
import { CliFailure, exitCodes, type ExitCode } from "./exit-codes.ts";
import { buildProgram } from "./program.ts";
import { openSession, type GlobalOptions } from "./session.ts";
import { manyLines } from "./terminal.ts";
import { ownVersion } from "./version.ts";
import type { CliWorld } from "./world.ts";

/**
 * Runs one command line, words after the program's name, and returns its exit code.
 *
 * A client of the HTTP API and nothing else. Without a world it works on the process it runs in, where the
 * first interrupt ends the command.
 */
export async function runCli(words: readonly string[], world?: CliWorld): Promise<number> {
  if (world !== undefined) return runIn(world, words);
  const interrupt = new AbortController();
  const stop = () => interrupt.abort(new Interrupted());
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  // A reader that closes the pipe (`| head`) has had enough; that is not an error.
  process.stdout.on("error", stop);
  try {
    return await runIn(
      {
        environment: process.env,
        homeFolder: homedir(),
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        clock: systemClock,
        random: Math.random,
        version: ownVersion,
        signal: interrupt.signal,
      },
      words,
    );
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

async function runIn(world: CliWorld, words: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  let given: GlobalOptions = {};
  const program = buildProgram(world, async (options, work) => {
    given = options;
    const session = openSession(world, options);
    try {
      code = await work(session);
    } finally {
      session.close();
    }
  });
  try {
    await program.parseAsync([...words], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return codeOfParser(error);
    if (world.signal.aborted) return exitCodes.interrupted;
    return tell(world, error, given);
  }
}

/** Help and version that were asked for are no mistake; help because nothing was asked for is. */
function codeOfParser({ code }: CommanderError): ExitCode {
  const asked = code === "commander.helpDisplayed" || code === "commander.version";
  return asked ? exitCodes.done : exitCodes.usage;
}

function tell(world: CliWorld, error: unknown, { verbose }: GlobalOptions): ExitCode {
  if (!(error instanceof CliFailure)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.stderr.write(`internal error: ${manyLines(detail)}\n`);
    return exitCodes.bug;
  }
  const code =
    error.problemCode === undefined || error.problemCode === "" ? "" : ` (${error.problemCode})`;
  world.stderr.write(`error: ${manyLines(error.message)}${code}\n`);
  if (error.hint !== undefined && error.hint !== "")
    world.stderr.write(`  hint: ${manyLines(error.hint)}\n`);
  if (verbose === true && error.cause instanceof Error)
    world.stderr.write(`  from: ${manyLines(error.cause.stack ?? error.cause.message)}\n`);
  return error.exitCode;
}
