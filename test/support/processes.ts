import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

/** Real `wheelhouse` processes, started and always taken down: the demo and the end-to-end stories use them. */

export type RunningProcess = {
  readonly pid: number;
  /** What it has written to its log so far. */
  readonly log: () => string;
  readonly exited: Promise<number>;
  readonly isRunning: () => boolean;
  /** Sends SIGKILL and waits for the end: what a power cut looks like to the program. */
  readonly kill: () => Promise<void>;
  /** Sends SIGTERM, then SIGKILL after a grace of ten seconds. */
  readonly stop: () => Promise<void>;
};

/** How to start `wheelhouse`: words before the command's own. */
export const frontDoor: readonly string[] = [
  "--disable-warning=ExperimentalWarning",
  join(import.meta.dirname, "../../scripts/wheelhouse.ts"),
];

const running = new Set<ChildProcess>();
// Whatever happens to us, what we started goes with us.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Loaded first by what we start: it ends when we are gone, however we went. */
const endWithParent = `data:text/javascript,${encodeURIComponent(
  "const parent = process.ppid; setInterval(() => { if (process.ppid !== parent) process.exit(1); }, 500).unref();",
)}`;

/** Starts `node <front> <words>` with both output streams appended to `logFile`. */
export function startProcess(
  front: readonly string[],
  words: readonly string[],
  logFile: string,
  environment: Readonly<Record<string, string>> = {},
): RunningProcess {
  const output = openSync(logFile, "a");
  const child = spawn(process.execPath, ["--import", endWithParent, ...front, ...words], {
    stdio: ["ignore", output, output],
    env: { ...withoutOurSettings(process.env), ...environment },
  });
  closeSync(output);
  running.add(child);
  const exited = new Promise<number>((resolve) => {
    child.on("exit", (code, signal) => {
      running.delete(child);
      resolve(signal === null ? (code ?? 1) : 128);
    });
    child.on("error", () => {
      running.delete(child);
      resolve(127);
    });
  });
  const isRunning = (): boolean => running.has(child);
  return {
    pid: child.pid ?? 0,
    log: () => readFileSync(logFile, "utf8"),
    exited,
    isRunning,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    stop: async () => {
      child.kill("SIGTERM");
      const grace = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(grace);
    },
  };
}

/** A developer's own WHEELHOUSE_… and WH_… variables must not steer what a test or the demo starts. */
function withoutOurSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(WHEELHOUSE_|WH_)/.test(name)),
  );
}

export type HubOptions = {
  readonly front?: readonly string[];
  /** Holds the hub's data folder, its ready file and its log. */
  readonly folder: string;
  readonly fleetRepository: string;
  /** 0 or absent: any free port. Give the ports of an earlier run to come back at the same place. */
  readonly httpPort?: number;
  readonly linkPort?: number;
  /** Further settings, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
};

export type RunningHub = {
  readonly process: RunningProcess;
  readonly url: string;
  readonly httpPort: number;
  readonly linkPort: number;
  readonly linkAddress: string;
  readonly fingerprint: string;
  readonly adminToken: string;
};

/** What a hub writes to its ready file. */
type ReadyFile = {
  readonly url: string;
  readonly httpPort: number;
  readonly linkPort: number;
  readonly linkAddress: string;
  readonly fingerprint: string;
  readonly adminTokenFile: string;
};

/** A hub that was started, whether it already listens or not. */
export type LaunchedHub = {
  readonly process: RunningProcess;
  /** Resolves once it listens. Throws with its log when it ends instead. */
  readonly ready: Promise<RunningHub>;
};

/** Starts a hub and resolves once it listens. Throws with its log when it ends instead. */
export const startHub = (options: HubOptions): Promise<RunningHub> => launchHub(options).ready;

export function launchHub(options: HubOptions): LaunchedHub {
  const readyFile = join(options.folder, "hub-ready.json");
  const logFile = join(options.folder, "hub.log");
  rmSync(readyFile, { force: true });
  const settings: Record<string, string> = {
    "data-folder": join(options.folder, "hub"),
    "fleet-repository": options.fleetRepository,
    "http-listen": `127.0.0.1:${options.httpPort ?? 0}`,
    "link-listen": `127.0.0.1:${options.linkPort ?? 0}`,
    "ready-file": readyFile,
    ...options.settings,
  };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const hub = startProcess(
    options.front ?? frontDoor,
    ["hub", ...words],
    logFile,
    options.environment,
  );
  return { process: hub, ready: untilReady(hub, readyFile) };
}

async function untilReady(hub: RunningProcess, readyFile: string): Promise<RunningHub> {
  await eventually(
    () => {
      // First: the file may be that of a hub that was started after this one was killed.
      if (!hub.isRunning()) throw new HubEnded(hub.log());
      if (existsSync(readyFile)) return;
      throw new Error("the hub has not said it is ready");
    },
    { withinMs: 30_000, what: "a ready hub", giveUp: (error) => error instanceof HubEnded },
  );
  const ready = JSON.parse(readFileSync(readyFile, "utf8")) as ReadyFile;
  return {
    process: hub,
    url: ready.url,
    httpPort: ready.httpPort,
    linkPort: ready.linkPort,
    linkAddress: ready.linkAddress,
    fingerprint: ready.fingerprint,
    adminToken: readFileSync(ready.adminTokenFile, "utf8").trim(),
  };
}

class HubEnded extends Error {
  constructor(log: string) {
    super(`the hub ended before it was ready; its log ends with:\n${log.slice(-4_000)}`);
  }
}

export type SpokeOptions = {
  readonly front?: readonly string[];
  /** Holds the spoke's state folder and its log. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly hub: { readonly linkAddress: string; readonly fingerprint: string };
  readonly joinToken?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
};

/** The words after `spoke` that make it work for one cluster. */
export function spokeWords(options: SpokeOptions): readonly string[] {
  const settings: Record<string, string> = {
    "hub-address": options.hub.linkAddress,
    "hub-fingerprint": options.hub.fingerprint,
    "state-folder": join(options.folder, "spoke"),
    kubeconfig: options.kubeconfig,
    "probe-host": "127.0.0.1",
    "probe-port": "0",
    ...(options.joinToken === undefined ? {} : { "join-token": options.joinToken }),
    ...options.settings,
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

export const startSpoke = (options: SpokeOptions): RunningProcess =>
  startProcess(
    options.front ?? frontDoor,
    ["spoke", ...spokeWords(options)],
    join(options.folder, "spoke.log"),
    options.environment,
  );
