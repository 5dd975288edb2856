import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "../../proto/kit/clock.ts";
import { defaultShrinkLimits } from "../../hub/domain/shrink-guard.ts";
import { emptyMemory } from "../../hub/loops/publish-memory.ts";
import { publish } from "../../hub/loops/publish.ts";
import type { PublishTree } from "../../hub/loops/read-fleet.ts";
import { openStore, type Store } from "../../hub/store/store.ts";
import { addCluster } from "../contract/store/builders.ts";
import { memoryTree } from "../support/memory-tree.ts";
import { publishNeeds } from "../support/publish-needs.ts";

/**
 * `npm run bench -- publish [--clusters N] [--directories N]`: what it costs to publish a large set.
 *
 * A matrix of 200 directories and 1,000 clusters is generated, rendered, planned and recorded in a real database
 * on this machine's disk: 200,000 Applications at once, then the same again, then with one more cluster, then
 * with one field of all of them changed. Git alone is imitated, from memory. A stretch is the CPU of the main
 * thread between two turns of its event loop; beside the work somebody asks the store for one cluster again and
 * again, and the longest wait for an answer is told.
 */

const option = (name: string, fallback: number): number => {
  const place = process.argv.indexOf(`--${name}`);
  return place === -1 ? fallback : Number(process.argv[place + 1]);
};
const clusterCount = option("clusters", 1_000);
const directoryCount = option("directories", 200);
const repoURL = "https://git.example.com/platform/fleet.git";
const { signal } = new AbortController();

const directories = Array.from(
  { length: directoryCount },
  (_, index) => `apps/application-${String(index).padStart(3, "0")}`,
);

/** A fleet repository with one set whose Applications carry `note`, and a ConfigMap a directory. */
function treeAt(commit: string, note: string): PublishTree {
  const map = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "map" } });
  return memoryTree(
    commit,
    new Map([
      ["fleet/set.yaml", JSON.stringify(setOf(note))],
      ...directories.map((directory) => [`${directory}/map.json`, map] as const),
    ]),
  );
}

const setOf = (note: string): object => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "ApplicationSet",
  metadata: { name: "fleet" },
  spec: {
    goTemplate: true,
    goTemplateOptions: ["missingkey=error"],
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
    template: {
      metadata: {
        name: "{{ .path.basename }}-{{ .name }}",
        labels: {
          "example.com/cluster": "{{ .name }}",
          "example.com/application": "{{ .path.basename }}",
          "example.com/env": "{{ .metadata.labels.env }}",
          "example.com/region": "{{ .metadata.labels.region }}",
        },
        annotations: {
          "example.com/url": "{{ .server }}/{{ .path.path }}",
          "example.com/owner": '{{ default "nobody" .metadata.labels.owner }}',
          "example.com/note": note,
        },
      },
      spec: {
        project: "default",
        source: { repoURL, path: "{{ .path.path }}", targetRevision: "main" },
        destination: {
          name: "{{ .name }}",
          namespace: "{{ .path.basename }}-{{ .metadata.labels.env }}",
        },
        syncPolicy: {
          automated: { prune: true, selfHeal: true },
          syncOptions: ["CreateNamespace=true"],
        },
        info: [
          { name: "about", value: '{{ printf "%s on %s" .path.basename .name }}' },
          { name: "host", value: "{{ .name }}.{{ .metadata.labels.region }}.example.com" },
        ],
      },
    },
  },
});

const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Watches the turns of the event loop, and asks the store ten times a second as a request over HTTP does. */
class Watch {
  longestStretchMs = 0;
  longestWaitMs = 0;
  readonly #over = new AbortController();
  readonly #watching: Promise<unknown>;

  constructor(store: Store) {
    this.#watching = Promise.all([this.#turns(), this.#ask(store)]);
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #turns(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const fromMs = threadMs();
      await nextTurn();
      this.longestStretchMs = Math.max(this.longestStretchMs, threadMs() - fromMs);
    }
  }

  async #ask(store: Store): Promise<void> {
    while (!this.#over.signal.aborted) {
      const fromMs = performance.now();
      await store.clusters.facts(signal);
      this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - fromMs);
      await systemClock.sleep(100, signal);
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "wheelhouse-bench-publish-"));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const store = await openStore({ folder });
  for (let index = 0; index < clusterCount; index += 1) await joined(store, index);
  const trees = new Map<string, PublishTree>();
  let commit = "";
  const needs = publishNeeds(store, trees, () => commit);
  const memory = emptyMemory();
  const passAt = async (what: string, number: number, note: string): Promise<void> => {
    commit = String(number).repeat(40);
    trees.set(commit, treeAt(commit, note));
    const watch = new Watch(store);
    const startedAt = process.cpuUsage();
    const fromMs = performance.now();
    const outcome = await publish(
      memory,
      needs,
      {
        fleet: { url: repoURL, revision: "main", path: "fleet" },
        shrink: defaultShrinkLimits,
        wholeSets: false,
        fileDialect: "pathspec",
        elementsMost: 500_000,
        stretchMs: 10,
      },
      signal,
    );
    const { user, system } = process.cpuUsage(startedAt);
    const elapsedMs = performance.now() - fromMs;
    await watch.end();
    if (outcome.failed.length + outcome.waiting > 0) throw new Error(JSON.stringify(outcome));
    const { applications } = (await store.applicationSets.find("fleet", signal)) ?? {};
    print(`${what}: Applications`, applications?.total ?? 0, "");
    print(`${what}: CPU`, round((user + system) / 1e6), "s");
    print(`${what}: from start to end`, round(elapsedMs / 1_000), "s");
    print(`${what}: longest stretch between turns`, round(watch.longestStretchMs), "ms", "<= 50");
    print(`${what}: longest wait of a reader of the store`, round(watch.longestWaitMs), "ms");
    print(`${what}: peak memory so far`, Math.round(process.resourceUsage().maxRSS / 1_024), "MB");
  };
  await passAt("everything new", 1, "first");
  await passAt("nothing changed", 2, "first");
  await joined(store, clusterCount);
  await passAt("one more cluster", 3, "first");
  await passAt("one field of all", 4, "second");
  store.close();
}

async function joined(store: Store, index: number): Promise<void> {
  const name = `cluster-${String(index).padStart(4, "0")}`;
  await addCluster(store, name, {
    managed: "yes",
    env: index % 3 === 0 ? "prod" : "dev",
    region: `region-${index % 7}`,
    owner: `team-${index % 50}`,
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function print(figure: string, value: number, unit: string, budget = ""): void {
  console.log([figure, value, unit, budget].join("\t"));
}
