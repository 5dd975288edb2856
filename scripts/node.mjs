// Finds a Node that can run this project. Plain JavaScript that any Node from 18 on can load.
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The Node binary to run TypeScript with: the one installed beside the code, else this one when it is new enough. */
export function findNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const binary = platform === "win" ? "node.exe" : "node";
  const installed = join(root, "node_modules", `node-${platform}-${process.arch}`, "bin", binary);
  if (existsSync(installed)) return installed;
  return isNewEnough(process.versions.node) ? process.execPath : undefined;
}

/** Type stripping without a flag: 22.18 and later. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** Runs a program in the foreground and becomes its exit code. Signals reach it and end us with it. */
export function runInForeground(program, words, environment = process.env) {
  const child = spawn(program, words, {
    stdio: "inherit",
    env: { ...environment, PATH: `${dirname(program)}${delimiter}${environment.PATH ?? ""}` },
  });
  // A terminal sends Ctrl-C to the whole group; what is sent to us alone must be passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`${program} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 128));
}

/** Flags every run of our TypeScript gets: quiet about type stripping, which is what we chose. */
export const nodeFlags = ["--disable-warning=ExperimentalWarning"];
