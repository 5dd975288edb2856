import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import type { Origin } from "../../../hub/domain/origin.ts";
import type { ApplicationChange } from "../../../hub/domain/records.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import {
  addCluster,
  allPages,
  openSession,
  publish,
  putBundle,
  record,
  remove,
  report,
  setOrigin,
  signal,
  tombstone,
  write,
} from "../../contract/store/builders.ts";

/*
 * A publication collects what it writes, and writes many rows with one statement. Whatever it holds, in whatever
 * order, comes to the same as its changes published one by one.
 */

const folder = await mkdtemp(join(tmpdir(), "wheelhouse-batches-"));
after(() => rm(folder, { recursive: true, force: true }));

const clusterNames = ["c1", "c2"] as const;

/** More names than one statement takes, and names of which others are parts. */
const someName = fc.oneof(
  fc.constantFrom("web", "web-1", "web-10", "shop"),
  fc.nat(40).map((number) => `app-${number}`),
);

const someStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write"),
      name: someName,
      cluster: fc.constantFrom(...clusterNames),
      content: fc.nat(2),
      labels: fc.record(
        { tier: fc.constantFrom("1", "2", "x"), env: fc.constantFrom("dev", "prod") },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("remove"), name: someName }),
  },
);

type Step = typeof someStep extends fc.Arbitrary<infer S> ? S : never;

const old = setOrigin("old");
const web = setOrigin("web");

/** The changes that these steps are, when they are taken one after the other. */
async function changesOf(
  steps: readonly Step[],
  ids: ReadonlyMap<string, ClusterId>,
  bundleOf: (content: number) => Promise<Awaited<ReturnType<typeof putBundle>>>,
  before: ReadonlyMap<string, Origin>,
): Promise<readonly ApplicationChange[]> {
  const offered = new Map<string, ClusterId | undefined>();
  const owners = new Map(before);
  for (const name of before.keys()) offered.set(name, ids.get("c1"));
  const changes: ApplicationChange[] = [];
  for (const step of steps) {
    const now = offered.get(step.name);
    if (step.do === "remove") {
      // Another's application is not ours to remove.
      if (owners.get(step.name)?.name === old.name) continue;
      changes.push(remove(step.name, now));
      offered.delete(step.name);
      owners.delete(step.name);
      continue;
    }
    const cluster = ids.get(step.cluster);
    assert.ok(cluster !== undefined);
    const owner = owners.get(step.name);
    changes.push(
      write(step.name, cluster, await bundleOf(step.content), {
        draft: { labels: step.labels },
        ...(now === undefined || now === cluster ? {} : { leaves: tombstone(step.name, now) }),
        ...(owner === undefined || owner.name === web.name ? {} : { takenFrom: owner }),
      }),
    );
    offered.set(step.name, cluster);
    owners.set(step.name, web);
  }
  return changes;
}

/** All that can be asked, but for versions: those count publications. */
async function answers(store: Store, ids: ReadonlyMap<string, ClusterId>): Promise<unknown> {
  const list = async (filter: Parameters<Store["applications"]["list"]>[0]) =>
    allPages(
      (page) => store.applications.list(filter, { by: "name", descending: false }, page, signal),
      100,
    );
  const names = async (filter: Parameters<Store["applications"]["list"]>[0]) =>
    (await list(filter)).map(({ name }) => name);
  const clusters = [];
  for (const id of ids.values()) {
    const { upserts, tombstones } = await store.desiredSets.changeAgainst(id, new Map(), signal);
    const since = await store.desiredSets.changeSince(id, 0, signal);
    const { root } = await store.desiredSets.current(id, signal);
    clusters.push({ upserts, tombstones, gone: since?.tombstones, root });
  }
  return {
    applications: await list({}),
    published: await store.publishing.published(web, signal),
    left: await store.publishing.published(old, signal),
    found: [
      await names({ text: "web" }),
      await names({ text: "web-1" }),
      await names({ text: "pp-3" }),
      await names({ selector: [{ key: "tier", operator: "Gt", values: ["1"] }] }),
      await names({ selector: [{ key: "env", operator: "In", values: ["dev"] }] }),
      await names({ selector: [{ key: "tier", operator: "DoesNotExist", values: [] }] }),
    ],
    clusters,
    summary: await store.fleet.summary(undefined, signal),
  };
}

let stores = 0;

async function answersAfter(
  steps: readonly Step[],
  asPublications: (
    changes: readonly ApplicationChange[],
  ) => readonly (readonly ApplicationChange[])[],
): Promise<unknown> {
  stores += 1;
  const store = await openStore({ folder: join(folder, String(stores)) });
  try {
    const ids = new Map<string, ClusterId>();
    for (const name of clusterNames) ids.set(name, await addCluster(store, name));
    const bundleOf = (content: number) => putBundle(store, { content });
    const first = ids.get("c1");
    assert.ok(first !== undefined);
    // Something was there before: some of it reported, some of it another set's.
    const before = new Map<string, Origin>();
    for (const [origin, somewhere] of [
      [web, ["web", "app-1", "app-2"]],
      [old, ["web-10", "app-3"]],
    ] as const)
      for (const name of somewhere) {
        before.set(name, origin);
        await publish(store, [write(name, first, await bundleOf(0), { draft: { origin } })], {
          origin,
        });
      }
    await openSession(store, first);
    await record(store, first, [report("web", {}), report("app-3", {})]);
    for (const some of asPublications(await changesOf(steps, ids, bundleOf, before)))
      await publish(store, some, { origin: web });
    return await answers(store, ids);
  } finally {
    store.close();
  }
}

test("many changes in one publication come to what they come to one by one", async () => {
  const law = fc.asyncProperty(fc.array(someStep, { minLength: 1, maxLength: 70 }), async (steps) =>
    assert.deepEqual(
      await answersAfter(steps, (changes) => [changes]),
      await answersAfter(steps, (changes) => changes.map((change) => [change])),
    ),
  );
  await fc.assert(law, { numRuns: 25 });
});
