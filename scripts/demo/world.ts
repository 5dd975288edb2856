import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FleetCluster } from "../../test/support/fleet.ts";
import { fleetRepository, runGit } from "../../test/support/fleet-repository.ts";
import { startGitServer } from "../../test/support/git-server.ts";
import { hubClient, type HubClient } from "../../test/support/hub-client.ts";
import {
  spokeWords,
  startHub,
  startProcess,
  startSpoke,
  type RunningHub,
  type RunningProcess,
} from "../../test/support/processes.ts";
import type { ClusterAccess } from "./pokes.ts";
import { sampleFiles, type DemoCluster } from "./sample.ts";
import { signWebhook } from "./webhook.ts";

/** The demo's whole world on loopback: a Git server, a hub, and clusters with a real spoke each. */
export type DemoWorld = {
  readonly hub: RunningHub;
  readonly api: HubClient;
  readonly repositoryUrl: string;
  /** Starts a cluster, registers it and joins a spoke to it. */
  readonly addCluster: (cluster: DemoCluster) => Promise<void>;
  readonly clusters: () => readonly DemoCluster[];
  /** The process that ended although it should not have, if any. */
  readonly casualty: () => string | undefined;
  readonly stop: () => Promise<void>;
};

export type WorldPlan = {
  readonly folder: string;
  readonly front: readonly string[];
  readonly httpPort: number;
  readonly clusters: readonly DemoCluster[];
  readonly openCluster: (name: string) => Promise<FleetCluster>;
  /** A process for each spoke up to this many clusters; beyond it a few processes share them, to spare memory. */
  readonly ownProcessMost: number;
};

/** Starts everything. What was started is stopped again when a later step fails. */
export async function startWorld(plan: WorldPlan, signal: AbortSignal): Promise<DemoWorld> {
  const stack = new AsyncDisposableStack();
  try {
    return await startOn(stack, plan, signal);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function startOn(
  stack: AsyncDisposableStack,
  plan: WorldPlan,
  signal: AbortSignal,
): Promise<DemoWorld> {
  const { folder, front } = plan;
  const secret = randomBytes(24).toString("hex");
  const secretFile = join(folder, "webhook-secret");
  writeFileSync(secretFile, secret, { mode: 0o600 });

  let announcePush: ((name: string) => void) | undefined;
  const git = await startGitServer(
    { folder: join(folder, "git"), onPush: (name) => announcePush?.(name) },
    signal,
  );
  stack.defer(() => git.stop());
  const bare = await git.addRepository("fleet", signal);
  const repositoryUrl = git.urlOf("fleet");
  await fleetRepository(bare).commit(
    { files: sampleFiles(repositoryUrl), message: "the sample fleet" },
    signal,
  );
  await runGit(folder, ["clone", "--quiet", repositoryUrl, "fleet"], "", signal);
  for (const [name, value] of [
    ["user.name", "You"],
    ["user.email", "you@example.com"],
  ] as const)
    await runGit(join(folder, "fleet"), ["config", name, value], "", signal);

  const environment = { NODE_COMPILE_CACHE: join(folder, "compile-cache") };
  const hub = await startHub({
    front,
    folder,
    fleetRepository: repositoryUrl,
    httpPort: plan.httpPort,
    settings: {
      "fleet-path": "fleet",
      "webhook-secret-file": secretFile,
      "poll-ms": "10000",
      "heartbeat-ms": "5000",
    },
    environment,
  });
  stack.defer(() => hub.process.stop());
  const api = hubClient(hub);
  announcePush = (name) => {
    // A push that cannot be announced is found by the next poll.
    signWebhook(hub.url, secret, git.urlOf(name)).catch(() => undefined);
  };

  const known: DemoCluster[] = [];
  const processes: { readonly name: string; readonly process: RunningProcess }[] = [];
  const opened: FleetCluster[] = [];
  stack.defer(async () => {
    await Promise.all(processes.map(({ process }) => process.stop()));
    await Promise.all(opened.map((cluster) => cluster.stop()));
  });

  const prepare = async (cluster: DemoCluster): Promise<SpokePlace> => {
    const kubernetes = await plan.openCluster(cluster.name);
    opened.push(kubernetes);
    const place = join(folder, "clusters", cluster.name);
    mkdirSync(place, { recursive: true });
    const kubeconfig = join(place, "kubeconfig");
    writeFileSync(kubeconfig, kubernetes.kubeconfig(), { mode: 0o600 });
    const access: ClusterAccess = {
      url: kubernetes.url,
      caPem: kubernetes.caPem,
      token: kubernetes.adminToken,
    };
    writeFileSync(join(place, "access.json"), JSON.stringify(access), { mode: 0o600 });
    const added = await api.send<{ readonly join: { readonly token: string } }>(
      "POST",
      "/v1/clusters",
      { name: cluster.name, labels: cluster.labels },
    );
    known.push(cluster);
    return { cluster, folder: place, kubeconfig, joinToken: added.join.token };
  };

  const startOne = ({ cluster, ...place }: SpokePlace): void => {
    const process = startSpoke({ front, hub, ...place, environment });
    processes.push({ name: `spoke of ${cluster.name}`, process });
  };

  const startShared = (places: readonly SpokePlace[], number: number): void => {
    const file = join(folder, `spokes-${number}.json`);
    const words = places.map((place) => spokeWords({ hub, ...place }));
    writeFileSync(file, JSON.stringify(words), { mode: 0o600 });
    const process = startProcess(
      front,
      ["demo", "spokes", file],
      join(folder, `spokes-${number}.log`),
      environment,
    );
    processes.push({ name: `spokes ${number}`, process });
  };

  const places: SpokePlace[] = [];
  for (const cluster of plan.clusters) places.push(await prepare(cluster));
  if (places.length <= plan.ownProcessMost) {
    for (const place of places) startOne(place);
  } else {
    const size = Math.ceil(places.length / sharedProcesses);
    for (let number = 0; number < sharedProcesses; number += 1)
      startShared(places.slice(number * size, (number + 1) * size), number + 1);
  }

  return {
    hub,
    api,
    repositoryUrl,
    addCluster: async (cluster) => startOne(await prepare(cluster)),
    clusters: () => known,
    casualty: () => {
      if (!hub.process.isRunning()) return "the hub";
      return processes.find(({ process }) => !process.isRunning())?.name;
    },
    stop: () => stack.disposeAsync(),
  };
}

const sharedProcesses = 2;

type SpokePlace = {
  readonly cluster: DemoCluster;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly joinToken: string;
};
