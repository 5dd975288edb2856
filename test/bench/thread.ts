import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulatedCluster, type SimulatedCluster } from "../support/cluster/server.ts";
import { eventually } from "../support/eventually.ts";
import { fleetRepository } from "../support/fleet-repository.ts";
import { startGitServer } from "../support/git-server.ts";
import { hubClient } from "../support/hub-client.ts";
import { frontDoor, spokeWords, startHub, startProcess, startSpoke } from "../support/processes.ts";
import { deployment, namespace, service, settings } from "../support/story-files.ts";

/**
 * `npm run bench -- thread [--clusters N] [--applications N]`: from a push to everything stored and healthy.
 *
 * 100 simulated clusters × 20 applications of 4 objects by default, hub, spokes and clusters on one machine. One
 * spoke has a process of its own, for its memory; the others share a few, and so do the simulated clusters.
 */

const option = (name: string, fallback: number): number => {
  const place = process.argv.indexOf(`--${name}`);
  return place === -1 ? fallback : Number(process.argv[place + 1]);
};
const clusterCount = option("clusters", 100);
const applicationCount = option("applications", 20);
const sharedProcesses = 2;
const total = clusterCount * applicationCount;
const forever = new AbortController().signal;

const folder = mkdtempSync(join(tmpdir(), "wheelhouse-bench-"));
await using cleanup = new AsyncDisposableStack();
cleanup.defer(async () => rmSync(folder, { recursive: true, force: true }));

