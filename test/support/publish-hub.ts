import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";
import { defaultShrinkLimits } from "../../hub/domain/shrink-guard.ts";
import type { ApplicationRecord, Labels } from "../../hub/domain/records.ts";
import { credentialReader } from "../../hub/git/credentials.ts";
import { openConnections } from "../../hub/git/http.ts";
import { mirrorLimits, openMirrors, type Mirrors } from "../../hub/git/mirror.ts";
import { createPublishLoop, type PublishLoop } from "../../hub/loops/publish-loop.ts";
import type { PassOutcome, PublishNeeds } from "../../hub/loops/publish.ts";
import { createRepositories, type Repositories } from "../../hub/loops/repositories.ts";
import { RenderCache } from "../../hub/render/cache.ts";
import { openStore, type Store } from "../../hub/store/store.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { parseClusterId, parseClusterName, type ClusterId } from "../../proto/words/ids.ts";
import { app } from "../contract/store/builders.ts";
import { eventually } from "./eventually.ts";
import { fleetRepository, type FileChange, type FleetRepository } from "./fleet-repository.ts";
import { publishNeeds } from "./publish-needs.ts";
import { startGitServer, type GitServer } from "./git-server.ts";

const signal = new AbortController().signal;
const page = { limit: 500, after: undefined };

export const configMap = (name: string, value = "1"): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;

/** A set that gives each cluster with `env` one application, from a folder of the fleet repository. */
export const webSet = (
  url: string,
  options: { path?: string; name?: string; selector?: string } = {},
): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: ${options.name ?? "web"}
spec:
  goTemplate: true
  generators:
    - clusters:
        selector:
          matchLabels:
            ${options.selector ?? "env: prod"}
  template:
    metadata:
      name: ${options.name ?? "web"}-{{ .name }}
      finalizers: [resources-finalizer.argocd.argoproj.io]
    spec:
      project: default
      source:
        repoURL: ${url}
        targetRevision: main
        path: ${options.path ?? "apps/web"}
      destination:
        name: '{{ .name }}'
        namespace: web
      syncPolicy:
        automated: { prune: true, selfHeal: true }
`;

export const plainApplication = (url: string, cluster: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: alone
  finalizers: [resources-finalizer.argocd.argoproj.io]
spec:
  project: default
  source: { repoURL: "${url}", targetRevision: main, path: apps/web }
  destination: { name: ${cluster}, namespace: web }
  syncPolicy: { automated: {} }
`;

export type Hub = {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly loop: PublishLoop;
  readonly changed: ClusterId[];
  readonly passes: PassOutcome[];
  readonly stop: () => Promise<void>;
};

/**
 * A hub that publishes from a fleet repository: the loops over a real store and real Git, as compose puts them
 * together. To be called once in a suite; both are set up anew before each of its tests, and taken down after.
 */
