import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ofSpoke, writesIn, type AuditedRequest } from "../support/control-plane/audit.ts";
import { toolPath } from "../support/control-plane/binaries.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { eventually } from "../support/eventually.ts";
import {
  cpuMsOf,
  inSeconds,
  median,
  memoryOf,
  printFigure,
  quantile,
  rounded,
  say,
  wholeOption,
} from "../support/figures.ts";
import { startFleet, type FleetMember } from "../support/fleet.ts";

/**
 * `npm run bench -- sync [--applications N] [--rounds N] [--idle-seconds N]`: what a spoke costs a real API server.
 *
 * 200 applications of 5 objects by default, applied by `kubectl apply --server-side` and by the bundled spoke in turn,
 * each to a fresh control plane. The last of these is then looked at closer: a second sync, a restart, hand edits, and
 * rest. Requests are counted by the API server's own audit log, which both sides pay for alike.
 */

const applications = wholeOption("applications", 200);
const rounds = wholeOption("rounds", 2);
const idleMs = wholeOption("idle-seconds", 60) * 1_000;
const objectsEach = 5;
const objects = applications * objectsEach;
/** Objects of one more application, so that a spoke at rest watches 2,000. */
const furtherObjects = Math.max(0, 2_000 - objects);
const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

await using cleanup = new AsyncDisposableStack();

const names = Array.from({ length: applications }, (_, index) => `app-${index + 1}`);
const files = Object.assign({}, ...names.map(applicationFiles)) as Record<string, string>;

say("the bundle is built …");
const dist = join(root, ".cache/bench/dist");
mkdirSync(dirname(dist), { recursive: true });
await run(process.execPath, [join(root, "scripts/build.ts"), dist]);

say("a hub starts …");
const planes: ControlPlane[] = [];
const fleet = await startFleet({
  clusters: {},
  files: {
    ...files,
    ...furtherFiles(),
    "fleet/apps.yaml": setOf("apps", "apps/*"),
    "fleet/more.yaml": setOf("more", "more/*"),
  },
  program: { front: [join(dist, "wheelhouse.js")], environment: {} },
  openCluster: async (name) => {
    const plane = await startControlPlane({ name, audited: true });
    planes.push(plane);
    return plane;
  },
  spokeSettings: () => ({ "log-level": "info" }),
});
cleanup.defer(() => fleet.stop());

const kubectlRuns: Run[] = [];
const spokeRuns: Run[] = [];
let member: FleetMember | undefined;
for (let round = 1; round <= rounds; round += 1) {
  kubectlRuns.push(await kubectlRound());
  if (member !== undefined) await leave(member);
  member = await newMember(`cluster-${round}`);
  spokeRuns.push(await spokeRound(member));
}
if (member === undefined) throw new Error("there has to be a round");
const plane = planeOf(member);

const first = spokeRuns.at(-1)?.requests ?? [];
printFigure("requests per object, first sync", rounded(first.length / objects), "");
for (const [verb, count] of countBy(first, wordFor))
  printFigure(`  ${verb}`, rounded(count / objects), "");
printFigure(
  "requests per object, kubectl",
  rounded((kubectlRuns.at(-1)?.requests.length ?? 0) / objects),
  "",
);
const kubectlMs = median(kubectlRuns.map(({ wallMs }) => wallMs));
const spokeMs = median(spokeRuns.map(({ wallMs }) => wallMs));
printFigure(`${objects} objects, kubectl from start to end`, inSeconds(kubectlMs), "s");
printFigure(`${objects} objects, spoke from start to all healthy`, inSeconds(spokeMs), "s");
printFigure("spoke beside kubectl", rounded(spokeMs / kubectlMs), "x", "1");
printFigure(
  "first to last write, kubectl",
  inSeconds(median(kubectlRuns.map(({ requests }) => writingMs(requests)))),
  "s",
);
printFigure(
  "first to last write, spoke",
  inSeconds(median(spokeRuns.map(({ requests }) => writingMs(requests)))),
  "s",
);
printFigure("spoke RSS right after", memoryOf(member.spoke.pid).residentMb, "MB");
await rest(15_000);
printFigure("spoke RSS, all applied", memoryOf(member.spoke.pid).residentMb, "MB", "80");

say("every application is ordered to sync again …");
plane.audited();
await syncAll(member.name);
printFigure("writes of a second sync", writesIn(ofSpoke(plane.audited())).length, "", "0");

say("the spoke starts again …");
await member.spoke.stop();
plane.audited();
fleet.startSpokeOf(member.name);
await untilAllWell(member.name, applications);
const restart = ofSpoke(plane.audited());
printFigure("requests of a restart", restart.length, "");
printFigure("writes of a restart", writesIn(restart).length, "", "0");

