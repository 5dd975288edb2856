import { readFileSync } from "node:fs";
import { badSettingsExitCode, gatherSettings, settingsHelp } from "../proto/kit/program.ts";
import { describeError } from "../proto/kit/trouble.ts";
import { composeHub } from "./compose.ts";
import { jsonLog } from "./log.ts";
import { hubSettingHelp, readHubSettings, type HubSettings } from "./settings.ts";

/** Runs the hub until a signal stops it. Returns the exit code: 0 stopped, 1 failed, 78 bad settings. */
export async function runHub(words: readonly string[]): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(
      `${settingsHelp("usage: wheelhouse hub --fleet-repository URL [settings]", hubSettingHelp)}\n`,
    );
    return 0;
  }
  const settings = settingsFromProcess(words);
  if (settings === undefined) return badSettingsExitCode;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const log = jsonLog({ level: settings.logLevel });
  try {
    const hub = await composeHub(settings, log, stop.signal);
    await hub.run(stop.signal);
    log.info("hub stopped");
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    log.error("hub failed", {
      problem: describeError(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return 1;
  }
}

function settingsFromProcess(words: readonly string[]): HubSettings | undefined {
  const sources = gatherSettings({
    words,
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
  });
  const settings = sources.ok ? readHubSettings(sources.value, process.cwd()) : sources;
  if (settings.ok) return settings.value;
  for (const problem of [settings.problem].flat())
    process.stderr.write(`wheelhouse hub: ${problem}\n`);
  return undefined;
}
