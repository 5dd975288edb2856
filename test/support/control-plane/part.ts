import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Guard } from "./guard.ts";

/** One program of a control plane, with its log in a file. */
export type Part = {
  readonly name: string;
  readonly isRunning: () => boolean;
  /** The end of what it has written. */
  readonly logEnd: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** SIGKILL, and waits for the end. */
  readonly kill: () => Promise<void>;
  /** SIGTERM, SIGKILL after `graceMs`, and waits for the end. */
  readonly stop: (graceMs: number) => Promise<void>;
};

export function startPart(
  name: string,
  file: string,
  words: readonly string[],
  logFile: string,
  guard: Pick<Guard, "add" | "remove">,
): Part {
  const output = openSync(logFile, "a");
  const child: ChildProcess = spawn(file, words, { stdio: ["ignore", output, output] });
  closeSync(output);
  let running = true;
  const { pid } = child;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      running = false;
      if (pid !== undefined) guard.remove(pid);
      resolve();
    };
    child.on("exit", end);
    child.on("error", end);
  });
  if (pid !== undefined) guard.add(pid);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    name,
    isRunning: () => running,
    logEnd: () => readFileSync(logFile, "utf8").slice(-4_000),
    signal: (signal) => child.kill(signal),
    kill,
    stop: async (graceMs) => {
      child.kill("SIGTERM");
      const grace = new AbortController();
      await Promise.race([
        ended,
        pause(graceMs, undefined, { signal: grace.signal }).then(kill, () => undefined),
      ]);
      grace.abort();
      await ended;
    },
  };
}
