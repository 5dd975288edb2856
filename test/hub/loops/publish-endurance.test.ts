import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fail } from "../../../proto/kit/result.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { eventually } from "../../support/eventually.ts";
import { startGitServer } from "../../support/git-server.ts";
import { fleetRepository } from "../../support/fleet-repository.ts";
import { configMap, plainApplication, publishHub, webSet } from "../../support/publish-hub.ts";

const signal = new AbortController().signal;

suite("publishing in bad times", () => {
  const stage = publishHub();

  test("a source in another repository, down and up again", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    const source = await startGitServer({ folder: stage.folderOf("source") }, signal);
    const apps = fleetRepository(await source.addRepository("apps", signal));
    await apps.commit({ files: { "apps/web/a.yaml": configMap("a") } }, signal);
    source.setFault({ kind: "status", status: 500 });
    const commit = await stage.push({
      "fleet/web.yaml": webSet(source.urlOf("apps")),
      "fleet/api.yaml": webSet(stage.url, { name: "api", path: "apps/api" }),
      "apps/api/a.yaml": configMap("a"),
    });
    await stage.published(commit);
    assert.equal(await stage.offered(one), "api-prod-1@1");
    assert.match(await stage.problemOf("web-prod-1"), /^WH-GIT-3001 .*500/);
    source.setFault({ kind: "none" });
    await eventually(async () =>
      assert.equal(await stage.offered(one), "api-prod-1@1 web-prod-1@1"),
    );
    await eventually(async () => assert.equal(await stage.problemOf("web-prod-1"), ""));
    source.setFault({ kind: "down" });
    stage.hub.repositories.wake(source.urlOf("apps"));
    await eventually(async () => {
      const record = await stage.hub.store.repositories.find(source.urlOf("apps"), signal);
      assert.equal(record?.problem?.code, "WH-GIT-3001");
    });
    await stage.published(await stage.push({ "apps/api/a.yaml": configMap("a", "2") }));
    assert.equal(await stage.offered(one), "api-prod-1@2 web-prod-1@1");
    assert.equal(await stage.problemOf("web-prod-1"), "", "the last good commit serves");
    await source.stop();
  });

  test("publishing again records nothing, also after a restart", async () => {
    await stage.addCluster("prod-1", { env: "prod" });
    const commit = await stage.push({
      "fleet/web.yaml": webSet(stage.url),
      "fleet/alone.yaml": plainApplication(stage.url, "prod-1"),
      "fleet/broken.yaml": webSet(stage.url, { name: "broken", path: "nowhere" }),
      "apps/web/a.yaml": configMap("a"),
    });
    await stage.published(commit);
    const before = await stage.applications();
    const events = await stage.hub.store.events.latest(signal);
    await stage.hub.stop();
    stage.server.setFault({ kind: "down" });
    let records = 0;
    await stage.startHub((needs) => ({
      ...needs,
      record: (...args) => {
        records += 1;
        return needs.record(...args);
      },
    }));
    await stage.published(commit);
    assert.equal(records, 0, "Git is away, and everything is as it was");
    assert.deepEqual(await stage.applications(), before);
    stage.server.setFault({ kind: "none" });
    stage.hub.loop.wake();
    await eventually(() => assert.ok(stage.hub.passes.length > 1));
    assert.equal(records, 0);
    const later = await stage.hub.store.events.since(events, 100, signal);
    assert.deepEqual(
      later.filter(({ kind }) => !kind.startsWith("repository-")),
      [],
    );
  });

  test("dying between sets loses nothing and repeats nothing", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.hub.stop();
    const files: Record<string, string> = {};
    for (const name of ["s1", "s2", "s3", "s4"]) {
      files[`fleet/${name}.yaml`] = webSet(stage.url, { name, path: `apps/${name}` });
      files[`apps/${name}/a.yaml`] = configMap(name);
    }
    const commit = await stage.fleet.commit({ files }, signal);
    for (const diesAfter of [1, 2, 3]) {
      let records = 0;
      await stage.startHub((needs) => ({
        ...needs,
        record: async (...args) => {
          records += 1;
          // From here on this process records nothing more, as if it were gone.
          if (records > 1) return new Promise(() => {});
          return needs.record(...args);
        },
      }));
      await eventually(async () => assert.equal((await stage.applications()).length, diesAfter));
      void stage.hub.stop();
      await nextTurn();
    }
    await stage.startHub();
    await stage.published(commit);
    assert.equal(await stage.offered(one), "s1-prod-1@1 s2-prod-1@1 s3-prod-1@1 s4-prod-1@1");
  });

  test("dying amid a large set loses nothing and repeats nothing", async () => {
    const clusters: ClusterId[] = [];
    for (let at = 0; at < 250; at += 1)
      clusters.push(await stage.addCluster(`c-${at}`, { env: "prod" }));
    await stage.hub.stop();
    const commit = await stage.fleet.commit(
      { files: { "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") } },
      signal,
    );
    for (const diesAfter of [100, 200]) {
      let records = 0;
      await stage.startHub((needs) => ({
        ...needs,
        record: async (...args) => {
          records += 1;
          if (records > 1) return new Promise(() => {});
          return needs.record(...args);
        },
      }));
      await eventually(async () => assert.equal((await stage.applications()).length, diesAfter));
      assert.equal(
        (await stage.hub.store.applicationSets.find("web", signal))?.path,
        "fleet/web.yaml",
      );
      void stage.hub.stop();
      await nextTurn();
    }
    await stage.startHub();
    await stage.published(commit);
    for (const [at, cluster] of clusters.entries())
      assert.equal(await stage.offered(cluster), `web-c-${at}@1`);
    const told = await stage.hub.store.events.since(0, 1_000, signal);
    assert.equal(told.filter(({ kind }) => kind === "application-created").length, 250);
  });

  test("a set that is half removed when the disk is full, and then put back, is whole again", async () => {
    const clusters: ClusterId[] = [];
    for (let at = 0; at < 250; at += 1)
      clusters.push(await stage.addCluster(`c-${at}`, { env: "prod" }));
    const sources = await stage.fleet.commit(
      { files: { "apps/web/a.yaml": configMap("a"), "fleet/README.md": "sets" } },
      signal,
    );
    const document = webSet(stage.url)
      .replace("targetRevision: main", `targetRevision: ${sources}`)
      .replace(
        "name: web\n",
        'name: web\n  annotations: {wheelhouse.dev/allow-removals: "true"}\n',
      );
    await stage.hub.stop();
    let isFull = false;
    let failures = 0;
    await stage.startHub((needs) => ({
      ...needs,
      record: async (publication, recordSignal) => {
        if (isFull && publication.set === "removed") {
          failures += 1;
          throw new Trouble("the disk is full");
        }
        return needs.record(publication, recordSignal);
      },
    }));
    await stage.published(await stage.push({ "fleet/web.yaml": document }));
    assert.equal((await stage.applications()).length, 250);
    isFull = true;
    await stage.push({ "fleet/web.yaml": undefined });
    await eventually(() => assert.ok(failures > 0));
    assert.equal((await stage.applications()).length, 50, "what the last piece would have removed");
    const back = await stage.push({ "fleet/web.yaml": document });
    await stage.published(back);
    assert.equal((await stage.applications()).length, 250);
    for (const [at, cluster] of clusters.entries())
      assert.match(await stage.offered(cluster), new RegExp(`^web-c-${at}@[1-9]$`));
  });

  test("a set whose generation is stopped keeps what it had, rests, and holds nobody up", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.hub.stop();
    let stops = 0;
    let isDear = false;
    await stage.startHub((needs) => ({
      ...needs,
      guard: (work) => {
        if (!isDear) return needs.guard(work);
        isDear = false;
        stops += 1;
        return fail("took-too-long");
      },
    }));
    const files = { "fleet/web.yaml": webSet(stage.url), "apps/web/a.yaml": configMap("a") };
    await stage.published(await stage.push(files));
    isDear = true;
    const changed = webSet(stage.url).replace("namespace: web", "namespace: other");
    const zoo = webSet(stage.url, { name: "zoo" });
    await stage.push({ "fleet/web.yaml": changed, "fleet/zoo.yaml": zoo });
    const problem = async () =>
      (await stage.hub.store.applicationSets.find("web", signal))?.problem?.code;
    await eventually(async () => assert.equal(await problem(), "WH-TPL-3203"));
    await eventually(async () =>
      assert.equal(await stage.offered(one), "web-prod-1@1 zoo-prod-1@1"),
    );
    const passes = stage.hub.passes.length;
    stage.hub.loop.wake();
    await eventually(() => assert.ok(stage.hub.passes.length > passes));
    assert.deepEqual([stops, await problem()], [1, "WH-TPL-3203"], "it rests");
    const again = changed.replace("namespace: other", "namespace: third");
    const last = await stage.push({ "fleet/web.yaml": again });
    await stage.published(last);
    assert.equal(await stage.offered(one), "web-prod-1@2 zoo-prod-1@1");
    assert.equal(await problem(), undefined);
  });

  test("a set that has grown beyond measure keeps what it had", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.hub.stop();
    await stage.startHub((needs) => needs, { elementsMost: 1 });
    const commit = await stage.push({
      "fleet/web.yaml": webSet(stage.url),
      "apps/web/a.yaml": configMap("a"),
    });
    await stage.published(commit);
    await stage.addCluster("prod-2", { env: "prod" });
    stage.hub.loop.wake();
    await eventually(async () => {
      const found = await stage.hub.store.applicationSets.find("web", signal);
      assert.equal(found?.problem?.code, "WH-GEN-3116");
    });
    assert.equal(await stage.offered(one), "web-prod-1@1");
    assert.equal(await stage.names(), "web-prod-1");
  });

  test("a bug in one set costs that set", async () => {
    const one = await stage.addCluster("prod-1", { env: "prod" });
    await stage.hub.stop();
    await stage.startHub((needs) => ({
      ...needs,
      render: (tree, source, renderSignal) =>
        source.path === "apps/bad"
          ? Promise.reject(new TypeError("a bug"))
          : needs.render(tree, source, renderSignal),
    }));
    await stage.push({
      "fleet/bad.yaml": webSet(stage.url, { name: "bad", path: "apps/bad" }),
      "fleet/good.yaml": webSet(stage.url, { name: "good", path: "apps/good" }),
      "apps/bad/a.yaml": configMap("a"),
      "apps/good/a.yaml": configMap("a"),
    });
    await eventually(async () => assert.equal(await stage.offered(one), "good-prod-1@1"));
    await eventually(() =>
      assert.ok(stage.hub.passes.filter(({ failed }) => failed.length === 1).length > 1),
    );
  });
});
