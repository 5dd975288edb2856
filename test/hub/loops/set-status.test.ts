import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, suite } from "node:test";
import { addCluster } from "../../contract/store/builders.ts";
import { configMap } from "../../support/publish-hub.ts";
import { openPublishPasses, type PublishPasses } from "../../support/publish-passes.ts";

const signal = new AbortController().signal;

suite("what a set says of itself", () => {
  let folder = "";
  let count = 0;
  let passes: PublishPasses;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-set-status-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    count += 1;
    passes = await openPublishPasses(join(folder, `store-${count}`), signal);
    await addCluster(passes.store, "one");
  });
  afterEach(() => passes.store.close());

  /** A set of the Applications web-a and web-b, each from the folder of its name. */
  const set = (project = "default", spec: object = {}): string =>
    JSON.stringify({
      apiVersion: "argoproj.io/v1alpha1",
      kind: "ApplicationSet",
      metadata: { name: "web" },
      spec: {
        goTemplate: true,
        generators: [{ list: { elements: [{ name: "a" }, { name: "b" }] } }],
        template: {
          metadata: { name: "web-{{ .name }}", labels: { name: "{{ .name }}" } },
          spec: {
            project,
            source: { repoURL: passes.url, targetRevision: "main", path: "apps/{{ .name }}" },
            destination: { name: "one", namespace: "web" },
          },
        },
        ...spec,
      },
    });

  /** Its conditions, in a line each. */
  const conditions = async (): Promise<readonly string[]> => {
    const found = await passes.store.applicationSets.find("web", signal);
    return (found?.conditions ?? []).map(
      ({ type, status, message }) => `${type} ${status}: ${message}`,
    );
  };

  const apps = { "apps/a/map.yaml": configMap("a"), "apps/b/map.yaml": configMap("b") };

  test("a set with refused applications is not planned again while nothing moves", async () => {
    await passes.push({ ...apps, "fleet/web.json": set("nope") });
    const problem = (await passes.store.applicationSets.find("web", signal))?.problem;
    assert.equal(
      problem?.message,
      "application references project nope which does not exist (and 1 more)",
    );
    let looks = 0;
    const { again } = await passes.pass({
      published: (origin, own) => {
        looks += 1;
        return passes.store.publishing.published(origin, own);
      },
    });
    assert.deepEqual([looks, again], [0, false]);
    assert.deepEqual((await passes.store.applicationSets.find("web", signal))?.problem, problem);
  });

  test("publishing again writes nothing of what was true of a set already", async () => {
    await passes.push({ ...apps, "fleet/web.json": set("nope") });
    const before = await conditions();
    passes.restart();
    let writes = 0;
    await passes.pass({
      record: (publication, own) => {
        writes += 1;
        return passes.store.publishing.record(publication, own);
      },
    });
    assert.deepEqual([writes, await conditions()], [0, before]);
  });

  test("a rollout without steps is neither complete nor up to date", async () => {
    const strategy = { type: "RollingSync", rollingSync: { steps: [] } };
    await passes.push({ ...apps, "fleet/web.json": set("default", { strategy }) });
    assert.deepEqual(await conditions(), [
      "ErrorOccurred False: 2 applications wait, and no step of the rollout selects them",
      "InvalidRolloutConfig True: No steps defined for rollout",
      "ParametersGenerated True: Successfully generated parameters for all Applications",
      "ResourcesUpToDate False: 2 applications wait, and no step of the rollout selects them",
      "RolloutProgressing False: 2 applications wait, and no step of the rollout selects them",
    ]);
    await passes.push({ "fleet/web.json": set("default", { strategy: undefined }) });
    assert.deepEqual(await conditions(), [
      "ErrorOccurred False: All applications are up to date",
      "ParametersGenerated True: Successfully generated parameters for all Applications",
      "ResourcesUpToDate True: All applications are up to date",
    ]);
  });
});
