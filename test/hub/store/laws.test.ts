import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import type { Labels, StatusCounts } from "../../../hub/domain/records.ts";
import type { FleetGroup } from "../../../hub/store/fleet.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import { desiredDigest, desiredRoot } from "../../../proto/words/desired.ts";
import type { Digest } from "../../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import {
  allPages,
  app,
  atMs,
  clusterId,
  clusterName,
  fact,
  openSession,
  publish,
  putBundle,
  record,
  remove,
  report,
  setOrigin,
  setRecord,
  signal,
  tombstone,
  write,
} from "../../contract/store/builders.ts";

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-laws-"));
after(() => rm(folder, { recursive: true, force: true }));

const clusterNames = ["c1", "c2", "c3"] as const;
const applications = ["a1", "a2", "a3", "a4"] as const;

const someLabels: fc.Arbitrary<Labels> = fc.record(
  { env: fc.constantFrom("dev", "prod", ""), tier: fc.constantFrom("x", "y") },
  { requiredKeys: [] },
);

const someStep = fc.oneof(
  fc.record({
    do: fc.constant("add"),
    cluster: fc.constantFrom(...clusterNames),
    labels: someLabels,
  }),
  fc.record({
    do: fc.constant("relabel"),
    cluster: fc.constantFrom(...clusterNames),
    labels: someLabels,
  }),
  fc.record({ do: fc.constant("drop"), cluster: fc.constantFrom(...clusterNames) }),
  fc.record({
    do: fc.constant("write"),
    cluster: fc.constantFrom(...clusterNames, "nowhere"),
    application: fc.constantFrom(...applications),
    content: fc.nat(2),
  }),
  fc.record({ do: fc.constant("remove"), application: fc.constantFrom(...applications) }),
  fc.record({
    do: fc.constant("report"),
    application: fc.constantFrom(...applications),
    syncStatus: fc.constantFrom("Synced", "OutOfSync"),
    health: fc.constantFrom("Healthy", "Degraded"),
  }),
  fc.record({ do: fc.constant("gone"), application: fc.constantFrom(...applications) }),
  fc.record({ do: fc.constant("attach"), cluster: fc.constantFrom(...clusterNames) }),
  fc.record({ do: fc.constant("detach"), cluster: fc.constantFrom(...clusterNames) }),
  fc.record({ do: fc.constant("restart") }),
  fc.record({ do: fc.constant("carry-out") }),
);

type Step = typeof someStep extends fc.Arbitrary<infer S> ? S : never;

/** What a spoke that stored that version holds. */
type Snapshot = {
  readonly cluster: ClusterId;
  readonly version: number;
  readonly entries: ReadonlyMap<ApplicationName, Digest>;
};

/** Half of the applications come from one set, half from another. */
const originOf = (application: string) => setOrigin(application < "a3" ? "front" : "back");

/** Carries a step out as a hub would: what makes no sense at the moment is not done. */
async function take(store: Store, step: Step, at: number): Promise<void> {
  const found =
    "cluster" in step ? await store.clusters.find(clusterName(step.cluster), signal) : undefined;
  const offered =
    "application" in step
      ? (await store.publishing.published(originOf(step.application), signal)).find(
          ({ draft }) => draft.name === step.application,
        )
      : undefined;
  switch (step.do) {
    case "add": {
      const { cluster, labels } = step;
      const draft = { ...fact(cluster, { labels }), id: clusterId(`${cluster} ${at}`) };
      await store.clusters.add(draft, atMs, signal);
      break;
    }
    case "relabel": {
      const { cluster, labels } = step;
      await store.clusters.setMetadata(clusterName(cluster), { labels }, atMs, signal);
      break;
    }
    case "drop":
      if (found !== undefined) await store.clusters.remove(found.name, "ann", atMs, signal);
      break;
    case "write": {
      const { application, content } = step;
      const origin = originOf(application);
      const now = offered?.desired;
      const leaves =
        now !== undefined && now.cluster !== found?.id
          ? { leaves: tombstone(application, now.cluster) }
          : {};
      const bundle = await putBundle(store, { content });
      const change = write(application, found?.id ?? clusterId("nowhere"), bundle, {
        draft: { origin },
        ...leaves,
      });
      await publish(store, [change], { origin, set: setRecord(origin.name) });
      break;
    }
    case "remove": {
      const { application } = step;
      await publish(store, [remove(application, offered?.desired?.cluster)], {
        origin: originOf(application),
      });
      break;
    }
    case "report": {
      const { application, syncStatus, health } = step;
      if (offered?.desired === undefined) break;
      const said = report(application, {
        syncStatus: syncStatus === "Synced" ? "Synced" : "OutOfSync",
        health: { state: health === "Healthy" ? "Healthy" : "Degraded", message: "" },
      });
      await record(store, offered.desired.cluster, [said]);
      break;
    }
    case "gone": {
      const { application } = step;
      if (offered?.desired !== undefined)
        await record(store, offered.desired.cluster, [], [application]);
      break;
    }
    case "attach":
      if (found !== undefined)
        await openSession(store, found.id, { heldVersion: found.storedVersion });
      break;
    case "detach":
      if (found !== undefined) await store.sessions.close(found.id, "s1", atMs, signal);
      break;
    case "restart":
      await store.sessions.closeAll(atMs, signal);
      break;
    case "carry-out":
      for (const { id } of await store.clusters.facts(signal)) {
        for (const name of applications)
          await store.desiredSets.recordRemoved(id, app(name), 1_000, atMs, signal);
      }
      await store.desiredSets.forgetTombstones(atMs + 1, signal);
      break;
  }
}

