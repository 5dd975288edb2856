import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { unlessAborted } from "../../../proto/kit/unless-aborted.ts";
import type { ClusterApi, InventoryStore } from "../../../spoke/domain/cluster.ts";
import type { HeldSet } from "../../../spoke/domain/held-set.ts";
import { keyOfObject } from "../../../spoke/domain/kube-object.ts";
import { fakeCluster, type FakeCluster } from "../../support/fake-cluster.ts";
import {
  application,
  heldSet,
  newDisk,
  spokeBench,
  summary,
  tombstone,
  type Disk,
} from "../../support/spoke-bench.ts";
import { configMap, definition, deployment, namespace, service, widget } from "./manifests.ts";

const late = { "argocd.argoproj.io/sync-wave": "5" };

const before = [
  namespace("shop"),
  definition(),
  widget("one"),
  deployment("web"),
  service("web"),
  configMap("settings"),
  configMap("old"),
  configMap("old-late", {}, late),
];

const after = [
  namespace("shop"),
  definition(),
  widget("one"),
  deployment("web", "web:2"),
  configMap("settings", { color: "red" }),
  configMap("new"),
  configMap("new-late", {}, late),
];

type Story = {
  readonly name: string;
  /** What was carried out before the crash can happen. */
  readonly from: (disk: Disk) => HeldSet | undefined;
  readonly to: (disk: Disk) => HeldSet;
};

const stories: readonly Story[] = [
  {
    name: "a first sync",
    from: () => undefined,
    to: (disk) => heldSet([application({ manifests: before }, disk)]),
  },
  {
    name: "a sync that changes, adds and prunes",
    from: (disk) => heldSet([application({ manifests: before }, disk)]),
    to: (disk) => heldSet([application({ manifests: after, generation: 2 }, disk)]),
  },
  {
    name: "the removal of an application",
    from: (disk) => heldSet([application({ manifests: before }, disk)]),
    to: () => heldSet([], [tombstone("shop", 2)]),
  },
];

suite("a crash at any request", () => {
  for (const { name, from, to } of stories) {
    for (const moment of ["before", "after"] as const) {
      test(`${moment} it reaches the API server leaves ${name} to end as if nothing had happened`, async () => {
        const undisturbed = await play(from, to, undefined);
        assert.ok(undisturbed.requests > 5, "the story makes requests to crash at");
        for (let at = 1; at <= undisturbed.requests; at += 1) {
          const disturbed = await play(from, to, { at, moment });
          const place = `crash ${moment} request ${at}`;
          assert.deepEqual(disturbed.content, undisturbed.content, place);
          assert.deepEqual(disturbed.inventory, undisturbed.inventory, place);
          assert.equal(disturbed.report, undisturbed.report, place);
          assert.deepEqual(disturbed.replaced, [], `${place}: nothing was deleted and made anew`);
        }
      });
    }
  }
});

type Crash = { readonly at: number; readonly moment: "before" | "after" };

async function play(from: Story["from"], to: Story["to"], crash: Crash | undefined) {
  const cluster = fakeCluster();
  const disk = newDisk();
  const start = from(disk);
  if (start !== undefined) {
    const first = spokeBench({ cluster, disk, held: start });
    await first.settle(60_000);
    await first.stop();
  }
  const uidsBefore = uidsIn(cluster);
  const held = to(disk);
  const counter = crashing(cluster, crash);
  const second = spokeBench({ cluster, disk, held, ...counter });
  await second.settle(60_000);
  await second.stop();
  const uidsAtCrash = uidsIn(cluster);

  // The process starts again, on the same disk and the same cluster.
  const third = spokeBench({ cluster, disk, held });
  await third.settle(600_000);
  await third.stop();
  const uidsAfter = uidsIn(cluster);
  return {
    requests: counter.count(),
    content: contentOf(cluster),
    inventory: [...cluster.inventoryContent].map(([name, entries]) => [
      name,
      entries.map(({ key, uid, applied }) => [key, uid !== "", applied]),
    ]),
    // The operation is of the process that ran it.
    report: summary(third.reports.get("shop")).replace(/ (Succeeded|-)$/, ""),
    replaced: [...uidsAfter].filter(
      ([key, uid]) => (uidsBefore.get(key) ?? uid) !== uid || (uidsAtCrash.get(key) ?? uid) !== uid,
    ),
  };
}

const uidsIn = (cluster: FakeCluster): ReadonlyMap<string, string | undefined> =>
  new Map(cluster.objects().map((object) => [keyOfObject(object), object.metadata.uid]));

const contentOf = (cluster: FakeCluster): readonly string[] =>
  cluster
    .objects()
    .map((object) => JSON.stringify([keyOfObject(object), object["spec"], object["data"]]))
    .toSorted();

/** A cluster whose n-th request never gets an answer: from then on the process makes no progress. */
function crashing(cluster: FakeCluster, crash: Crash | undefined) {
  let count = 0;
  let isDead = false;
  async function pass<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (isDead) return await unlessAborted(new Promise<never>(() => {}), signal);
    count += 1;
    isDead = count === crash?.at;
    if (isDead && crash?.moment === "before")
      return await unlessAborted(new Promise<never>(() => {}), signal);
    const answer = await call();
    return isDead ? await unlessAborted(new Promise<never>(() => {}), signal) : answer;
  }
  const { api: real, inventory: store } = cluster;
  const api: ClusterApi = {
    ...real,
    get: (key, signal) => pass(() => real.get(key, signal), signal),
    apply: (object, options, signal) => pass(() => real.apply(object, options, signal), signal),
    remove: (key, options, signal) => pass(() => real.remove(key, options, signal), signal),
  };
  const inventory: InventoryStore = {
    ...store,
    write: (name, entries, signal) => pass(() => store.write(name, entries, signal), signal),
    forget: (name, signal) => pass(() => store.forget(name, signal), signal),
  };
  return { api, inventory, count: () => count };
}
