import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startSimulatedCluster } from "../../test/support/cluster/server.ts";
import { whyNoControlPlane } from "../../test/support/control-plane/binaries.ts";
import { startControlPlane } from "../../test/support/control-plane/control-plane.ts";
import { startControl } from "./control.ts";
import { countObjects, isConverged, readFleet } from "./fleet-state.ts";
import { writeCommand } from "./front.ts";
import { hints } from "./hints.ts";
import type { DemoOptions } from "./options.ts";
import { demoClusters } from "./sample.ts";
import { fleetTable, LiveBlock, type ClusterLine } from "./table.ts";
import { startWorld, type DemoWorld } from "./world.ts";
import { frontDoor } from "./front.ts";

/** Longest wait for the fleet before the demo says it failed. */
const patienceMs = 300_000;
const lookEveryMs = 250;
const ownProcessMost = 12;

/** Starts everything, shows the fleet converging, explains what to try, and waits for Ctrl-C. */
export async function runFleet(options: DemoOptions): Promise<number> {
  const folder = join(process.cwd(), ".demo");
  const missing = options.real ? whyNoControlPlane() : undefined;
  if (missing !== undefined) {
    console.error(`demo: --real ${missing}`);
    return 1;
  }
  const claimed = claimFolder(folder);
  if (claimed !== undefined) {
    console.error(`demo: ${claimed}`);
    return 1;
  }
  const stop = new AbortController();
  const interrupted = () => stop.abort(new Interrupted());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupted);
  const talk = (text: string): void => {
    if (!options.json) console.log(text);
  };
  let world: DemoWorld | undefined;
  let code = 0;
  try {
    const startedAtMs = performance.now();
    talk(
      `Starting a Git server, a hub and ${options.clusters} ${options.real ? "real control planes" : "simulated clusters"} with a spoke each …`,
    );
    world = await startWorld(
      {
        folder,
        front: frontDoor(),
        httpPort: await freePort(options.port),
        clusters: demoClusters(options.clusters),
        openCluster: options.real
          ? (name) => startControlPlane({ name, workloads: true })
          : (name) => startSimulatedCluster({ name }),
        ownProcessMost,
      },
      stop.signal,
    );
    const fleet = await untilConverged(world, startedAtMs, options, stop.signal);
    const convergedMs = Math.round(performance.now() - startedAtMs);
    if (options.once) {
      code = await sayOnce(world, fleet, convergedMs, options);
    } else if (isConverged(fleet)) {
      await invite(world, folder, convergedMs, stop.signal);
    } else {
      throw new Error(`the fleet did not converge within ${patienceMs / 1_000} s`);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
      console.error(
        `demo: the logs are in ${relative(process.cwd(), folder)}/ until the next demo`,
      );
      code = 1;
    } else if (options.once) {
      code = 130;
    }
  } finally {
    await world?.stop();
  }
  if (code === 0) rmSync(folder, { recursive: true, force: true });
  return code;
}

class Interrupted extends Error {}

const marker = ".wheelhouse-demo";

/** Makes the demo's own folder anew. Returns why not when there is one that is not ours, or in use. */
function claimFolder(folder: string): string | undefined {
  if (existsSync(folder) && !existsSync(join(folder, marker)))
    return `${folder} exists and is not a demo's folder; move it away first`;
  const owner = existsSync(folder) ? Number(readFileSync(join(folder, marker), "utf8")) : 0;
  if (owner > 0 && isRunning(owner))
    return `a demo runs in ${folder} already (process ${owner}); stop it with Ctrl-C, or start this one in another folder`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, marker), String(process.pid));
  return undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** `wanted` when nobody listens there, else 0: any. */
async function freePort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(wanted, "127.0.0.1", () => probe.close(() => resolve(wanted)));
  });
}

async function untilConverged(
  world: DemoWorld,
  startedAtMs: number,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<readonly ClusterLine[]> {
  const block = new LiveBlock(process.stdout);
  for (;;) {
    signal.throwIfAborted();
    const casualty = world.casualty();
    if (casualty !== undefined) throw new Error(`${casualty} ended unexpectedly`);
    const fleet = await readFleet(world.api, world.clusters());
    const elapsedMs = performance.now() - startedAtMs;
    if (!options.json) {
      const colour = process.stdout.hasColors?.() ?? false;
      block.draw(fleetTable(fleet, elapsedMs, { columns: process.stdout.columns, colour }));
    }
    if (isConverged(fleet)) return fleet;
    if (elapsedMs > patienceMs) return fleet;
    await pause(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function sayOnce(
  world: DemoWorld,
  fleet: readonly ClusterLine[],
  convergedMs: number,
  options: DemoOptions,
): Promise<number> {
  const sum = (of: (line: ClusterLine) => number): number =>
    fleet.reduce((total, line) => total + of(line), 0);
  const result = {
    clusters: fleet.length,
    applications: sum((line) => line.applications),
    objects: await countObjects(world.api),
    synced: sum((line) => line.synced),
    healthy: sum((line) => line.healthy),
    convergedMs,
  };
  const converged = isConverged(fleet);
  if (options.json) console.log(JSON.stringify(result));
  else
    console.log(
      `${converged ? "Converged" : "NOT converged"}: ${result.synced}/${result.applications} Synced, ${result.healthy}/${result.applications} Healthy, ${result.objects} objects in ${result.clusters} clusters, ${(convergedMs / 1_000).toFixed(1)} s`,
    );
  return converged ? 0 : 1;
}

/** Says what to try and serves the demo's own pokes until Ctrl-C. */
async function invite(
  world: DemoWorld,
  folder: string,
  convergedMs: number,
  signal: AbortSignal,
): Promise<void> {
  const control = await startControl(folder, world);
  try {
    writeCommand(folder, world.hub);
    console.log(hints(world, relative(process.cwd(), folder), convergedMs));
    let mourned: string | undefined;
    while (!signal.aborted) {
      const casualty = world.casualty();
      if (casualty !== undefined && casualty !== mourned) console.log(`${casualty} has ended`);
      mourned = casualty;
      await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
    console.log("\nStopping …");
  } finally {
    await control.stop();
  }
}
