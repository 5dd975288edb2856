import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, suite } from "node:test";
import type { ApplicationsSync } from "../../../hub/domain/set-policy.ts";
import { addCluster } from "../../contract/store/builders.ts";
import { openPublishPasses, type PublishPasses } from "../../support/publish-passes.ts";

const signal = new AbortController().signal;
const page = { limit: 500, after: undefined };

const configMap = (name: string): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

type Texts = Readonly<Record<string, string>>;

suite("a set's policy from commit to commit", () => {
  let folder = "";
  let count = 0;
  let passes: PublishPasses;
  /** The commit all sources are at: an application changes by its set only. */
  let sources = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-policy-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    count += 1;
    passes = await openPublishPasses(join(folder, `store-${count}`), signal);
    await addCluster(passes.store, "one");
    const pushed = await passes.push({
      "fleet/README.md": "what the fleet runs",
      "apps/first/map.json": configMap("first"),
      "apps/second/map.json": configMap("second"),
    });
    sources = pushed.commit ?? "";
  });
  afterEach(() => passes.store.close());

  /** Publishes a set of these applications, whose manifests are in a folder below `apps`. */
  const publish = (
    names: string,
    path: "first" | "second",
    spec: object,
    metadata: { readonly labels?: Texts; readonly annotations?: Texts } = {},
  ) =>
    passes.push({
      "fleet/web.json": JSON.stringify({
        apiVersion: "argoproj.io/v1alpha1",
        kind: "ApplicationSet",
        metadata: { name: "web" },
        spec: {
          goTemplate: true,
          generators: [{ list: { elements: names.split(" ").map((name) => ({ name })) } }],
          template: {
            metadata: { name: "{{ .name }}", ...metadata },
            spec: {
              project: "default",
              source: { repoURL: passes.url, targetRevision: sources, path: `apps/${path}` },
              destination: { name: "one", namespace: "web" },
            },
          },
          ...spec,
        },
      }),
    });

  const applications = async () =>
    (await passes.store.applications.list({}, { by: "name", descending: false }, page, signal))
      .items;

  /** Every application with where its manifests are, and the generation that its cluster is offered. */
  const published = async (): Promise<readonly string[]> =>
    (await applications()).map(
      ({ name, source, generation }) => `${name}: ${source.path}@${generation}`,
    );

  const policies: Readonly<Record<ApplicationsSync, readonly string[]>> = {
    sync: ["b: apps/second@2", "c: apps/second@1"],
    "create-update": ["a: apps/first@1", "b: apps/second@2", "c: apps/second@1"],
    "create-delete": ["b: apps/first@1", "c: apps/second@1"],
    "create-only": ["a: apps/first@1", "b: apps/first@1", "c: apps/second@1"],
  };
  for (const [applicationsSync, expected] of Object.entries(policies))
    test(`${applicationsSync} has one dropped, one changed and one added as it says`, async () => {
      const policy = { syncPolicy: { applicationsSync } };
      await publish("a b", "first", policy);
      assert.deepEqual(await published(), ["a: apps/first@1", "b: apps/first@1"]);
      await publish("b c", "second", policy);
      assert.deepEqual(await published(), expected);
      await passes.pass();
      assert.deepEqual(await published(), expected, "in the pass after, too");
      await publish("b c", "second", {});
      assert.deepEqual(
        await published(),
        ["b: apps/second@2", "c: apps/second@1"],
        "without the policy all is as the set says",
      );
    });

  test("preservedFields keep labels and annotations that the set has no more", async () => {
    const both = { kept: "1", dropped: "1" };
    const kept = { kept: "1" };
    const preserved = { preservedFields: { labels: ["kept"], annotations: ["kept"] } };
    const marks = async () =>
      (await applications()).map(({ labels, annotations }) => ({ labels, annotations }));
    await publish("a", "first", preserved, { labels: both, annotations: both });
    assert.deepEqual(await marks(), [{ labels: both, annotations: both }]);
    await publish("a", "second", preserved);
    assert.deepEqual(await marks(), [{ labels: kept, annotations: kept }]);
    assert.deepEqual(await published(), ["a: apps/second@2"]);
    await publish("a", "second", {});
    assert.deepEqual(await marks(), [{ labels: {}, annotations: {} }]);
  });

  test("ignoreApplicationDifferences leave alone what they name, of whom they name", async () => {
    const ignoring = {
      ignoreApplicationDifferences: [
        { name: "a", jsonPointers: ["/spec/source/path"] },
        { jqPathExpressions: [".metadata.labels.tier"] },
      ],
    };
    const tiers = async () => (await applications()).map(({ labels }) => labels["tier"]);
    await publish("a b", "first", ignoring, { labels: { tier: "low" } });
    await publish("a b", "second", ignoring, { labels: { tier: "high" } });
    assert.deepEqual(await published(), ["a: apps/first@1", "b: apps/second@2"]);
    assert.deepEqual(await tiers(), ["low", "low"]);
    await publish("a b", "second", {}, { labels: { tier: "high" } });
    assert.deepEqual(await published(), ["a: apps/second@2", "b: apps/second@2"]);
    assert.deepEqual(await tiers(), ["high", "high"]);
  });
});
