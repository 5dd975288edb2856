import { readFileSync } from "node:fs";
import { badSettingsExitCode, gatherSettings, settingsHelp } from "../proto/kit/program.ts";
import { describeError } from "../proto/kit/trouble.ts";
import { composeSpoke } from "./compose.ts";
import { jsonLog } from "./log.ts";
import { readSpokeSettings, spokeSettingHelp, type SpokeSettings } from "./settings.ts";

/**
 * Runs a spoke until a signal stops it. Returns the exit code: 0 stopped, 1 failed, 78 bad settings.
 *
 * Holds nothing outside itself: several may run in one process.
 */
export async function runSpoke(words: readonly string[]): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(
      `${settingsHelp("usage: wheelhouse spoke --hub-address HOST:PORT [settings]", spokeSettingHelp)}\n`,
    );
    return 0;
  }
  const settings = settingsFromProcess(words);
  if (settings === undefined) return badSettingsExitCode;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const log = jsonLog((line) => process.stdout.write(`${line}\n`), Date.now, settings.logLevel);
  try {
    const spoke = await composeSpoke(settings, log, stop.signal);
    await spoke.run(stop.signal);
    log.info("spoke stopped");
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    log.error("spoke failed", {
      problem: describeError(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return 1;
  }
}

function settingsFromProcess(words: readonly string[]): SpokeSettings | undefined {
  const sources = gatherSettings({
    words,
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
  });
  const settings = sources.ok ? readSpokeSettings(sources.value, process.cwd()) : sources;
  if (settings.ok) return settings.value;
  for (const problem of [settings.problem].flat())
    process.stderr.write(`wheelhouse spoke: ${problem}\n`);
  return undefined;
}
