import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { canonicalJson, digestOfText, type Json } from "../../proto/words/digest.ts";
import type { Application } from "../../hub/domain/application.ts";
import { parseApplicationSet, type ApplicationSet } from "../../hub/domain/application-set.ts";
import { repositoryFactKey, type Facts } from "../../hub/domain/facts.ts";
import { generation } from "../../hub/domain/generate.ts";
import type { Params } from "../../hub/domain/params.ts";
import type { ProblemDraft } from "../../hub/domain/problem.ts";
import { Templates } from "../../hub/domain/render-template.ts";
import { goValueOf, isGoMap } from "../../hub/domain/template/value.ts";
import { atPace, createPace } from "../../hub/loops/pace.ts";
import { clusterFact, generateNeeds } from "../hub/domain/builders.ts";
import { documentsOf, strictContext } from "../hub/domain/strict-generation.ts";
import { toolSets, toolsFolder } from "../tools/sets.ts";

/**
 * `npm run bench -- generate [--clusters N] [--directories N]`: what it costs to generate a large set.
 *
 * A matrix of 200 directories and 1,000 clusters, 200,000 Applications with 15 templated fields, in both template
 * modes, each in a process of its own: once letting each Application go for the digest of its canonical JSON, once
 * keeping them all as the publish loop does. It runs in stretches between turns of the event loop, as there; the
 * longest stretch is what another user of the process would have waited on a machine of its own. Beside it, Go's own text/template executes the same Go templates,
 * parsed once. CPU is that of the whole process, garbage collection and compilation included, after one warm run.
 */

const option = (name: string, fallback: number): number => {
  const place = process.argv.indexOf(`--${name}`);
  return place === -1 ? fallback : Number(process.argv[place + 1]);
};
const clusterCount = option("clusters", 1_000);
const directoryCount = option("directories", 200);
const total = clusterCount * directoryCount;

const modes = ["fasttemplate", "go templates"] as const;
type Mode = (typeof modes)[number];
const keepings = ["digests", "objects"] as const;
type Keeping = (typeof keepings)[number];

/** Seconds of CPU for 200,000 Applications. */
const budgets: Readonly<Record<Mode, Readonly<Record<Keeping, number>>>> = {
  fasttemplate: { digests: 3, objects: 1.5 },
  "go templates": { digests: 4.5, objects: 3 },
};
const stretchMs = 10;
const loopDelayMsMost = 50;

const repoURL = "https://git.example.com/platform/fleet.git";

/** The texts of one Application that are templates, by the place they have in it. */
const templates: Readonly<Record<Mode, readonly string[]>> = {
  fasttemplate: [
    "{{path.basename}}-{{name}}",
    "{{name}}",
    "{{path.basename}}",
    "{{metadata.labels.env}}",
    "{{metadata.labels.region}}",
    "{{metadata.labels.tier}}",
    "{{server}}/{{path}}",
    "{{metadata.annotations.owner}}",
    "{{path}}",
    "{{metadata.labels.env}}-{{metadata.labels.region}}",
    "{{name}}.{{metadata.labels.region}}.example.com",
    "{{metadata.labels.tier}}",
    "{{name}}",
    "{{path.basename}}-{{metadata.labels.env}}",
    "{{path.basename}} on {{name}}",
  ],
  "go templates": [
    "{{ .path.basename }}-{{ .name }}",
    "{{ .name }}",
    "{{ .path.basename }}",
    "{{ .metadata.labels.env }}",
    "{{ .metadata.labels.region }}",
    "{{ .metadata.labels.tier | upper }}",
    "{{ .server }}/{{ .path.path }}",
    '{{ default "nobody" .metadata.annotations.owner }}',
    "{{ .path.path }}",
    '{{ if eq .metadata.labels.env "prod" }}stable{{ else }}latest{{ end }}',
    "{{ .name }}.{{ .metadata.labels.region }}.example.com",
    '{{ index .metadata.labels "tier" }}',
    "{{ .name }}",
    "{{ .path.basename }}-{{ .metadata.labels.env }}",
    '{{ printf "%s on %s" .path.basename .name }}',
  ],
};

