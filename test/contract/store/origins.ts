import assert from "node:assert/strict";
import {
  addCluster,
  app,
  atMs,
  plainOrigin,
  publish,
  putBundle,
  remove,
  setOrigin,
  setRecord,
  signal,
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