say(`an edit by hand in each of ${applications} applications …`);
const repairs = await repairTimes(member);
printFigure("hand edit to repair, p50", Math.round(quantile(repairs, 0.5)), "ms");
printFigure("hand edit to repair, p99", Math.round(quantile(repairs, 0.99)), "ms");

say(`${furtherObjects} further objects …`);
await fleet.api.send("PATCH", `/v1/clusters/${member.name}`, { labels: { more: "yes" } });
await untilAllWell(member.name, applications + 1);

say(`rest for ${idleMs / 1_000} s …`);
plane.audited();
const before = cpuMsOf(member.spoke.pid);
await rest(idleMs);
const idle = ofSpoke(plane.audited());
const minutes = idleMs / 60_000;
printFigure(`requests a minute at rest, ${objects + furtherObjects} objects`, perMinute(idle), "");
printFigure("  besides watches", perMinute(idle.filter(({ verb }) => verb !== "watch")), "", "0");
printFigure("processor at rest", rounded((cpuMsOf(member.spoke.pid) - before) / minutes), "ms/min");
const memory = memoryOf(member.spoke.pid);
printFigure("spoke RSS at rest", memory.residentMb, "MB", "80");
printFigure("  of which anonymous", memory.anonymousMb, "MB");
printFigure("  most ever", memory.mostMb, "MB");

/** What is measured is what happens meanwhile. */
function rest(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}

type Run = { readonly wallMs: number; readonly requests: readonly AuditedRequest[] };

async function kubectlRound(): Promise<Run> {
  say("kubectl applies …");
  const fresh = await startControlPlane({ name: "kubectl", audited: true });
  try {
    const folder = join(fresh.folder, "manifests");
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const kubeconfig = join(fresh.folder, "kubectl.yaml");
    writeFileSync(kubeconfig, fresh.kubeconfig(), { mode: 0o600 });
    fresh.audited();
    const startedAtMs = performance.now();
    await run(
      toolPath("kubectl"),
      ["apply", "--server-side", "-R", "-f", folder, `--cache-dir=${join(fresh.folder, "cache")}`],
      { env: { ...process.env, KUBECONFIG: kubeconfig }, maxBuffer: 1 << 24 },
    );
    const wallMs = performance.now() - startedAtMs;
    const requests = fresh.audited().filter(({ userAgent }) => userAgent.startsWith("kubectl"));
    return { wallMs, requests };
  } finally {
    await fresh.stop();
  }
}

/** A cluster whose spoke is known to the hub, has been given nothing, and does not run. */
async function newMember(name: string): Promise<FleetMember> {
  const joined = await fleet.join(name, {});
  await eventually(
    async () => {
      const view = await clusterView(name);
      if (view.connection.kind !== "attached") throw new Error(JSON.stringify(view));
    },
    { withinMs: 60_000, what: "an attached spoke" },
  );
  await joined.spoke.stop();
  return joined;
}

async function leave({ name, spoke, cluster }: FleetMember): Promise<void> {
  await spoke.stop();
  await cluster.stop();
  await fleet.api.send("DELETE", `/v1/clusters/${name}`);
}

async function spokeRound({ name, cluster }: FleetMember): Promise<Run> {
  say("the hub renders …");
  await fleet.api.send("PATCH", `/v1/clusters/${name}`, { labels: { apps: "yes" } });
  await eventually(
    async () => {
      const view = await clusterView(name);
      if (view.applications.total !== applications) throw new Error(JSON.stringify(view));
    },
    { withinMs: 300_000, what: "everything rendered" },
  );
  say("the spoke applies …");
  const own = planes.find(({ url }) => url === cluster.url);
  own?.audited();
  const startedAtMs = performance.now();
  fleet.startSpokeOf(name);
  await untilAllWell(name, applications);
  const wallMs = performance.now() - startedAtMs;
  return { wallMs, requests: ofSpoke(own?.audited() ?? []) };
}

type ClusterView = {
  readonly connection: { readonly kind: string };
  readonly desiredVersion: number;
  readonly storedVersion: number;
  readonly applications: {
    readonly total: number;
    readonly health: { readonly Healthy?: number };
    readonly sync: { readonly Synced?: number };
  };
};

async function clusterView(name: string): Promise<ClusterView> {
  return await fleet.api.get<ClusterView>(`/v1/clusters/${name}`);
}

async function untilAllWell(name: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const view = await clusterView(name);
      if (
        view.connection.kind !== "attached" ||
        view.storedVersion !== view.desiredVersion ||
        view.applications.total !== count ||
        view.applications.health.Healthy !== count ||
        view.applications.sync.Synced !== count
      )
        throw new Error(JSON.stringify(view));
    },
    { withinMs: 600_000, everyMs: 100, what: `${count} healthy applications` },
  );
}

