import assert from "node:assert/strict";
import type { Origin } from "../../../hub/domain/origin.ts";
import type { ApplicationChange, TombstoneDraft } from "../../../hub/domain/records.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import {
  addCluster,
  app,
  atMs,
  draft,
  hour,
  plainOrigin,
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
} from "./builders.ts";
import type { Case } from "./case.ts";

/** A publication is of one origin, and the store knows them all. */
export function originCases(it: Case): void {
  it("keeps applications of other origins out of a publication", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    const origin = plainOrigin("web");
    await assert.rejects(
      publish(store, [write("web", cluster, bundle, { draft: { origin } })], { origin }),
      /application web is of application-set web/,
    );
    await assert.rejects(publish(store, [remove("web", cluster)], { origin }), TypeError);
    assert.deepEqual(
      await store.publishing.owners([app("web"), app("nobody")], signal),
      new Map([["web", setOrigin("web")]]),
    );
  });

  it("hands an application over from the origin it is taken from, in place", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    const [old, other] = [setOrigin("web"), setOrigin("other")];
    await publish(store, [write("a", cluster, bundle), write("b", cluster, bundle)], {
      set: setRecord("web"),
    });
    await record(store, cluster, [report("a")]);
    const before = await store.desiredSets.current(cluster, signal);
    const described = { origin: other, document: '{"metadata":{"name":"a"},"by":"other"}' };
    const taken = await publish(
      store,
      [
        {
          kind: "write",
          record: draft("a", { ...described, clusterId: cluster, bundle, objects: 1 }),
          desired: undefined,
          leaves: undefined,
          takenFrom: old,
        },
      ],
      { origin: other, set: setRecord("other"), atMs: atMs + hour },
    );
    assert.deepEqual(taken, { changedClusters: [] });
    assert.deepEqual(await store.desiredSets.current(cluster, signal), before);
    const namesOf = async (origin: Origin) =>
      (await store.publishing.published(origin, signal)).map(({ draft: { name } }) => name);
    assert.deepEqual([await namesOf(old), await namesOf(other)], [["b"], ["a"]]);
    const found = await store.applications.find(app("a"), signal);
    assert.deepEqual(
      [found?.origin, found?.generation, found?.createdAtMs, found?.status.health.state],
      [other, 1, atMs, "Healthy"],
    );
    const totals = async (name: string) =>
      (await store.applicationSets.find(name, signal))?.applications;
    assert.deepEqual(await totals("web"), {
      total: 1,
      sync: { Unknown: 1 },
      health: { Unknown: 1 },
    });
    assert.deepEqual(await totals("other"), {
      total: 1,
      sync: { Synced: 1 },
      health: { Healthy: 1 },
    });
  });

  it("gives what is taken over its next generation, or lets it leave its cluster", async (store) => {
    const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
    const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
    await publish(store, [write("stays", a, one), write("moves", a, one)]);
    const origin = setOrigin("other");
    const take = (name: string, cluster: ClusterId, leaves?: TombstoneDraft) =>
      write(name, cluster, two, { draft: { origin }, leaves, takenFrom: setOrigin("web") });
    const leaves = tombstone("moves", a, { cause: "destination-changed" });
    await publish(store, [take("stays", a), take("moves", b, leaves)], { origin });
    const offeredTo = async (cluster: ClusterId) => {
      const change = await store.desiredSets.changeSince(cluster, 0, signal);
      return [
        change?.upserts.map(({ application, generation }) => [application, generation]),
        change?.tombstones.map(({ application }) => application),
      ];
    };
    assert.deepEqual(await offeredTo(a), [[["stays", 2]], ["moves"]]);
    assert.deepEqual(await offeredTo(b), [[["moves", 1]], []]);
  });

  it("lets nobody take over from another origin than the one there is", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    const origin = plainOrigin("web");
    const takenFrom = setOrigin("somebody");
    await assert.rejects(
      publish(store, [write("web", cluster, bundle, { draft: { origin }, takenFrom })], { origin }),
      /application web is of application-set web/,
    );
    const [published] = await store.publishing.published(setOrigin("web"), signal);
    assert.deepEqual(published?.draft.origin, setOrigin("web"));
  });

  it("tells what is published under names, whoever has them", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    const origin = plainOrigin("tool");
    const tool = write("tool", cluster, bundle, { draft: { origin } });
    const [one, two] = [write("w1", cluster, bundle), write("w2", cluster, bundle)];
    await publish(store, [one, two]);
    await publish(store, [tool], { origin });
    const found = await store.publishing.named(["w2", "nobody", "tool"].map(app), signal);
    const publishedAs = (change: ApplicationChange) =>
      change.kind === "write" ? { draft: change.record, desired: change.desired } : undefined;
    assert.deepEqual(
      found.toSorted((left, right) => (left.draft.name < right.draft.name ? -1 : 1)),
      [publishedAs(tool), publishedAs(two)],
    );
    assert.deepEqual(await store.publishing.named([], signal), []);
  });

  it("lists every origin that has a set or an application", async (store) => {
    assert.deepEqual(await store.publishing.origins(signal), []);
    const bundle = await putBundle(store, {});
    const cluster = await addCluster(store, "a");
    const plain = plainOrigin("tool");
    await publish(store, [], { origin: setOrigin("empty"), set: setRecord("empty") });
    await publish(store, [write("w1", cluster, bundle), write("w2", cluster, bundle)]);
    await publish(store, [write("tool", cluster, bundle, { draft: { origin: plain } })], {
      origin: plain,
    });
    assert.deepEqual(await store.publishing.origins(signal), [
      setOrigin("empty"),
      setOrigin("web"),
      plain,
    ]);
  });

  it("replaces and removes a set's row", async (store) => {
    await publish(store, [], { set: setRecord("web") });
    const problem = { code: "WH-GEN-3101", message: "no such generator", sinceMs: atMs };
    await publish(store, [], { set: setRecord("web", { problem, commit: "c2" }) });
    const found = await store.applicationSets.find("web", signal);
    assert.deepEqual([found?.commit, found?.problem], ["c2", problem]);
    await publish(store, []);
    assert.notEqual(await store.applicationSets.find("web", signal), undefined);
    await publish(store, [], { set: "removed" });
    assert.equal(await store.applicationSets.find("web", signal), undefined);
  });
}
