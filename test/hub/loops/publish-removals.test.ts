import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { eventually } from "../../support/eventually.ts";
import { configMap, plainApplication, publishHub, webSet } from "../../support/publish-hub.ts";

const signal = new AbortController().signal;

suite("publishing what is gone", () => {
  const stage = publishHub();

  test("a directory that becomes empty is held, not emptied", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    await stage.published(
      await stage.push({ "apps/web/a.yaml": undefined, "apps/web/note.md": "empty" }),
    );
    assert.match(await stage.problemOf("web-prod-1"), /^WH-RND-3406 .*would lose all/);
    assert.equal(await stage.offered(one), "web-prod-1@1");
  });

  test("a file that cannot be parsed removes nothing it may have held", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url),
        "fleet/alone.yaml": plainApplication(stage.url, "prod-1"),
        "fleet/api.yaml": webSet(stage.url, { name: "api", path: "apps/api" }),
        "apps/web/a.yaml": configMap("a"),
        "apps/api/a.yaml": configMap("a"),
      }),
    );
    assert.equal(await stage.offered(one), "alone@1 api-prod-1@1 web-prod-1@1");
    await stage.published(
      await stage.push({
        "fleet/web.yaml": "kind: [",
        "fleet/alone.yaml": "also: [broken",
        "apps/api/a.yaml": configMap("a", "2"),
      }),
    );
    assert.equal(await stage.offered(one), "alone@1 api-prod-1@2 web-prod-1@1");
    assert.match(await stage.setProblem("web"), /^WH-YAML-3301 fleet\/web\.yaml: line/);
    assert.match(await stage.problemOf("alone"), /^WH-YAML-3301 fleet\/alone\.yaml/);
    await eventually(async () => {
      const repository = await stage.hub.store.repositories.find(stage.url, signal);
      assert.match(repository?.problem?.message ?? "", /fleet\/.*\.yaml: line .*1 more/);
    });

    // While one file is broken, taking another away does not remove either.
    await stage.published(await stage.push({ "fleet/api.yaml": undefined }));
    assert.match(await stage.offered(one), /api-prod-1/);

    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url),
        "fleet/alone.yaml": plainApplication(stage.url, "prod-1"),
      }),
    );
    assert.equal(await stage.offered(one), "alone@1 web-prod-1@1");
    assert.equal(await stage.tombstones(one), "api-prod-1 set-removed");
    assert.equal(await stage.setProblem("web"), "");
    await eventually(async () =>
      assert.equal(
        (await stage.hub.store.repositories.find(stage.url, signal))?.problem,
        undefined,
      ),
    );
  });

  test("what is gone from Git leaves by tombstone", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url),
        "fleet/alone.yaml": plainApplication(stage.url, "prod-1"),
        "apps/web/a.yaml": configMap("a"),
      }),
    );
    await stage.published(await stage.push({ "fleet/web.yaml": undefined }));
    assert.equal(await stage.names(), "alone");
    assert.equal(await stage.hub.store.applicationSets.find("web", signal), undefined);
    assert.equal(await stage.tombstones(one), "web-prod-1 set-removed");
    await stage.published(
      await stage.push({ "fleet/alone.yaml": undefined, "fleet/note.md": "empty" }),
    );
    assert.equal(await stage.names(), "");
    assert.equal(await stage.tombstones(one), "alone removed-from-git; web-prod-1 set-removed");
  });

  test("a fleet folder that is gone removes nothing", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    await stage.published(await stage.push({ fleet: undefined }));
    assert.equal(await stage.offered(one), "web-prod-1@1");
    await eventually(async () => {
      const repository = await stage.hub.store.repositories.find(stage.url, signal);
      assert.match(repository?.problem?.message ?? "", /no directory "fleet"/);
    });
  });

  test("mass removal waits for consent", async () => {
    const clusters = await Promise.all(
      Array.from({ length: 8 }, (_, index) => stage.addCluster(`prod-${index}`, { env: "prod" })),
    );
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") }),
    );
    assert.equal((await stage.applications()).length, 8);
    await stage.published(
      await stage.push({ "fleet/web.yaml": webSet(stage.url, { selector: "env: production" }) }),
    );
    assert.equal((await stage.applications()).length, 8);
    assert.match(await stage.setProblem("web"), /^WH-GEN-3110 8 applications/);
    await stage.published(
      await stage.push({
        "fleet/web.yaml": webSet(stage.url, { selector: "env: production" }).replace(
          "  name: web\n",
          '  name: web\n  annotations: { wheelhouse.dev/allow-removals: "true" }\n',
        ),
      }),
    );
    assert.equal((await stage.applications()).length, 0);
    assert.equal(await stage.offered(clusters[0] ?? ("" as ClusterId)), "");
  });

  test("a rewritten history is followed and told", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const first = await stage.push({
      "fleet/web.yaml": webSet(stage.url),
      "apps/web/a.yaml": configMap("a"),
    });
    await stage.published(first);
    const second = await stage.push(
      { "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a", "rewritten") },
      true,
    );
    await stage.published(second);
    assert.equal(await stage.offered(one), "web-prod-1@2");
    const events = await stage.hub.store.events.since(0, 1_000, signal);
    assert.ok(events.some(({ message }) => message.includes(`rewritten: it went from ${first}`)));
  });

  test("a set that only creates neither changes nor deletes what it made", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
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
      source: {repoURL: '${stage.url}', path: ${path}}
      destination: {name: prod-1, namespace: web}
`;
    await stage.published(
      await stage.push({
        "fleet/once.yaml": set("apps/one", "a"),
        "fleet/other.yaml": configMap("keeps-the-folder"),
        "apps/one/a.yaml": configMap("a"),
        "apps/two/a.yaml": configMap("b"),
      }),
    );
    await stage.published(await stage.push({ "fleet/once.yaml": set("apps/two", "a") }));
    assert.equal((await stage.applications())[0]?.source.path, "apps/one");
    await stage.published(await stage.push({ "apps/one/a.yaml": configMap("a", "2") }));
    assert.equal(await stage.offered(one), "a@2", "what it follows in Git it goes on following");
    await stage.published(await stage.push({ "fleet/once.yaml": set("apps/two", "b") }));
    assert.equal(await stage.offered(one), "a@2 b@1");
    await stage.published(await stage.push({ "fleet/once.yaml": undefined }));
    assert.equal(await stage.offered(one), "a@2 b@1");
    assert.match(await stage.setProblem("once"), /^WH-GEN-3115 /);
  });
});