function template(mode: Mode): object {
  const [
    name,
    cluster,
    app,
    env,
    region,
    tier,
    url,
    owner,
    path,
    revision,
    host,
    size,
    to,
    ns,
    info,
  ] = templates[mode];
  return {
    metadata: {
      name,
      labels: {
        "app.kubernetes.io/managed-by": "wheelhouse",
        "example.com/cluster": cluster,
        "example.com/application": app,
        "example.com/env": env,
        "example.com/region": region,
        "example.com/tier": tier,
      },
      annotations: { "example.com/url": url, "example.com/owner": owner },
    },
    spec: {
      project: "default",
      source: {
        repoURL,
        path,
        targetRevision: revision,
        helm: {
          releaseName: "application",
          parameters: [
            { name: "ingress.host", value: host },
            { name: "size", value: size },
          ],
        },
      },
      destination: { name: to, namespace: ns },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: ["CreateNamespace=true", "ServerSideApply=true"],
        retry: { limit: 5, backoff: { duration: "5s", factor: 2, maxDuration: "3m" } },
      },
      info: [{ name: "about", value: info }],
    },
  };
}

function setOf(mode: Mode): ApplicationSet {
  const read = parseApplicationSet({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name: "fleet", namespace: "argocd" },
    spec: {
      goTemplate: mode === "go templates",
      goTemplateOptions: mode === "go templates" ? ["missingkey=error"] : [],
      generators: [
        {
          matrix: {
            generators: [
              { git: { repoURL, revision: "main", directories: [{ path: "apps/*" }] } },
              { clusters: { selector: { matchLabels: { managed: "yes" } } } },
            ],
          },
        },
      ],
      template: template(mode),
    },
  });
  if (!read.ok) throw new Error(read.problem.message);
  return read.value;
}

function facts(directoriesMost: number): Facts {
  const directories = Array.from(
    { length: directoriesMost },
    (_, index) => `apps/application-${String(index).padStart(3, "0")}`,
  );
  const clusters = Array.from({ length: clusterCount }, (_, index) => ({
    ...clusterFact(`cluster-${String(index).padStart(4, "0")}`, {
      managed: "yes",
      env: index % 3 === 0 ? "prod" : "dev",
      region: `region-${index % 7}`,
      tier: index % 2 === 0 ? "gold" : "silver",
    }),
    annotations: { owner: `team-${index % 50}` },
  }));
  return {
    clusters,
    repositories: new Map([
      [
        repositoryFactKey(repoURL, "main"),
        { repoURL, revision: "main", commit: "0".repeat(40), directories },
      ],
    ]),
  };
}

type Measured = {
  readonly cpuSeconds: number;
  readonly bytesPerApplication: number;
  readonly peakMb: number;
  /** What a timer had to wait at most, neighbours of this process on the machine included. */
  readonly loopDelayMs: number;
  /** CPU of the main thread between two turns of the loop, at most. */
  readonly stretchMs: number;
  readonly calibrationMs: number;
  /** Of one Application in the middle. */
  readonly sample: string;
};

let longestStretchMs = 0;
let stretchFromMs = 0;

const [, , word, mode, keeping] = process.argv;
if (word === "measure") {
  console.log(JSON.stringify(await measured(mode as Mode, keeping as Keeping)));
} else await main();