export function publishHub() {
  let folder = "";
  let server: GitServer;
  let fleet: FleetRepository;
  let url = "";
  let hub: Hub;
  let count = 0;
  const connections = openConnections(undefined);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-publish-"));
  });
  after(async () => {
    connections.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    count += 1;
    server = await startGitServer({ folder: join(folder, `git-${count}`) }, signal);
    fleet = fleetRepository(await server.addRepository("fleet", signal));
    url = server.urlOf("fleet");
    await startHub();
  });
  afterEach(async () => {
    await hub.stop();
    await server.stop();
  });

  /** Starts a hub over the store of this test, in place of the one before. */
  async function startHub(
    meddle: (needs: PublishNeeds) => PublishNeeds = (needs) => needs,
    {
      wholeSets = false,
      elementsMost = 1_000,
    }: { readonly wholeSets?: boolean; readonly elementsMost?: number } = {},
  ): Promise<void> {
    const store = await openStore({ folder: join(folder, `store-${count}`) });
    const mirrors: Mirrors = openMirrors({
      folder: join(folder, `mirrors-${count}`),
      limits: mirrorLimits,
      connections,
      authorization: credentialReader([]),
    });
    const changed: ClusterId[] = [];
    const passes: PassOutcome[] = [];
    const retry = { firstMs: 20, factor: 2, mostMs: 200 };
    const repositories: Repositories = createRepositories(
      {
        open: mirrors.of,
        find: store.repositories.find,
        record: store.repositories.record,
        onMoved: () => loop.wake(),
        onFirstLook: () => loop.wake(),
        clock: systemClock,
        random: Math.random,
        log: silentLog,
      },
      { pollMs: 60_000, askedPollMsLeast: 10_000, retry, recordEveryMs: 60_000, atOnceMost: 4 },
    );
    const needs = meddle({
      ...publishNeeds(store, new Map(), () => ""),
      revision: repositories.revision,
      setNeeded: repositories.setNeeded,
      complain: repositories.complain,
      openCommit: async (address, commit, openSignal) => {
        const mirror = mirrors.of(address);
        return mirror.ok ? mirror.value.open(commit, openSignal) : undefined;
      },
      renderings: renderingsOf(new RenderCache(1_000)),
      onClustersChanged: (clusters) => changed.push(...clusters),
    });
    const loop = createPublishLoop(
      { ...needs, random: Math.random, onPass: (pass) => passes.push(pass) },
      {
        fleet: { url, revision: "main", path: "fleet" },
        shrink: defaultShrinkLimits,
        fileDialect: "pathspec",
        elementsMost,
        wholeSets,
        stretchMs: 15,
        gatherMs: 0,
        reportsGatherMs: 0,
        resyncMs: 60_000,
        retry,
      },
    );
    const stopping = new AbortController();
    const running = runTogether([repositories.run, loop.run], stopping.signal);
    hub = {
      store,
      repositories,
      loop,
      changed,
      passes,
      stop: async () => {
        stopping.abort(new Error("the test is over"));
        await running;
        mirrors.close();
        store.close();
      },
    };
  }

  let nextCluster = 0;
  async function addCluster(name: string, labels: Labels): Promise<ClusterId> {
    nextCluster += 1;
    const id = parseClusterId(`00000000-0000-4000-8000-${String(nextCluster).padStart(12, "0")}`);
    const clusterName = parseClusterName(name);
    assert.ok(id.ok && clusterName.ok);
    const added = await hub.store.clusters.add(
      {
        id: id.value,
        name: clusterName.value,
        server: `https://${name}.cluster.wheelhouse`,
        labels,
        annotations: {},
      },
      Date.now(),
      signal,
    );
    assert.ok(added.ok);
    hub.loop.wake();
    return id.value;
  }

  const push = async (
    files: Readonly<Record<string, FileChange>>,
    rewrite = false,
  ): Promise<string> => {
    const commit = await fleet.commit({ files, rewrite }, signal);
    hub.repositories.wake(url);
    return commit;
  };

  const applications = async (): Promise<readonly ApplicationRecord[]> =>
    (await hub.store.applications.list({}, { by: "name", descending: false }, page, signal)).items;

  const names = async (): Promise<string> =>
    (await applications()).map(({ name }) => name).join(" ");

  /** Waits until a pass over `commit` has ended that left nothing to wait for. */
  const published = (commit: string): Promise<void> =>
    eventually(
      () => {
        const last = hub.passes.at(-1);
        assert.deepEqual([last?.commit, last?.waiting, last?.failed], [commit, 0, []]);
      },
      { what: `commit ${commit}` },
    );

  const offered = async (cluster: ClusterId): Promise<string> => {
    const change = await hub.store.desiredSets.changeAgainst(cluster, new Map(), signal);
    return change.upserts
      .map(({ application, generation }) => `${application}@${generation}`)
      .toSorted()
      .join(" ");
  };

  const tombstones = async (cluster: ClusterId): Promise<string> => {
    const change = await hub.store.desiredSets.changeSince(cluster, 0, signal);
    assert.ok(change !== undefined);
    return change.tombstones.map(({ application, cause }) => `${application} ${cause}`).join("; ");
  };

  const problemOf = async (name: string): Promise<string> => {
    const record = await hub.store.applications.find(app(name), signal);
    return record?.problem === undefined ? "" : `${record.problem.code} ${record.problem.message}`;
  };

  const setProblem = async (name: string): Promise<string> => {
    const record = await hub.store.applicationSets.find(name, signal);
    return record?.problem === undefined ? "" : `${record.problem.code} ${record.problem.message}`;
  };

  return {
    get hub(): Hub {
      return hub;
    },
    get fleet(): FleetRepository {
      return fleet;
    },
    get server(): GitServer {
      return server;
    },
    get url(): string {
      return url;
    },
    /** A folder of this test's own. */
    folderOf: (name: string): string => join(folder, `${name}-${count}`),
    startHub,
    addCluster,
    push,
    applications,
    names,
    published,
    offered,
    tombstones,
    problemOf,
    setProblem,
  };
}

function renderingsOf(cache: RenderCache): PublishNeeds["renderings"] {
  return {
    get: (tree, source) => cache.get(tree, source),
    put: (tree, source, made) => cache.put(tree, source, made),
  };
}
