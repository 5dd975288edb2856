import assert from "node:assert/strict";
import { atMs, clusterName, fact, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function hubCases(it: Case): void {
  it("has an id that stays", async (store) => {
    const id = await store.hub.id(signal);
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.equal(await store.hub.id(signal), id);
  });

  it("is ready while it is open", async (store) => {
    await store.checkReady(signal);
  });

  it("begins nothing for a caller that has gone", async (store) => {
    const gone = AbortSignal.abort(new Error("caller left"));
    await assert.rejects(store.clusters.add(fact("a"), atMs, gone), /caller left/);
    await assert.rejects(store.clusters.find(clusterName("a"), gone), /caller left/);
    assert.equal(await store.clusters.find(clusterName("a"), signal), undefined);
  });
}