async function main(): Promise<void> {
  const microseconds = new Map<Mode, number>();
  for (const aMode of modes)
    for (const aKeeping of keepings) {
      const one = await inOwnProcess(aMode, aKeeping);
      const what = `${aMode}, ${aKeeping}`;
      const budget = (budgets[aMode][aKeeping] * total) / 200_000;
      print(`${what}: CPU`, round(one.cpuSeconds), "s", `<= ${round(budget)}`);
      print(`${what}: Applications a second of CPU`, Math.round(total / one.cpuSeconds), "");
      print(`${what}: peak memory`, one.peakMb, "MB");
      const bytes = aKeeping === "objects" ? "<= 1024" : "";
      print(`${what}: kept per Application`, one.bytesPerApplication, "B", bytes);
      print(`${what}: longest stretch between turns`, one.stretchMs, "ms", `<= ${loopDelayMsMost}`);
      print(`${what}: longest delay of the loop`, one.loopDelayMs, "ms", `<= ${loopDelayMsMost}`);
      print(`${what}: calibration`, one.calibrationMs, "ms");
      if (aKeeping === "digests") microseconds.set(aMode, (one.cpuSeconds * 1e6) / total);
      say(`${what}: ${one.sample}`);
    }
  compareWithGo(microseconds.get("go templates") ?? Number.NaN);
}

/** Another process, so that one measurement's garbage is not the next one's. */
async function inOwnProcess(aMode: Mode, aKeeping: Keeping): Promise<Measured> {
  const words = ["--clusters", String(clusterCount), "--directories", String(directoryCount)];
  const child = spawn(
    process.execPath,
    [
      "--expose-gc",
      ...process.execArgv,
      import.meta.filename,
      "measure",
      aMode,
      aKeeping,
      ...words,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`measuring ${aMode}, ${aKeeping} ended with ${code}`);
  return JSON.parse(output) as Measured;
}

async function measured(aMode: Mode, aKeeping: Keeping): Promise<Measured> {
  const set = setOf(aMode);
  const known = facts(directoryCount);
  const calibrationMs = calibrate();
  const before = memory();
  await generated(set, facts(Math.min(directoryCount, 20)), aKeeping);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await nextTurn();
  delay.reset();
  longestStretchMs = 0;
  stretchFromMs = threadMs();
  const startedAt = process.cpuUsage();
  const kept = await generated(set, known, aKeeping);
  const { user, system } = process.cpuUsage(startedAt);
  endStretch();
  await nextTurn();
  delay.disable();
  const after = memory();
  if (kept.length !== total) throw new Error(`${kept.length} Applications instead of ${total}`);
  const middle = kept[total >> 1];
  return {
    cpuSeconds: (user + system) / 1e6,
    bytesPerApplication: Math.round((after - before) / total),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1_024),
    loopDelayMs: round(delay.max / 1e6),
    stretchMs: round(longestStretchMs),
    calibrationMs: Math.round((calibrationMs + calibrate()) / 2),
    sample: typeof middle === "string" ? middle : canonicalJson(middle?.document ?? null),
  };
}

