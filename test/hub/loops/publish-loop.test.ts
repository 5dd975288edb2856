import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, suite } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { defaultShrinkLimits } from "../../../hub/domain/shrink-guard.ts";
import type { ApplicationRecord, Labels } from "../../../hub/domain/records.ts";
import { credentialReader } from "../../../hub/git/credentials.ts";
import { openConnections } from "../../../hub/git/http.ts";
import { mirrorLimits, openMirrors, type Mirrors } from "../../../hub/git/mirror.ts";
import { parseDocuments, parseOne } from "../../../hub/git/yaml.ts";
import { createPublishLoop, type PublishLoop } from "../../../hub/loops/publish-loop.ts";
import type { PassOutcome, PublishNeeds } from "../../../hub/loops/publish.ts";
import { createRepositories, type Repositories } from "../../../hub/loops/repositories.ts";
import { RenderCache } from "../../../hub/render/cache.ts";
import { renderDirectory, renderLimits } from "../../../hub/render/directory.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import { endsWithin } from "../../../hub/watchdog.ts";
import { transliterate } from "../../../hub/transliterate.ts";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { fail } from "../../../proto/kit/result.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { runTogether } from "../../../proto/kit/run-together.ts";
import { parseBundle } from "../../../proto/words/bundle.ts";
import { parseClusterId, parseClusterName, type ClusterId } from "../../../proto/words/ids.ts";
import { newTrace } from "../../../proto/words/trace.ts";
import { eventually } from "../../support/eventually.ts";
import {
  fleetRepository,
  type FileChange,
  type FleetRepository,
} from "../../support/fleet-repository.ts";
import { startGitServer, type GitServer } from "../../support/git-server.ts";

const signal = new AbortController().signal;
const page = { limit: 500, after: undefined };

const configMap = (name: string, value = "1"): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;

