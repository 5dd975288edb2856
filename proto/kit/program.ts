import { describeError } from "./trouble.ts";
import { SettingsReader, type SettingSources } from "./settings.ts";
import { fail, ok, type Result } from "./result.ts";

/** What a program of ours needs from its process, so that tests can run it without one. */
export type ProgramSurroundings = {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a small text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
};

/** Exit code of a program whose settings are wrong (EX_CONFIG of sysexits). */
export const badSettingsExitCode = 78;

/**
 * Words, environment and the settings file named by either, ready for `SettingsReader`.
 *
 * Fails with a sentence when the file cannot be read or is not a JSON object.
 */
export function gatherSettings(surroundings: ProgramSurroundings): Result<SettingSources, string> {
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
