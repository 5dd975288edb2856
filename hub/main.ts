import { readFileSync } from "node:fs";
import { runProgram, type Program } from "../proto/kit/program.ts";
import { composeHub } from "./compose.ts";
import { jsonLog } from "./log.ts";
import { hubSettingHelp, readHubSettings, type HubSettings } from "./settings.ts";

const hub: Program<HubSettings> = {
  name: "wheelhouse hub",
  usage: "usage: wheelhouse hub --fleet-repository URL [settings]",
  help: hubSettingHelp,
  readSettings: readHubSettings,
  openLog: ({ logLevel }) => jsonLog({ level: logLevel }),
  compose: composeHub,
};

/** Runs the hub until a signal stops it. Returns the exit code: 0 stopped, 1 failed, 78 bad settings. */
export function runHub(words: readonly string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  return runProgram(hub, {
    words,
    environment: process.env,
    folder: process.cwd(),
    readFile: (path) => readFileSync(path, "utf8"),
    print: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`${line}\n`),
    stop: stop.signal,
  });
}
