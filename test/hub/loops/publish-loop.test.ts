import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { parseBundle } from "../../../proto/words/bundle.ts";
import { parseClusterName } from "../../../proto/words/ids.ts";
import { eventually } from "../../support/eventually.ts";
import { startGitServer } from "../../support/git-server.ts";
import { configMap, plainApplication, publishHub, webSet } from "../../support/publish-hub.ts";

const signal = new AbortController().signal;

suite("publishing", () => {
  const stage = publishHub();

  test("a push becomes an application in every cluster the set selects", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const two = await stage.addCluster("prod-2", { env: "prod" });
    const dev = await stage.addCluster("dev-1", { env: "dev" });
    const commit = await stage.push({
      "fleet/web.yaml": webSet(stage.url),
      "apps/web/a.yaml": configMap("a"),
      "apps/web/b.yaml": configMap("b"),
    });
    await stage.published(commit);
    assert.equal(await stage.names(), "web-prod-1 web-prod-2");
    assert.deepEqual(
      [await stage.offered(one), await stage.offered(two), await stage.offered(dev)],
      ["web-prod-1@1", "web-prod-2@1", ""],
    );
    const [first, second] = await stage.applications();
    assert.equal(first?.bundle, second?.bundle, "both clusters share one bundle");
    assert.deepEqual(
      [first?.revision, first?.objects, first?.cluster, first?.origin.name],
      [commit, 2, "prod-1", "web"],
    );
    assert.deepEqual(new Set(stage.hub.changed), new Set([one, two]));
    assert.ok(first?.bundle);
    const bytes = await stage.hub.store.blobs.readFor(one, first.bundle, signal);
    assert.ok(bytes);
    const bundle = parseBundle(bytes);
    assert.ok(bundle.ok);
    assert.deepEqual(
      bundle.value.entries.map(({ key }) => key),
      ["/ConfigMap//a", "/ConfigMap//b"],
    );
    const repository = await stage.hub.store.repositories.find(stage.url, signal);
    assert.deepEqual([repository?.heads, repository?.problem], [{ main: commit }, undefined]);
  });

  test("only what changed gets a new generation", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url),
        "fleet/api.yaml": webSet(stage.url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    assert.equal(await stage.offered(one), "api-prod-1@1 web-prod-1@1");
    await stage.published(await stage.push({ "apps/web/a.yaml": configMap("a", "2") }));
    assert.equal(await stage.offered(one), "api-prod-1@1 web-prod-1@2");
    await stage.published(await stage.push({ "docs/readme.md": "nothing that anyone renders" }));
    assert.equal(await stage.offered(one), "api-prod-1@1 web-prod-1@2");
  });

  test("a set that fails keeps its last good state and holds back nobody", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url),
        "fleet/api.yaml": webSet(stage.url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url).replace("{{ .name }}", "{{ .name | nosuchfunction }}"),
        "apps/web/a.yaml": configMap("a", "2"),
        "apps/api/a.yaml": configMap("a", "2"),
      }),
    );
    assert.match(await stage.setProblem("web"), /nosuchfunction/);
    assert.equal(await stage.offered(one), "api-prod-1@2 web-prod-1@1");
    const problem = (await stage.hub.store.applicationSets.find("web", signal))?.problem;
    await stage.published(await stage.push({ "apps/api/a.yaml": configMap("a", "3") }));
    assert.deepEqual((await stage.hub.store.applicationSets.find("web", signal))?.problem, problem);
    await stage.published(await stage.push({ "fleet/web.yaml": webSet(stage.url) }));
    assert.equal(await stage.setProblem("web"), "");
    assert.equal(await stage.offered(one), "api-prod-1@3 web-prod-1@2");
  });

  test("an application that fails to render keeps what it had", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    await stage.published(await stage.push({ "apps/web/a.yaml": "kind: [" }));
    assert.match(await stage.problemOf("web-prod-1"), /^WH-YAML-3301 apps\/web\/a\.yaml: line/);
    assert.equal(await stage.offered(one), "web-prod-1@1");
    await stage.published(
      await stage.push({ "apps/web/a.yaml": "apiVersion: v1\nkind: ConfigMap\n" }),
    );
    assert.match(await stage.problemOf("web-prod-1"), /^WH-RND-3402/);
    assert.equal(await stage.offered(one), "web-prod-1@1");
    await stage.published(await stage.push({ "apps/web": undefined }));
    assert.match(await stage.problemOf("web-prod-1"), /^WH-RND-3421 there is no "apps\/web"/);
    assert.equal(await stage.offered(one), "web-prod-1@1");
  });

  test("a set says what some of its applications are refused for, and the others go out", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.addCluster("prod-2", { env: "prod" });
    const perCluster = webSet(stage.url, { path: "apps/{{ .name }}" });
    await stage.published(
      await stage.push({
        "fleet/web.yaml": perCluster,
        "apps/prod-1/a.yaml": configMap("a"),
        "apps/prod-2/a.yaml": configMap("a"),
      }),
    );
    await stage.published(
      await stage.push({ "apps/prod-1/a.yaml": configMap("a", "2"), "apps/prod-2": undefined }),
    );
    assert.match(await stage.setProblem("web"), /^WH-RND-3421 there is no "apps\/prod-2"/);
    assert.equal(await stage.problemOf("web-prod-2"), await stage.setProblem("web"));
    assert.equal(await stage.names(), "web-prod-1 web-prod-2");
    assert.equal(await stage.offered(one), "web-prod-1@2");
    await stage.published(
      await stage.push({
        "fleet/web.yaml": perCluster.replace("project: default", "project: nope"),
        "apps/prod-1/a.yaml": configMap("a", "3"),
      }),
    );
    assert.equal(
      await stage.setProblem("web"),
      "WH-DST-3511 application references project nope which does not exist (and 1 more)",
    );
    assert.equal(await stage.offered(one), "web-prod-1@2");
    await stage.published(
      await stage.push({ "fleet/web.yaml": perCluster, "apps/prod-2/a.yaml": configMap("a") }),
    );
    assert.equal(await stage.setProblem("web"), "");
    assert.equal(await stage.offered(one), "web-prod-1@3");
  });

  test("a destination nobody knows is a problem until the cluster comes", async () => {
    const commit = await stage.push({
      "fleet/alone.yaml": plainApplication(stage.url, "late"),
      "apps/web/a.yaml": configMap("a"),
    });
    await stage.published(commit);
    assert.match(await stage.problemOf("alone"), /^WH-DST-3501 .*: late$/);
    const late = await stage.addCluster("late", {});
    await eventually(async () => assert.equal(await stage.offered(late), "alone@1"));
    assert.equal(await stage.problemOf("alone"), "");
  });

  test("a cluster that joins, is relabelled or leaves changes the set without a commit", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.addCluster("prod-2", { env: "prod" });
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    const joined = await stage.addCluster("prod-3", { env: "prod" });
    await eventually(async () => assert.equal(await stage.offered(joined), "web-prod-3@1"));
    const name = parseClusterName("prod-1");
    assert.ok(name.ok);
    await stage.hub.store.clusters.setMetadata(
      name.value,
      { labels: { env: "dev" } },
      Date.now(),
      signal,
    );
    stage.hub.loop.wake();
    await eventually(async () => assert.equal(await stage.offered(one), ""));
    assert.equal(await stage.tombstones(one), "web-prod-1 no-longer-generated");
    await stage.hub.store.clusters.setMetadata(
      name.value,
      { labels: { env: "prod" } },
      Date.now(),
      signal,
    );
    stage.hub.loop.wake();
    await eventually(async () => assert.match(await stage.offered(one), /^web-prod-1@[3-9]/));
  });

  test("the same application name stays with the one that has it", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const other = webSet(stage.url, { name: "other" }).replace(
      "other-{{ .name }}",
      "web-{{ .name }}",
    );
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    await stage.published(await stage.push({ "fleet/a-other.yaml": other }));
    assert.match(await stage.setProblem("other"), /^WH-GEN-3106 .*web-prod-1/);
    assert.equal((await stage.applications())[0]?.origin.name, "web");
    assert.equal(await stage.offered(one), "web-prod-1@1");
    await stage.push({ "fleet/web.yaml": undefined });
    await eventually(async () => {
      const [application] = await stage.applications();
      assert.equal(application?.origin.name, "other");
    });
    await eventually(async () => assert.equal(await stage.setProblem("other"), ""));
  });

  test("git directories make applications, and a repository that cannot be read makes none vanish", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const set = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: { name: dirs }
spec:
  goTemplate: true
  generators:
    - git:
        repoURL: ${stage.url}
        revision: main
        directories: [{ path: "apps/*" }]
  template:
    metadata: { name: '{{ .path.basename }}' }
    spec:
      project: default
      source: { repoURL: "${stage.url}", targetRevision: main, path: '{{ .path.path }}' }
      destination: { name: prod-1, namespace: default }
      syncPolicy: { automated: {} }
`;
    await stage.published(
      await stage.push({
        "fleet/dirs.yaml": set,
        "apps/a/a.yaml": configMap("a"),
        "apps/b/b.yaml": configMap("b"),
      }),
    );
    assert.equal(await stage.offered(one), "a@1 b@1");
    await stage.published(
      await stage.push({ "apps/c/c.yaml": configMap("c"), "apps/b": undefined }),
    );
    assert.equal(await stage.offered(one), "a@1 c@1");
    const elsewhere = await startGitServer({ folder: stage.folderOf("else") }, signal);
    const gone = elsewhere.urlOf("gone");
    await elsewhere.stop();
    await stage.published(
      await stage.push({
        "fleet/dirs.yaml": set.replace(`repoURL: ${stage.url}`, `repoURL: ${gone}`),
      }),
    );
    assert.equal(await stage.offered(one), "a@1 c@1");
    assert.match(await stage.setProblem("dirs"), /ECONNREFUSED/);
  });

  test("git files are read through symbolic links that stay inside the repository", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const set = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: files}
spec:
  goTemplate: true
  generators:
    - git: {repoURL: '${stage.url}', revision: main, files: [{path: 'places/*.yaml'}]}
  template:
    metadata: {name: '{{ trimSuffix ".yaml" .path.filename }}', labels: {team: '{{ .team }}'}}
    spec:
      project: default
      source: {repoURL: '${stage.url}', path: apps/web}
      destination: {name: prod-1, namespace: web}
`;
    const teams = async (): Promise<string> =>
      (await stage.applications()).map(({ name, labels }) => `${name} ${labels["team"]}`).join(" ");
    await stage.published(
      await stage.push({
        "fleet/files.yaml": set,
        "apps/web/a.yaml": configMap("a"),
        "shared/north.yaml": "team: north",
        "shared/south.yaml": "team: south",
        "places/berlin.yaml": { symlink: "../shared/north.yaml" },
        "places/boston.yaml": { symlink: "berlin.yaml" },
      }),
    );
    assert.equal(await teams(), "berlin north boston north");
    // The link stays as it is: what it leads to has changed.
    await stage.published(await stage.push({ "shared/north.yaml": "team: far" }));
    assert.equal(await teams(), "berlin far boston far");
    await stage.published(
      await stage.push({
        "places/berlin.yaml": { symlink: "../shared/south.yaml" },
        "places/boston.yaml": { symlink: "../../secret.yaml" },
      }),
    );
    assert.equal(await teams(), "berlin south boston far");
    assert.equal(await stage.offered(one), "berlin@1 boston@1");
    assert.match(
      await stage.setProblem("files"),
      /'places\/boston\.yaml' .* leads out of the repository: places\/boston\.yaml is a symbolic link to "\.\.\/\.\.\/secret\.yaml"/,
    );
    await stage.published(await stage.push({ "places/boston.yaml": { symlink: "../shared" } }));
    assert.match(await stage.setProblem("files"), /is a directory, not a file/);
  });

  test("an element that fails costs its own application, unless sets are whole", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
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
      source: {repoURL: '${stage.url}', path: apps/web}
      destination: {name: prod-1, namespace: web}
`;
    const [a, b, c] = ["a", "b", "c"].map((name) => `{name: ${name}, team: x}`);
    await stage.published(
      await stage.push({
        "fleet/list.yaml": list(`${a}`, `${b}`),
        "apps/web/a.yaml": configMap("a"),
      }),
    );
    assert.equal(await stage.offered(one), "a@1 b@1");
    await stage.published(
      await stage.push({ "fleet/list.yaml": list(`${a}`, "{name: b}", `${c}`) }),
    );
    assert.equal(await stage.offered(one), "a@1 b@1 c@1");
    assert.match(await stage.setProblem("list"), /^WH-TPL-3202 .*"team"/);
    assert.match(await stage.problemOf("b"), /^WH-TPL-3202 /);

    await stage.hub.stop();
    await stage.startHub((needs) => needs, { wholeSets: true });
    await stage.published(
      await stage.push({ "fleet/list.yaml": list("{name: b}", "{name: d, team: x}") }),
    );
    assert.equal(await stage.offered(one), "a@1 b@1 c@1");
    assert.match(await stage.setProblem("list"), /^WH-TPL-3202 /);
  });

  test("other kinds are ignored, dot folders are not read", async () => {
    await stage.addCluster("prod-1", { env: "prod" });
    const commit = await stage.push({
      "fleet/web.yaml": `${webSet(stage.url)}---\n${configMap("not-ours")}---\n`,
      "fleet/.github/workflow.yaml": "broken: [",
      "fleet/values.json": '{"a": 1}',
      "apps/web/a.yaml": configMap("a"),
    });
    await stage.published(commit);
    assert.equal(await stage.names(), "web-prod-1");
    assert.equal((await stage.hub.store.repositories.find(stage.url, signal))?.problem, undefined);
  });
});