const git = await startGitServer({ folder: join(folder, "git") }, forever);
cleanup.defer(() => git.stop());
const repository = fleetRepository(await git.addRepository("fleet", forever));
const names = Array.from({ length: applicationCount }, (_, index) => `app-${index + 1}`);
const folderOf = (name: string, greeting: string): Record<string, string> => ({
  [`apps/${name}/namespace.yaml`]: namespace(name),
  [`apps/${name}/settings.yaml`]: settings(greeting),
  [`apps/${name}/deployment.yaml`]: deployment("shop/web:1", 1),
  [`apps/${name}/service.yaml`]: service,
});
const setOf = (name: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  goTemplate: true
  generators: [{clusters: {}}]
  template:
    metadata: {name: '${name}-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '${git.urlOf("fleet")}', targetRevision: HEAD, path: apps/${name}}
      destination: {name: '{{ .name }}', namespace: ${name}}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`;
await repository.commit({ files: { "fleet/none.yaml": "" } }, forever);

const hub = await startHub({
  folder,
  fleetRepository: git.urlOf("fleet"),
  settings: { "fleet-path": "fleet", "poll-ms": "1000" },
});
cleanup.defer(() => hub.process.stop());
const api = hubClient(hub);

say(`${clusterCount} clusters join …`);
const clusters: SimulatedCluster[] = [];
const words: (readonly string[])[] = [];
let alone: { readonly pid: number } | undefined;
const sharedPids: number[] = [];
cleanup.defer(async () => {
  for (const cluster of clusters) await cluster.stop();
});
for (let index = 0; index < clusterCount; index += 1) {
  const name = `c-${index + 1}`;
  const simulated = await startSimulatedCluster({ name });
  clusters.push(simulated);
  const place = join(folder, name);
  mkdirSync(place);
  const kubeconfig = join(place, "kubeconfig");
  writeFileSync(kubeconfig, simulated.kubeconfig());
  const added = await api.send<{ readonly join: { readonly token: string } }>(
    "POST",
    "/v1/clusters",
    {
      name,
      labels: { env: index % 2 === 0 ? "dev" : "prod" },
    },
  );
  const spoke = { folder: place, kubeconfig, hub, joinToken: added.join.token };
  if (index === 0) {
    const started = startSpoke(spoke);
    alone = started;
    cleanup.defer(() => started.stop());
  } else words.push(spokeWords(spoke));
}
for (let number = 0; number < sharedProcesses; number += 1) {
  const file = join(folder, `spokes-${number}.json`);
  writeFileSync(
    file,
    JSON.stringify(words.filter((_, index) => index % sharedProcesses === number)),
  );
  const shared = startProcess(
    frontDoor,
    ["demo", "spokes", file],
    join(folder, `spokes-${number}.log`),
  );
  sharedPids.push(shared.pid);
  cleanup.defer(() => shared.stop());
}
await untilClusters((view) => view.connection.kind === "attached");

say("(the hub finds a push by looking once a second)");
say(`first push: ${total} applications …`);
const requestsBefore = clusters.map((cluster) => cluster.requests.snapshot());
let versions = await desiredVersions();
let pushedAtMs = performance.now();
await repository.commit(
  {
    files: Object.assign(
      {},
      ...names.map((name) => ({ ...folderOf(name, "hello"), [`fleet/${name}.yaml`]: setOf(name) })),
    ) as Record<string, string>,
  },
  forever,
);
const first = await untilStoredAndHealthy(pushedAtMs, 1);
print("first push to all stored", seconds(first.storedMs), "s");
print("first push to all healthy", seconds(first.healthyMs), "s");
const requests = clusters.reduce(
  (sum, cluster, index) =>
    sum + cluster.requests.snapshot().total - (requestsBefore[index]?.total ?? 0),
  0,
);
print("requests per applied object", round(requests / (total * 4)), "");

say("one value changed in one application, everywhere …");
const bytesBefore = await blobBytes();
versions = await desiredVersions();
pushedAtMs = performance.now();
await repository.commit(
  { files: { "apps/app-1/settings.yaml": settings("good morning") } },
  forever,
);
const second = await untilStoredAndHealthy(pushedAtMs, 2);
print("change to all stored", seconds(second.storedMs), "s");
print("change to all healthy", seconds(second.healthyMs), "s");
print(
  "blob bytes per changed object",
  Math.round(((await blobBytes()) - bytesBefore) / clusterCount),
  "B",
);

print("hub RSS", rssMb(hub.process.pid), "MB");
print("spoke RSS, a process of its own", rssMb(alone?.pid ?? 0), "MB");
print(
  "spoke RSS, sharing a process",
  round(sharedPids.reduce((sum, pid) => sum + rssMb(pid), 0) / Math.max(1, clusterCount - 1)),
  "MB",
);

type ClusterView = {
  readonly name: string;
  readonly connection: { readonly kind: string };
  readonly desiredVersion: number;
  readonly storedVersion: number;
  readonly applications: {
    readonly total: number;
    readonly health: { readonly Healthy?: number };
    readonly sync: { readonly Synced?: number };
  };
};

async function untilClusters(holds: (view: ClusterView) => boolean): Promise<void> {
  await eventually(
    async () => {
      const views = await api.all<ClusterView>("/v1/clusters");
      if (views.length !== clusterCount || !views.every(holds)) throw new Error("not yet");
    },
    { withinMs: 600_000, everyMs: 50, what: "the fleet" },
  );
}

async function untilStoredAndHealthy(
  sinceMs: number,
  generation: number,
): Promise<{ readonly storedMs: number; readonly healthyMs: number }> {
  await untilClusters(
    (view) =>
      view.applications.total === applicationCount &&
      view.storedVersion === view.desiredVersion &&
      view.desiredVersion > (versions.get(view.name) ?? 0),
  );
  const storedMs = performance.now() - sinceMs;
  await untilClusters(
    ({ applications }) =>
      applications.health.Healthy === applicationCount &&
      applications.sync.Synced === applicationCount,
  );
  await eventually(
    async () => {
      const page = await api.all<{
        readonly generation: number;
        readonly status: { readonly healthyGeneration: number };
      }>("/v1/applications?set=app-1");
      if (
        !page.every(
          (one) => one.generation >= generation && one.status.healthyGeneration === one.generation,
        )
      )
        throw new Error("not yet");
    },
    { withinMs: 600_000, everyMs: 50, what: "the newest generation healthy" },
  );
  return { storedMs, healthyMs: performance.now() - sinceMs };
}

/** What each cluster is offered before a push: what comes after has a larger number. */
async function desiredVersions(): Promise<ReadonlyMap<string, number>> {
  const views = await api.all<ClusterView>("/v1/clusters");
  return new Map(views.map((view) => [view.name, view.desiredVersion]));
}

async function blobBytes(): Promise<number> {
  const response = await fetch(`${hub.url}/metrics`, {
    headers: { authorization: `Bearer ${hub.adminToken}` },
  });
  const lines = (await response.text()).split("\n");
  return lines
    .filter((line) => line.startsWith("wheelhouse_hub_blob_bytes_total"))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

function rssMb(pid: number): number {
  return Math.round(
    Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1_024,
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function seconds(ms: number): number {
  return round(ms / 1_000);
}

function print(figure: string, value: number, unit: string): void {
  console.log([figure, value, unit].join("\t"));
}

function say(text: string): void {
  console.error(text);
}