/** Orders a sync of every application and waits until each order is carried out. */
async function syncAll(cluster: string): Promise<void> {
  for (const name of names) {
    const path = `/v1/applications/${name}-${cluster}/sync`;
    const { id } = await fleet.api.send<{ readonly id: string }>("POST", path, {});
    await eventually(
      async () => {
        const { state } = await fleet.api.get<{ readonly state: string }>(`/v1/commands/${id}`);
        if (state !== "succeeded") throw new Error(`the order is ${state}`);
      },
      { withinMs: 60_000, what: `the sync of ${name}` },
    );
  }
}

/** One application after the other: a value of its ConfigMap is changed, and watched until it is back. */
async function repairTimes({ kube }: FleetMember): Promise<readonly number[]> {
  const times: number[] = [];
  for (const name of names) {
    const path = `/api/v1/namespaces/${name}/configmaps/settings`;
    const edited = await kube.edit(path, { data: { greeting: "edited by hand" } });
    const editedAtMs = performance.now();
    await eventually(
      async () => {
        const data = (await kube.get(path))?.["data"] as Record<string, string> | undefined;
        if (data?.["greeting"] === "edited by hand") throw new Error("still edited");
      },
      { withinMs: 60_000, everyMs: 2, what: `the repair of ${edited.metadata.name}` },
    );
    times.push(performance.now() - editedAtMs);
  }
  return times;
}

function planeOf({ cluster }: FleetMember): ControlPlane {
  const found = planes.find(({ url }) => url === cluster.url);
  if (found === undefined) throw new Error("a member without its control plane");
  return found;
}

function writingMs(requests: readonly AuditedRequest[]): number {
  const times = writesIn(requests).map(({ receivedAtMs }) => receivedAtMs);
  return Math.max(...times) - Math.min(...times);
}

function wordFor({ verb, uri }: AuditedRequest): string {
  if (uri.includes("/wheelhouse-inventory-")) return `${verb} of inventories`;
  return uri.includes("dryRun=") ? `${verb} as a dry run` : verb;
}

function countBy(
  requests: readonly AuditedRequest[],
  word: (request: AuditedRequest) => string,
): readonly (readonly [word: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const request of requests) counts.set(word(request), (counts.get(word(request)) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1]);
}

function perMinute(requests: readonly AuditedRequest[]): number {
  return rounded(requests.length / minutes);
}

/** Nothing that needs a controller to be well: the API server and its clients are what is compared. */
function applicationFiles(name: string): Readonly<Record<string, string>> {
  const object = (file: string, apiVersion: string, kind: string, more: object): object => ({
    [`apps/${name}/${file}.yaml`]: JSON.stringify({ apiVersion, kind, ...more }),
  });
  const labels = { "app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": name };
  const web = { metadata: { name: "web", namespace: name, labels } };
  const selector = { app: "web" };
  return {
    ...object("0-namespace", "v1", "Namespace", { metadata: { name } }),
    ...object("account", "v1", "ServiceAccount", web),
    ...object("settings", "v1", "ConfigMap", {
      metadata: { name: "settings", namespace: name, labels },
      data: { greeting: "hello", "web.conf": "listen 8080\nlog warn\n".repeat(20) },
    }),
    ...object("service", "v1", "Service", {
      ...web,
      spec: { selector, ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }] },
    }),
    ...object("policy", "networking.k8s.io/v1", "NetworkPolicy", {
      ...web,
      spec: {
        podSelector: { matchLabels: selector },
        policyTypes: ["Ingress"],
        ingress: [{ ports: [{ port: 8080, protocol: "TCP" }] }],
      },
    }),
  };
}

function furtherFiles(): Readonly<Record<string, string>> {
  const maps = Array.from({ length: furtherObjects }, (_, index) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `more-${index + 1}` },
      data: { number: String(index + 1), text: "some more text ".repeat(20) },
    }),
  );
  const home = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "more" } });
  return { "more/more/all.yaml": [home, ...maps].join("\n---\n") };
}

/** An application per folder on every cluster that asks for them by its label. */
function setOf(name: string, folders: string): string {
  return `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  goTemplate: true
  generators:
    - matrix:
        generators:
          - git: {repoURL: '@REPOSITORY@', revision: HEAD, directories: [{path: '${folders}'}]}
          - clusters: {selector: {matchLabels: {${name}: "yes"}}}
  template:
    metadata: {name: '{{ .path.basename }}-{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '@REPOSITORY@', targetRevision: HEAD, path: '{{ .path.path }}'}
      destination: {name: '{{ .name }}', namespace: '{{ .path.basename }}'}
      syncPolicy: {automated: {prune: true, selfHeal: true}}
`;
}
