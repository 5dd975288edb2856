import type { Log } from "./log.ts";
import { describeError } from "./trouble.ts";
import { SettingsReader, type SettingSources } from "./settings.ts";
import { fail, ok, type Result } from "./result.ts";

/** What a program of ours needs from its process, so that tests can run it without one. */
export type ProgramSurroundings = {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What relative paths in settings are relative to. */
  readonly folder: string;
  /** Reads a small text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
  /** A line for whoever asked, and a line about what is wrong. */
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Aborts when somebody wants the program to stop. */
  readonly stop: AbortSignal;
};

/** A program that runs until it is stopped. */
export type Program<S> = {
  /** As it is typed: `wheelhouse hub`. */
  readonly name: string;
  readonly usage: string;
  readonly help: readonly (readonly [name: string, help: string])[];
  readonly readSettings: (sources: SettingSources, folder: string) => Result<S, readonly string[]>;
  readonly openLog: (settings: S) => Log;
  /** Puts the program together; what it resolves to works until the signal aborts. */
  readonly compose: (
    settings: S,
    log: Log,
    signal: AbortSignal,
  ) => Promise<{ readonly run: (signal: AbortSignal) => Promise<void> }>;
};

/** Runs a program to its end. Returns the exit code: 0 stopped or helped, 1 failed, 78 bad settings. */
export async function runProgram<S>(
  program: Program<S>,
  surroundings: ProgramSurroundings,
): Promise<number> {
  const { words, stop } = surroundings;
  if (words.includes("--help") || words.includes("-h")) {
    surroundings.print(settingsHelp(program.usage, program.help));
    return 0;
  }
  const sources = gatherSettings(surroundings);
  const settings = sources.ok
    ? program.readSettings(sources.value, surroundings.folder)
    : fail([sources.problem]);
  if (!settings.ok) {
    for (const problem of settings.problem) surroundings.complain(`${program.name}: ${problem}`);
    return badSettingsExitCode;
  }
  const log = program.openLog(settings.value);
  try {
    const running = await program.compose(settings.value, log, stop);
    await running.run(stop);
    log.info("stopped");
    return 0;
  } catch (error) {
    if (stop.aborted && error === stop.reason) return 0;
    log.error("failed", {
      problem: describeError(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return 1;
  }
}

/** Exit code of a program whose settings are wrong (EX_CONFIG of sysexits). */
const badSettingsExitCode = 78;

/**
 * Words, environment and the settings file named by either, ready for `SettingsReader`.
 *
 * Fails with a sentence when the file cannot be read or is not a JSON object.
 */
export function gatherSettings(
  surroundings: Pick<ProgramSurroundings, "words" | "environment" | "readFile">,
): Result<SettingSources, string> {
  const { words, environment } = surroundings;
  const path = new SettingsReader({ words, environment, file: undefined }).text("settings-file");
  if (path === undefined) return ok({ words, environment, file: undefined });
  let value: unknown;
  try {
    value = JSON.parse(surroundings.readFile(path));
  } catch (error) {
    return fail(`settings file ${path} cannot be read as JSON: ${describeError(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return fail(`settings file ${path} must hold a JSON object`);
  return ok({ words, environment, file: Object.fromEntries(Object.entries(value)) });
}

/** The text of `--help`: a heading and a line per setting, aligned. */
export function settingsHelp(
  heading: string,
  settings: readonly (readonly [name: string, help: string])[],
): string {
  const width = Math.max(...settings.map(([name]) => name.length)) + 2;
  const lines = settings.map(([name, help]) => `  ${`--${name}`.padEnd(width)}  ${help}`);
  return [
    heading,
    "",
    ...lines,
    "",
    "Each setting may also come from the environment (WHEELHOUSE_POLL_MS for --poll-ms) or the settings file (pollMs).",
  ].join("\n");
}