async function generated(
  set: ApplicationSet,
  known: Facts,
  aKeeping: Keeping,
): Promise<readonly (string | Application)[]> {
  const { signal } = new AbortController();
  const pace = createPace(
    stretchMs,
    () => performance.now(),
    async () => {
      endStretch();
      await nextTurn();
      stretchFromMs = threadMs();
    },
  );
  switch (aKeeping) {
    case "objects": {
      const made = await atPace(generation(set, known, generateNeeds), pace, signal);
      if (made.kind !== "generated") throw new Error(`not generated: ${JSON.stringify(made)}`);
      const [flaw] = made.generated.flaws;
      if (flaw !== undefined) throw new Error(flaw.problem.message);
      return made.generated.applications;
    }
    case "digests": {
      const digests: string[] = [];
      const strict = strictContext(set, known, generateNeeds);
      // Only where flaws are spared are elements made as they are taken.
      const spare = (flaw: ProblemDraft): never => {
        throw new Error(flaw.message);
      };
      for (const document of documentsOf(set, { ...strict, spare })) {
        if (!document.ok) throw new Error(document.problem.message);
        digests.push(digestOfText(canonicalJson(document.value)));
        await pace.breathe(signal);
      }
      return digests;
    }
    default:
      return unreachable(aKeeping, "keeping");
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function endStretch(): void {
  longestStretchMs = Math.max(longestStretchMs, threadMs() - stretchFromMs);
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Hashing and map churn: tells a machine that is slow now from a program that became slow. */
function calibrate(): number {
  const { user } = process.cpuUsage();
  const counts = new Map<string, number>();
  for (let index = 0; index < 60_000; index += 1) {
    const key = digestOfText(`calibration ${index % 5_000}`);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return (process.cpuUsage().user - user) / 1_000;
}

/**
 * The Go templates alone, each parsed once and executed over the same params, by us and by Go's own engine in turns.
 * Each round is short enough to meet a neighbour of the machine by chance: what is told is the middle of them.
 */
function compareWithGo(wholeMicroseconds: number): void {
  const tools = toolSets.find(({ name }) => name === "templates");
  const tool = join(toolsFolder, tools?.folder ?? "", "go-templates");
  if (!existsSync(tool)) {
    say(`Go's own templates are left out: ${tool} is not built (npm run tools -- templates)`);
    return;
  }
  const texts = templates["go templates"];
  const params = Array.from({ length: 50 }, (_, index) => ({
    name: `cluster-${index}`,
    nameNormalized: `cluster-${index}`,
    server: `https://cluster-${index}.example.com`,
    project: "",
    metadata: {
      labels: {
        env: index % 3 === 0 ? "prod" : "dev",
        region: `region-${index % 7}`,
        tier: "gold",
      },
      annotations: { owner: `team-${index}` },
    },
    path: { path: `apps/application-${index}`, basename: `application-${index}` },
  }));
  const times = 40_000;
  const rounds = 7;
  const input = JSON.stringify({ templates: texts, params, times });
  executeOurs(texts, params, times);
  const both = Array.from({ length: rounds }, () => {
    const ours = executeOurs(texts, params, times);
    const run = spawnSync(tool, ["bench"], { input, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`go-templates bench: ${run.stderr}`);
    const theirs = JSON.parse(run.stdout) as ReturnType<typeof executeOurs>;
    if (theirs.characters !== ours.characters)
      throw new Error(`Go writes ${theirs.characters} characters, we ${ours.characters}`);
    return { ours: ours.cpuSeconds, theirs: theirs.cpuSeconds };
  });
  const microseconds = (seconds: readonly number[]): number => (median(seconds) * 1e6) / times;
  const goMicroseconds = microseconds(both.map(({ theirs }) => theirs));
  const ratios = both.map(({ ours, theirs }) => theirs / ours).toSorted((a, b) => a - b);
  print(
    "templates alone: ours, parsed once",
    round(microseconds(both.map(({ ours }) => ours))),
    "us",
  );
  print("templates alone: Go's text/template, parsed once", round(goMicroseconds), "us");
  print("templates alone: times faster than Go", round(median(ratios)), "", ">= 3");
  say(`times faster than Go, ${rounds} rounds: ${ratios.map(round).join(" ")}`);
  print(
    "a whole Application with its digest, against Go's templates alone",
    round(goMicroseconds / wholeMicroseconds),
    "times",
  );
}

function executeOurs(
  texts: readonly string[],
  params: readonly Json[],
  times: number,
): { readonly cpuSeconds: number; readonly characters: number } {
  const mode = new Templates({ goTemplate: true, missingKey: "error" }, generateNeeds);
  const renderers = texts.map((text) => mode.renderer(text));
  const data = params.flatMap((one): readonly Params[] => {
    const value = goValueOf(one);
    return isGoMap(value) ? [value] : [];
  });
  const startedAt = process.cpuUsage();
  let characters = 0;
  for (let turn = 0; turn < times; turn += 1)
    for (const render of renderers) {
      const made = render(data[turn % data.length] ?? new Map());
      if (!made.ok) throw new Error(made.problem.message);
      characters += made.value.length;
    }
  const { user, system } = process.cpuUsage(startedAt);
  return { cpuSeconds: (user + system) / 1e6, characters };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(figure: string, value: number, unit: string, budget = ""): void {
  console.log([figure, value, unit, budget].join("\t"));
}

function say(text: string): void {
  console.error(text);
}
