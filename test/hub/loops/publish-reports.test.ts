import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { defaultShrinkLimits } from "../../../hub/domain/shrink-guard.ts";
import { createPublishLoop, type PublishLoop } from "../../../hub/loops/publish-loop.ts";
import { openStore } from "../../../hub/store/store.ts";
import { runTogether } from "../../../proto/kit/run-together.ts";
import { addCluster } from "../../contract/store/builders.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { memoryTree } from "../../support/memory-tree.ts";
import { configMap } from "../../support/publish-hub.ts";
import { publishNeeds } from "../../support/publish-needs.ts";

const url = "https://git.example.com/fleet.git";
const commit = "1".padStart(40, "0");

/** A set of one Application; with a step its change waits for what its cluster says. */
const set = (strategy?: object): string =>
  JSON.stringify({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name: "web" },
    spec: {
      goTemplate: true,
      generators: [{ list: { elements: [{ name: "a" }] } }],
      strategy,
      template: {
        metadata: { name: "web-{{ .name }}" },
        spec: {
          project: "default",
          source: { repoURL: url, targetRevision: "main", path: "apps/a" },
          destination: { name: "one", namespace: "web" },
        },
      },
    },
  });

const rolling = { type: "RollingSync", rollingSync: { steps: [{ matchExpressions: [] }] } };

suite("what publishing hears of the fleet", () => {
  let folder = "";
  let count = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wheelhouse-reports-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  type Stage = {
    readonly loop: PublishLoop;
    readonly clock: FakeClock;
    /** Waits until so many passes were made, and nothing but time can bring another. */
    readonly rested: (passes: number) => Promise<void>;
  };

  /** Runs the loop over one commit, at a time that the story moves. */
  async function publishing(
    strategy: object | undefined,
    story: (stage: Stage) => Promise<void>,
  ): Promise<void> {
    count += 1;
    const store = await openStore({ folder: join(folder, `store-${count}`) });
    await addCluster(store, "one");
    const clock = fakeClock();
    const files = new Map([
      ["fleet/web.json", set(strategy)],
      ["apps/a/map.yaml", configMap("a")],
    ]);
    const commits = new Map([[commit, memoryTree(commit, files)]]);
    let passes = 0;
    const loop = createPublishLoop(
      {
        ...publishNeeds(store, commits, () => commit),
        clock,
        random: () => 0.5,
        onPass: () => {
          passes += 1;
        },
      },
      {
        fleet: { url, revision: "main", path: "fleet" },
        shrink: defaultShrinkLimits,
        fileDialect: "pathspec",
        elementsMost: 10,
        wholeSets: false,
        stretchMs: 15,
        gatherMs: 20,
        reportsGatherMs: 250,
        resyncMs: 300_000,
        retry: { firstMs: 20, factor: 2, mostMs: 200 },
      },
    );
    const rested = (wanted: number): Promise<void> =>
      eventually(() => assert.deepEqual([passes, clock.sleepers()], [wanted, 1]));
    const stopping = new AbortController();
    const running = runTogether([loop.run], stopping.signal);
    try {
      await rested(1);
      await story({ loop, clock, rested });
    } finally {
      stopping.abort(new Error("the test is over"));
      await running;
      store.close();
    }
  }

  test("reports of a quarter of a second cost a rollout one pass", () =>
    publishing(rolling, async ({ loop, clock, rested }) => {
      loop.heard();
      await clock.advance(100);
      loop.heard();
      await clock.advance(149);
      loop.heard();
      await rested(1);
      await clock.advance(1);
      await rested(2);
      await clock.advance(4_999);
      await rested(2);
      await clock.advance(1);
      await rested(3);
    }));

  test("a change does not wait for reports to be gathered", () =>
    publishing(rolling, async ({ loop, clock, rested }) => {
      loop.heard();
      await clock.advance(100);
      loop.wake();
      await clock.advance(20);
      await rested(2);
      await clock.advance(4_999);
      await rested(2);
    }));

  test("reports are nothing to publishing while nothing rolls", () =>
    publishing(undefined, async ({ loop, clock, rested }) => {
      loop.heard();
      await clock.advance(10_000);
      await rested(1);
      loop.wake();
      await clock.advance(20);
      await rested(2);
    }));
});