/** A set that gives each cluster with `env` one application, from a folder of the fleet repository. */
const webSet = (
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

const plainApplication = (url: string, cluster: string): string => `
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

type Hub = {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly loop: PublishLoop;
  readonly changed: ClusterId[];
  readonly passes: PassOutcome[];
  readonly stop: () => Promise<void>;
};

suite("publishing", () => {
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
    hub = await startHub();
  });
  afterEach(async () => {
    await hub.stop();
    await server.stop();
  });

  /** The loops over a real store and real Git, as compose puts them together. */
  async function startHub(
    meddle: (needs: PublishNeeds) => PublishNeeds = (needs) => needs,
    {
      wholeSets = false,
      elementsMost = 1_000,
    }: { readonly wholeSets?: boolean; readonly elementsMost?: number } = {},
  ): Promise<Hub> {
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
      { pollMs: 60_000, retry, recordEveryMs: 60_000, atOnceMost: 4 },
    );
    const needs = meddle({
      revision: repositories.revision,
      setNeeded: repositories.setNeeded,
      complain: repositories.complain,
      openCommit: async (address, commit, openSignal) => {
        const mirror = mirrors.of(address);
        return mirror.ok ? mirror.value.open(commit, openSignal) : undefined;
      },
      readYaml: parseDocuments,
      decodeYaml: parseOne,
      transliterate,
      render: (tree, source, renderSignal) =>
        renderDirectory(tree, source, parseDocuments, renderLimits, renderSignal),
      renderings: renderingsOf(new RenderCache(1_000)),
      clusters: store.clusters.facts,
      putBundle: store.blobs.putBundle,
      findSet: store.applicationSets.find,
      origins: store.publishing.origins,
      published: store.publishing.published,
      owners: store.publishing.owners,
      named: store.publishing.named,
      rollout: store.publishing.rollout,
      record: store.publishing.record,
      onClustersChanged: (clusters) => changed.push(...clusters),
      newTrace,
      guard: (work) => endsWithin(5_000, work),
      nextTurn: () => nextTurn(),
      clock: systemClock,
      log: silentLog,
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
        resyncMs: 60_000,
        retry,
      },
    );
    const stopping = new AbortController();
    const running = runTogether([repositories.run, loop.run], stopping.signal);
    return {
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
        assert.deepEqual([last?.commit, last?.waiting, last?.failures], [commit, 0, 0]);
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
    const record = await hub.store.applications.find(name, signal);
    return record?.problem === undefined ? "" : `${record.problem.code} ${record.problem.message}`;
  };

  const setProblem = async (name: string): Promise<string> => {
    const record = await hub.store.applicationSets.find(name, signal);
    return record?.problem === undefined ? "" : `${record.problem.code} ${record.problem.message}`;
  };

  test("a push becomes an application in every cluster the set selects", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const two = await addCluster("prod-2", { env: "prod" });
    const dev = await addCluster("dev-1", { env: "dev" });
    const commit = await push({
      "fleet/web.yaml": webSet(url),
      "apps/web/a.yaml": configMap("a"),
      "apps/web/b.yaml": configMap("b"),
    });
    await published(commit);
    assert.equal(await names(), "web-prod-1 web-prod-2");
    assert.deepEqual(
      [await offered(one), await offered(two), await offered(dev)],
      ["web-prod-1@1", "web-prod-2@1", ""],
    );
    const [first, second] = await applications();
    assert.equal(first?.bundle, second?.bundle, "both clusters share one bundle");
    assert.deepEqual(
      [first?.revision, first?.objects, first?.cluster, first?.origin.name],
      [commit, 2, "prod-1", "web"],
    );
    assert.deepEqual(new Set(hub.changed), new Set([one, two]));
    assert.ok(first?.bundle);
    const bytes = await hub.store.blobs.readFor(one, first.bundle, signal);
    assert.ok(bytes);
    const bundle = parseBundle(bytes);
    assert.ok(bundle.ok);
    assert.deepEqual(
      bundle.value.entries.map(({ key }) => key),
      ["/ConfigMap//a", "/ConfigMap//b"],
    );
    const repository = await hub.store.repositories.find(url, signal);
    assert.deepEqual([repository?.heads, repository?.problem], [{ main: commit }, undefined]);
  });

  test("only what changed gets a new generation", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({
        "fleet/web.yaml": webSet(url),
        "fleet/api.yaml": webSet(url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    assert.equal(await offered(one), "api-prod-1@1 web-prod-1@1");
    await published(await push({ "apps/web/a.yaml": configMap("a", "2") }));
    assert.equal(await offered(one), "api-prod-1@1 web-prod-1@2");
    await published(await push({ "docs/readme.md": "nothing that anyone renders" }));
    assert.equal(await offered(one), "api-prod-1@1 web-prod-1@2");
  });

  test("a set that fails keeps its last good state and holds back nobody", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({
        "fleet/web.yaml": webSet(url),
        "fleet/api.yaml": webSet(url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    await published(
      await push({
        "fleet/web.yaml": webSet(url).replace("{{ .name }}", "{{ .name | nosuchfunction }}"),
        "apps/web/a.yaml": configMap("a", "2"),
        "apps/api/a.yaml": configMap("a", "2"),
      }),
    );
    assert.match(await setProblem("web"), /nosuchfunction/);
    assert.equal(await offered(one), "api-prod-1@2 web-prod-1@1");
    const problem = (await hub.store.applicationSets.find("web", signal))?.problem;
    await published(await push({ "apps/api/a.yaml": configMap("a", "3") }));
    assert.deepEqual((await hub.store.applicationSets.find("web", signal))?.problem, problem);
    await published(await push({ "fleet/web.yaml": webSet(url) }));
    assert.equal(await setProblem("web"), "");
    assert.equal(await offered(one), "api-prod-1@3 web-prod-1@2");
  });

  test("an application that fails to render keeps what it had", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    await published(await push({ "apps/web/a.yaml": "kind: [" }));
    assert.match(await problemOf("web-prod-1"), /^WH-YAML-3301 apps\/web\/a\.yaml: line/);
    assert.equal(await offered(one), "web-prod-1@1");
    await published(await push({ "apps/web/a.yaml": "apiVersion: v1\nkind: ConfigMap\n" }));
    assert.match(await problemOf("web-prod-1"), /^WH-RND-3402/);
    assert.equal(await offered(one), "web-prod-1@1");
    await published(await push({ "apps/web": undefined }));
    assert.match(await problemOf("web-prod-1"), /^WH-RND-3421 there is no "apps\/web"/);
    assert.equal(await offered(one), "web-prod-1@1");
  });

  test("a directory that becomes empty is held, not emptied", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    await published(await push({ "apps/web/a.yaml": undefined, "apps/web/note.md": "empty" }));
    assert.match(await problemOf("web-prod-1"), /^WH-RND-3406 .*would lose all/);
    assert.equal(await offered(one), "web-prod-1@1");
  });

  test("a destination nobody knows is a problem until the cluster comes", async () => {
    const commit = await push({
      "fleet/alone.yaml": plainApplication(url, "late"),
      "apps/web/a.yaml": configMap("a"),
    });
    await published(commit);
    assert.match(await problemOf("alone"), /^WH-DST-3501 .*: late$/);
    const late = await addCluster("late", {});
    await eventually(async () => assert.equal(await offered(late), "alone@1"));
    assert.equal(await problemOf("alone"), "");
  });

  test("a file that cannot be parsed removes nothing it may have held", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({
        "fleet/web.yaml": webSet(url),
        "fleet/alone.yaml": plainApplication(url, "prod-1"),
        "fleet/api.yaml": webSet(url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    assert.equal(await offered(one), "alone@1 api-prod-1@1 web-prod-1@1");
    await published(
      await push({
        "fleet/web.yaml": "kind: [",
        "fleet/alone.yaml": "also: [broken",
        "apps/api/a.yaml": configMap("a", "2"),
      }),
    );
    assert.equal(await offered(one), "alone@1 api-prod-1@2 web-prod-1@1");
    assert.match(await setProblem("web"), /^WH-YAML-3301 fleet\/web\.yaml: line/);
    assert.match(await problemOf("alone"), /^WH-YAML-3301 fleet\/alone\.yaml/);
    await eventually(async () => {
      const repository = await hub.store.repositories.find(url, signal);
      assert.match(repository?.problem?.message ?? "", /fleet\/.*\.yaml: line .*1 more/);
    });

    // While one file is broken, taking another away does not remove either.
    await published(await push({ "fleet/api.yaml": undefined }));
    assert.match(await offered(one), /api-prod-1/);

    await published(
      await push({
        "fleet/web.yaml": webSet(url),
        "fleet/alone.yaml": plainApplication(url, "prod-1"),
      }),
    );
    assert.equal(await offered(one), "alone@1 web-prod-1@1");
    assert.equal(await tombstones(one), "api-prod-1 set-removed");
    assert.equal(await setProblem("web"), "");
    await eventually(async () =>
      assert.equal((await hub.store.repositories.find(url, signal))?.problem, undefined),
    );
  });

  test("what is gone from Git leaves by tombstone", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({
        "fleet/web.yaml": webSet(url),
        "fleet/alone.yaml": plainApplication(url, "prod-1"),
        "apps/web/a.yaml": configMap("a"),
      }),
    );
    await published(await push({ "fleet/web.yaml": undefined }));
    assert.equal(await names(), "alone");
    assert.equal(await hub.store.applicationSets.find("web", signal), undefined);
    assert.equal(await tombstones(one), "web-prod-1 set-removed");
    await published(await push({ "fleet/alone.yaml": undefined, "fleet/note.md": "empty" }));
    assert.equal(await names(), "");
    assert.equal(await tombstones(one), "alone removed-from-git; web-prod-1 set-removed");
  });

  test("a fleet folder that is gone removes nothing", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    await published(await push({ fleet: undefined }));
    assert.equal(await offered(one), "web-prod-1@1");
    await eventually(async () => {
      const repository = await hub.store.repositories.find(url, signal);
      assert.match(repository?.problem?.message ?? "", /no directory "fleet"/);
    });
  });

  test("mass removal waits for consent", async () => {
    const clusters = await Promise.all(
      Array.from({ length: 8 }, (_, index) => addCluster(`prod-${index}`, { env: "prod" })),
    );
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    assert.equal((await applications()).length, 8);
    await published(await push({ "fleet/web.yaml": webSet(url, { selector: "env: production" }) }));
    assert.equal((await applications()).length, 8);
    assert.match(await setProblem("web"), /^WH-GEN-3110 8 applications/);
    await published(
      await push({
        "fleet/web.yaml": webSet(url, { selector: "env: production" }).replace(
          "  name: web\n",
          '  name: web\n  annotations: { wheelhouse.dev/allow-removals: "true" }\n',
        ),
      }),
    );
    assert.equal((await applications()).length, 0);
    assert.equal(await offered(clusters[0] ?? ("" as ClusterId)), "");
  });

  test("a cluster that joins, is relabelled or leaves changes the set without a commit", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await addCluster("prod-2", { env: "prod" });
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    const joined = await addCluster("prod-3", { env: "prod" });
    await eventually(async () => assert.equal(await offered(joined), "web-prod-3@1"));
    const name = parseClusterName("prod-1");
    assert.ok(name.ok);
    await hub.store.clusters.setMetadata(
      name.value,
      { labels: { env: "dev" } },
      Date.now(),
      signal,
    );
    hub.loop.wake();
    await eventually(async () => assert.equal(await offered(one), ""));
    assert.equal(await tombstones(one), "web-prod-1 no-longer-generated");
    await hub.store.clusters.setMetadata(
      name.value,
      { labels: { env: "prod" } },
      Date.now(),
      signal,
    );
    hub.loop.wake();
    await eventually(async () => assert.match(await offered(one), /^web-prod-1@[3-9]/));
  });

  test("the same application name stays with the one that has it", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const other = webSet(url, { name: "other" }).replace("other-{{ .name }}", "web-{{ .name }}");
    await published(
      await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") }),
    );
    await published(await push({ "fleet/a-other.yaml": other }));
    assert.match(await setProblem("other"), /^WH-GEN-3106 .*web-prod-1/);
    assert.equal((await applications())[0]?.origin.name, "web");
    assert.equal(await offered(one), "web-prod-1@1");
    await push({ "fleet/web.yaml": undefined });
    await eventually(async () => {
      const [application] = await applications();
      assert.equal(application?.origin.name, "other");
    });
    await eventually(async () => assert.equal(await setProblem("other"), ""));
  });

  test("a source in another repository, down and up again", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const source = await startGitServer({ folder: join(folder, `source-${count}`) }, signal);
    const apps = fleetRepository(await source.addRepository("apps", signal));
    await apps.commit({ files: { "apps/web/a.yaml": configMap("a") } }, signal);
    source.setFault({ kind: "status", status: 500 });
    const commit = await push({
      "fleet/web.yaml": webSet(source.urlOf("apps")),
      "fleet/api.yaml": webSet(url, { name: "api", path: "apps/api" }),
      "apps/api/a.yaml": configMap("a"),
    });
    await published(commit);
    assert.equal(await offered(one), "api-prod-1@1");
    assert.match(await problemOf("web-prod-1"), /^WH-GIT-3001 .*500/);
    source.setFault({ kind: "none" });
    await eventually(async () => assert.equal(await offered(one), "api-prod-1@1 web-prod-1@1"));
    await eventually(async () => assert.equal(await problemOf("web-prod-1"), ""));
    source.setFault({ kind: "down" });
    hub.repositories.wake(source.urlOf("apps"));
    await eventually(async () => {
      const record = await hub.store.repositories.find(source.urlOf("apps"), signal);
      assert.equal(record?.problem?.code, "WH-GIT-3001");
    });
    await published(await push({ "apps/api/a.yaml": configMap("a", "2") }));
    assert.equal(await offered(one), "api-prod-1@2 web-prod-1@1");
    assert.equal(await problemOf("web-prod-1"), "", "the last good commit serves");
    await source.stop();
  });

  test("git directories make applications, and a repository that cannot be read makes none vanish", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const set = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: dirs }
spec:
  goTemplate: true
  generators:
    - git:
        repoURL: ${url}
        revision: main
        directories: [{ path: "apps/*" }]
  template:
    metadata: { name: '{{ .path.basename }}' }
    spec:
      project: default
      source: { repoURL: "${url}", targetRevision: main, path: '{{ .path.path }}' }
      destination: { name: prod-1, namespace: default }
      syncPolicy: { automated: {} }
`;
    await published(
      await push({
        "fleet/dirs.yaml": set,
        "apps/a/a.yaml": configMap("a"),
        "apps/b/b.yaml": configMap("b"),
      }),
    );
    assert.equal(await offered(one), "a@1 b@1");
    await published(await push({ "apps/c/c.yaml": configMap("c"), "apps/b": undefined }));
    assert.equal(await offered(one), "a@1 c@1");
    const elsewhere = await startGitServer({ folder: join(folder, `else-${count}`) }, signal);
    const gone = elsewhere.urlOf("gone");
    await elsewhere.stop();
    await published(
      await push({ "fleet/dirs.yaml": set.replace(`repoURL: ${url}`, `repoURL: ${gone}`) }),
    );
    assert.equal(await offered(one), "a@1 c@1");
    assert.match(await setProblem("dirs"), /ECONNREFUSED/);
  });

  test("a rewritten history is followed and told", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const first = await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") });
    await published(first);
    const second = await push(
      { "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a", "rewritten") },
      true,
    );
    await published(second);
    assert.equal(await offered(one), "web-prod-1@2");
    const events = await hub.store.events.since(0, 1_000, signal);
    assert.ok(events.some(({ message }) => message.includes(`rewritten: it went from ${first}`)));
  });

  test("publishing again records nothing, also after a restart", async () => {
    await addCluster("prod-1", { env: "prod" });
    const commit = await push({
      "fleet/web.yaml": webSet(url),
      "fleet/alone.yaml": plainApplication(url, "prod-1"),
      "fleet/broken.yaml": webSet(url, { name: "broken", path: "nowhere" }),
      "apps/web/a.yaml": configMap("a"),
    });
    await published(commit);
    const before = await applications();
    const events = await hub.store.events.latest(signal);
    await hub.stop();
    server.setFault({ kind: "down" });
    let records = 0;
    hub = await startHub((needs) => ({
      ...needs,
      record: (...args) => {
        records += 1;
        return needs.record(...args);
      },
    }));
    await published(commit);
    assert.equal(records, 0, "Git is away, and everything is as it was");
    assert.deepEqual(await applications(), before);
    server.setFault({ kind: "none" });
    hub.loop.wake();
    await eventually(() => assert.ok(hub.passes.length > 1));
    assert.equal(records, 0);
    const later = await hub.store.events.since(events, 100, signal);
    assert.deepEqual(
      later.filter(({ kind }) => !kind.startsWith("repository-")),
      [],
    );
  });

  test("dying between sets loses nothing and repeats nothing", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await hub.stop();
    const files: Record<string, string> = {};
    for (const name of ["s1", "s2", "s3", "s4"]) {
      files[`fleet/${name}.yaml`] = webSet(url, { name, path: `apps/${name}` });
      files[`apps/${name}/a.yaml`] = configMap(name);
    }
    const commit = await fleet.commit({ files }, signal);
    for (const diesAfter of [1, 2, 3]) {
      let records = 0;
      hub = await startHub((needs) => ({
        ...needs,
        record: async (...args) => {
          records += 1;
          // From here on this process records nothing more, as if it were gone.
          if (records > 1) return new Promise(() => {});
          return needs.record(...args);
        },
      }));
      await eventually(async () => assert.equal((await applications()).length, diesAfter));
      void hub.stop();
      await nextTurn();
    }
    hub = await startHub();
    await published(commit);
    assert.equal(await offered(one), "s1-prod-1@1 s2-prod-1@1 s3-prod-1@1 s4-prod-1@1");
  });

  test("dying amid a large set loses nothing and repeats nothing", async () => {
    const clusters: ClusterId[] = [];
    for (let at = 0; at < 250; at += 1) clusters.push(await addCluster(`c-${at}`, { env: "prod" }));
    await hub.stop();
    const commit = await fleet.commit(
      { files: { "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") } },
      signal,
    );
    for (const diesAfter of [100, 200]) {
      let records = 0;
      hub = await startHub((needs) => ({
        ...needs,
        record: async (...args) => {
          records += 1;
          if (records > 1) return new Promise(() => {});
          return needs.record(...args);
        },
      }));
      await eventually(async () => assert.equal((await applications()).length, diesAfter));
      assert.equal((await hub.store.applicationSets.find("web", signal))?.path, "fleet/web.yaml");
      void hub.stop();
      await nextTurn();
    }
    hub = await startHub();
    await published(commit);
    for (const [at, cluster] of clusters.entries())
      assert.equal(await offered(cluster), `web-c-${at}@1`);
    const told = await hub.store.events.since(0, 1_000, signal);
    assert.equal(told.filter(({ kind }) => kind === "application-created").length, 250);
  });

  test("a set that is half removed when the disk is full, and then put back, is whole again", async () => {
    const clusters: ClusterId[] = [];
    for (let at = 0; at < 250; at += 1) clusters.push(await addCluster(`c-${at}`, { env: "prod" }));
    const sources = await fleet.commit(
      { files: { "apps/web/a.yaml": configMap("a"), "fleet/README.md": "sets" } },
      signal,
    );
    const document = webSet(url)
      .replace("targetRevision: main", `targetRevision: ${sources}`)
      .replace(
        "name: web\n",
        'name: web\n  annotations: {wheelhouse.dev/allow-removals: "true"}\n',
      );
    await hub.stop();
    let isFull = false;
    let failures = 0;
    hub = await startHub((needs) => ({
      ...needs,
      record: async (publication, recordSignal) => {
        if (isFull && publication.set === "removed") {
          failures += 1;
          throw new Trouble("the disk is full");
        }
        return needs.record(publication, recordSignal);
      },
    }));
    await published(await push({ "fleet/web.yaml": document }));
    assert.equal((await applications()).length, 250);
    isFull = true;
    await push({ "fleet/web.yaml": undefined });
    await eventually(() => assert.ok(failures > 0));
    assert.equal((await applications()).length, 50, "what the last piece would have removed");
    const back = await push({ "fleet/web.yaml": document });
    await published(back);
    assert.equal((await applications()).length, 250);
    for (const [at, cluster] of clusters.entries())
      assert.match(await offered(cluster), new RegExp(`^web-c-${at}@[1-9]$`));
  });

  test("a set whose generation is stopped keeps what it had, rests, and holds nobody up", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await hub.stop();
    let stops = 0;
    let isDear = false;
    hub = await startHub((needs) => ({
      ...needs,
      guard: (work) => {
        if (!isDear) return needs.guard(work);
        isDear = false;
        stops += 1;
        return fail("took-too-long");
      },
    }));
    const files = { "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") };
    await published(await push(files));
    isDear = true;
    const changed = webSet(url).replace("namespace: web", "namespace: other");
    const zoo = webSet(url, { name: "zoo" });
    await push({ "fleet/web.yaml": changed, "fleet/zoo.yaml": zoo });
    const problem = async () =>
      (await hub.store.applicationSets.find("web", signal))?.problem?.code;
    await eventually(async () => assert.equal(await problem(), "WH-TPL-3203"));
    await eventually(async () => assert.equal(await offered(one), "web-prod-1@1 zoo-prod-1@1"));
    const passes = hub.passes.length;
    hub.loop.wake();
    await eventually(() => assert.ok(hub.passes.length > passes));
    assert.deepEqual([stops, await problem()], [1, "WH-TPL-3203"], "it rests");
    const again = changed.replace("namespace: other", "namespace: third");
    const last = await push({ "fleet/web.yaml": again });
    await published(last);
    assert.equal(await offered(one), "web-prod-1@2 zoo-prod-1@1");
    assert.equal(await problem(), undefined);
  });

  test("a set that has grown beyond measure keeps what it had", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await hub.stop();
    hub = await startHub((needs) => needs, { elementsMost: 1 });
    const commit = await push({ "fleet/web.yaml": webSet(url), "apps/web/a.yaml": configMap("a") });
    await published(commit);
    await addCluster("prod-2", { env: "prod" });
    hub.loop.wake();
    await eventually(async () => {
      const found = await hub.store.applicationSets.find("web", signal);
      assert.equal(found?.problem?.code, "WH-GEN-3116");
    });
    assert.equal(await offered(one), "web-prod-1@1");
    assert.equal(await names(), "web-prod-1");
  });

  test("an element that fails costs its own application, unless sets are whole", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const list = (...items: readonly string[]): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: list}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - list: {elements: [${items.join(", ")}]}
  template:
    metadata: {name: '{{ .name }}', labels: {team: '{{ .team }}'}, finalizers: [resources-finalizer.argocd.argoproj.io]}
    spec:
      project: default
      source: {repoURL: '${url}', path: apps/web}
      destination: {name: prod-1, namespace: web}