async function snapshots(store: Store): Promise<readonly Snapshot[]> {
  const facts = await store.clusters.facts(signal);
  return Promise.all(
    facts.map(async ({ id }) => {
      const whole = await store.desiredSets.changeAgainst(id, new Map(), signal);
      const entries = new Map(
        whole.upserts.map((entry) => [entry.application, desiredDigest(entry)]),
      );
      const { version, root } = await store.desiredSets.current(id, signal);
      assert.equal(root, desiredRoot(entries), "the root is that of the entries");
      return { cluster: id, version, entries };
    }),
  );
}

const count = (
  states: readonly { readonly sync: string; readonly health: string }[],
): StatusCounts => {
  const tally = (values: readonly string[]) =>
    Object.fromEntries(
      [...Map.groupBy(values, (value) => value)].map(([value, some]) => [value, some.length]),
    );
  return {
    total: states.length,
    sync: tally(states.map(({ sync }) => sync)),
    health: tally(states.map(({ health }) => health)),
  };
};

/** The slow way: reads every cluster and application, and counts. */
async function recount(store: Store, label: string | undefined): Promise<readonly FleetGroup[]> {
  const clusters = await allPages((page) => store.clusters.list({}, page, signal), 100);
  const all = await allPages(
    (page) => store.applications.list({}, { by: "name", descending: false }, page, signal),
    100,
  );
  const groupOf = (labels: Labels | undefined) =>
    label === undefined ? "" : (labels?.[label] ?? "");
  const labelsByName = new Map(clusters.map(({ name, labels }) => [name, labels]));
  const values = new Set([
    ...clusters.map(({ labels }) => groupOf(labels)),
    ...all.map(({ cluster }) => groupOf(cluster && labelsByName.get(cluster))),
    ...(label === undefined ? [""] : []),
  ]);
  return [...values].toSorted().map((value) => {
    const inGroup = clusters.filter(({ labels }) => groupOf(labels) === value);
    return {
      value,
      clusters: {
        total: inGroup.length,
        attached: inGroup.filter(({ connection }) => connection.kind === "attached").length,
      },
      applications: count(
        all
          .filter(({ cluster }) => groupOf(cluster && labelsByName.get(cluster)) === value)
          .map(({ status }) => ({ sync: status.syncStatus, health: status.health.state })),
      ),
    };
  });
}

let stores = 0;

async function afterSteps(
  steps: readonly Step[],
  check: (store: Store, seen: readonly Snapshot[]) => Promise<void>,
): Promise<void> {
  stores += 1;
  const store = await openStore({ folder: join(folder, String(stores)) });
  try {
    const seen: Snapshot[] = [];
    for (const [at, step] of [...beginning, ...steps].entries()) {
      await take(store, step, at);
      seen.push(...(await snapshots(store)));
    }
    await check(store, seen);
  } finally {
    store.close();
  }
}

/** A small fleet at work, so that what follows has something to happen to. */
const beginning: readonly Step[] = [
  { do: "add", cluster: "c1", labels: { env: "dev", tier: "x" } },
  { do: "add", cluster: "c2", labels: { env: "prod" } },
  { do: "write", cluster: "c1", application: "a1", content: 0 },
  { do: "write", cluster: "c2", application: "a2", content: 0 },
  { do: "write", cluster: "c1", application: "a3", content: 1 },
  { do: "attach", cluster: "c1" },
  { do: "report", application: "a1", syncStatus: "Synced", health: "Healthy" },
];

const someSteps = fc.array(someStep, { minLength: 5, maxLength: 30 });

test("the kept counts are what counting would give, whatever happened", async () => {
  const law = fc.asyncProperty(someSteps, (steps) =>
    afterSteps(steps, async (store) => {
      for (const label of [undefined, "env", "tier"])
        assert.deepEqual(await store.fleet.summary(label, signal), await recount(store, label));
      const all = await allPages(
        (page) => store.applications.list({}, { by: "name", descending: false }, page, signal),
        100,
      );
      const states = (some: typeof all) =>
        count(some.map(({ status }) => ({ sync: status.syncStatus, health: status.health.state })));
      for (const cluster of await allPages((page) => store.clusters.list({}, page, signal), 100))
        assert.deepEqual(
          cluster.applications,
          states(all.filter((application) => application.cluster === cluster.name)),
        );
      for (const set of await allPages((page) => store.applicationSets.list({}, page, signal), 9))
        assert.deepEqual(
          set.applications,
          states(all.filter(({ origin }) => origin.name === set.name)),
        );
    }),
  );
  await fc.assert(law, { numRuns: 30 });
});

test("a delta, where one is given, leads from what was held to what is desired", async () => {
  const law = fc.asyncProperty(someSteps, (steps) =>
    afterSteps(steps, async (store, seen) => {
      for (const { cluster, version, entries } of seen) {
        if ((await store.clusters.findById(cluster, signal)) === undefined) continue;
        const { root } = await store.desiredSets.current(cluster, signal);
        const apply = (change: Awaited<ReturnType<typeof store.desiredSets.changeAgainst>>) => {
          const held = new Map(entries);
          for (const { application } of change.tombstones) held.delete(application);
          for (const entry of change.upserts) held.set(entry.application, desiredDigest(entry));
          for (const stray of change.strays) held.delete(stray);
          return desiredRoot(held);
        };
        const delta = await store.desiredSets.changeSince(cluster, version, signal);
        if (delta !== undefined) assert.equal(apply(delta), root, "by delta");
        const compared = await store.desiredSets.changeAgainst(cluster, entries, signal);
        assert.equal(apply(compared), root, "by comparison");
      }
    }),
  );
  await fc.assert(law, { numRuns: 30 });
});
