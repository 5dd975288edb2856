import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import type { PublishNeeds } from "../../../hub/loops/publish.ts";
import type { NeededRepositories } from "../../../hub/loops/repositories.ts";
import { addCluster } from "../../contract/store/builders.ts";
import { configMap } from "../../support/publish-hub.ts";
import { openPublishPasses } from "../../support/publish-passes.ts";

const signal = new AbortController().signal;
const teams = "https://git.example.com/platform/teams.git";
const sources = "https://git.example.com/platform/sources.git";

/** A set of the directories of `teams`, whose Applications come from `sources`. */
const set = (name: string, requeueAfterSeconds?: number, spec: object = {}): string =>
  JSON.stringify({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name },
    spec: {
      goTemplate: true,
      generators: [
        {
          git: {
            repoURL: teams,
            revision: "main",
            directories: [{ path: "apps/*" }],
            requeueAfterSeconds,
          },
        },
      ],
      template: {
        metadata: { name: `${name}-{{ .path.basename }}` },
        spec: {
          project: "default",
          source: { repoURL: sources, targetRevision: "main", path: "{{ .path.path }}" },
          destination: { name: "one", namespace: "web" },
        },
      },
      ...spec,
    },
  });

suite("what publishing wants looked at", () => {
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-uses-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("what a set's generators read as soon as the soonest of all sets says, and nothing else", async () => {
    const passes = await openPublishPasses(join(folder, "store"), signal);
    try {
      await addCluster(passes.store, "one");
      let needed: NeededRepositories = new Map();
      const over: Partial<PublishNeeds> = {
        setNeeded: (all) => {
          needed = all;
        },
      };
      const asked = async (
        files: Readonly<Record<string, string | undefined>>,
      ): Promise<readonly (number | undefined)[]> => {
        await passes.push(files, over);
        return [passes.url, teams, sources].map((url) => needed.get(url)?.pollMs);
      };
      const apps = { "apps/a/map.yaml": configMap("a") };
      assert.deepEqual(await asked({ ...apps, "fleet/web.json": set("web") }), [
        undefined,
        undefined,
        undefined,
      ]);
      assert.deepEqual(
        await asked({ "fleet/web.json": set("web", 25), "fleet/api.json": set("api", 20) }),
        [undefined, 20_000, undefined],
      );
      await passes.pass(over);
      assert.equal(needed.get(teams)?.pollMs, 20_000, "also where nothing is generated anew");
      assert.deepEqual(
        await asked({
          "fleet/api.json": set("api", 20).replace("{{ .path.path }}", "{{ .no.such"),
        }),
        [undefined, 20_000, undefined],
        "and where it fails",
      );
      assert.deepEqual(await asked({ "fleet/api.json": undefined }), [
        undefined,
        25_000,
        undefined,
      ]);
      const kept = set("web", 25, { syncPolicy: { applicationsSync: "create-only" } });
      await passes.push({ "fleet/web.json": kept }, over);
      assert.deepEqual(
        await asked({ "fleet/web.json": undefined, "fleet/alone.json": set("alone") }),
        [undefined, undefined, undefined],
        "what a set that is gone has left behind asks for nothing",
      );
      assert.deepEqual([...needed.keys()].toSorted(), [passes.url, sources, teams].toSorted());
    } finally {
      passes.store.close();
    }
  });
});