`;
    const [a, b, c] = ["a", "b", "c"].map((name) => `{name: ${name}, team: x}`);
    await published(
      await push({ "fleet/list.yaml": list(`${a}`, `${b}`), "apps/web/a.yaml": configMap("a") }),
    );
    assert.equal(await offered(one), "a@1 b@1");
    await published(await push({ "fleet/list.yaml": list(`${a}`, "{name: b}", `${c}`) }));
    assert.equal(await offered(one), "a@1 b@1 c@1");
    assert.match(await setProblem("list"), /^WH-TPL-3202 .*"team"/);
    assert.match(await problemOf("b"), /^WH-TPL-3202 /);

    await hub.stop();
    hub = await startHub((needs) => needs, { wholeSets: true });
    await published(await push({ "fleet/list.yaml": list("{name: b}", "{name: d, team: x}") }));
    assert.equal(await offered(one), "a@1 b@1 c@1");
    assert.match(await setProblem("list"), /^WH-TPL-3202 /);
  });

  test("a set that only creates neither changes nor deletes what it made", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    const set = (path: string, name: string): string => `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: once}
spec:
  goTemplate: true
  syncPolicy: {applicationsSync: create-only}
  generators:
    - list: {elements: [{name: ${name}}]}
  template:
    metadata: {name: '{{ .name }}'}
    spec:
      project: default
      source: {repoURL: '${url}', path: ${path}}
      destination: {name: prod-1, namespace: web}
