import { readFileSync } from "node:fs";
import { runProgram, type Program } from "../proto/kit/program.ts";
import { composeSpoke } from "./compose.ts";
import { jsonLog } from "./log.ts";
import { readSpokeSettings, spokeSettingHelp, type SpokeSettings } from "./settings.ts";

const spoke: Program<SpokeSettings> = {
  name: "wheelhouse spoke",
  usage: "usage: wheelhouse spoke --hub-address HOST:PORT [settings]",
  help: spokeSettingHelp,
  readSettings: readSpokeSettings,
  openLog: ({ logLevel }) =>
    jsonLog((line) => process.stdout.write(`${line}\n`), Date.now, logLevel),
  compose: composeSpoke,
};

/**
 * Runs a spoke until a signal stops it. Returns the exit code: 0 stopped, 1 failed, 78 bad settings.
 *
 * Holds nothing outside itself: several may run in one process.
 */
export function runSpoke(words: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  return runProgram(spoke, {
    words,
    environment: process.env,
    folder: process.cwd(),
    readFile: (path) => readFileSync(path, "utf8"),
    print: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
    stop: stop.signal,
  });
}