`;
    await published(
      await push({
        "fleet/once.yaml": set("apps/one", "a"),
        "fleet/other.yaml": configMap("keeps-the-folder"),
        "apps/one/a.yaml": configMap("a"),
        "apps/two/a.yaml": configMap("b"),
      }),
    );
    await published(await push({ "fleet/once.yaml": set("apps/two", "a") }));
    assert.equal((await applications())[0]?.source.path, "apps/one");
    await published(await push({ "apps/one/a.yaml": configMap("a", "2") }));
    assert.equal(await offered(one), "a@2", "what it follows in Git it goes on following");
    await published(await push({ "fleet/once.yaml": set("apps/two", "b") }));
    assert.equal(await offered(one), "a@2 b@1");
    await published(await push({ "fleet/once.yaml": undefined }));
    assert.equal(await offered(one), "a@2 b@1");
    assert.match(await setProblem("once"), /^WH-GEN-3115 /);
  });

  test("a bug in one set costs that set", async () => {
    const one = await addCluster("prod-1", { env: "prod" });
    await hub.stop();
    hub = await startHub((needs) => ({
      ...needs,
      render: (tree, source, renderSignal) =>
        source.path === "apps/bad"
          ? Promise.reject(new TypeError("a bug"))
          : needs.render(tree, source, renderSignal),
    }));
    await push({
      "fleet/bad.yaml": webSet(url, { name: "bad", path: "apps/bad" }),
      "fleet/good.yaml": webSet(url, { name: "good", path: "apps/good" }),
      "apps/bad/a.yaml": configMap("a"),
      "apps/good/a.yaml": configMap("a"),
    });
    await eventually(async () => assert.equal(await offered(one), "good-prod-1@1"));
    await eventually(() =>
      assert.ok(hub.passes.filter(({ failures }) => failures === 1).length > 1),
    );
  });

  test("other kinds are ignored, dot folders are not read", async () => {
    await addCluster("prod-1", { env: "prod" });
    const commit = await push({
      "fleet/web.yaml": `${webSet(url)}---\n${configMap("not-ours")}---\n`,
      "fleet/.github/workflow.yaml": "broken: [",
      "fleet/values.json": '{"a": 1}',
      "apps/web/a.yaml": configMap("a"),
    });
    await published(commit);
    assert.equal(await names(), "web-prod-1");
    assert.equal((await hub.store.repositories.find(url, signal))?.problem, undefined);
  });
});

function renderingsOf(cache: RenderCache): PublishNeeds["renderings"] {
  return {
    get: (tree, source) => cache.get(tree, source),
    put: (tree, source, made) => cache.put(tree, source, made),
  };
}
