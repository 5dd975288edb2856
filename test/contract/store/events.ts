import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import { addCluster, atMs, fact, hour, newsSince, publish, setRecord, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function eventCases(it: Case): void {
  const three = async (store: Store) => {
    for (const [at, name] of ["a", "b", "c"].entries())
      await store.clusters.add(fact(name), atMs + at, signal);
  };

  it("are read from a sequence on, oldest first", async (store) => {
    assert.deepEqual(
      [await store.events.oldest(signal), await store.events.latest(signal)],
      [0, 0],
    );
    await three(store);
    const events = await store.events.since(0, 2, signal);
    assert.deepEqual(events[0], {
      sequence: 1,
      atMs,
      kind: "cluster-added",
      subject: "a",
      cluster: "a",
      message: "registered",
    });
    assert.deepEqual(await newsSince(store, 2), ["cluster-added c"]);
    assert.equal(events.length, 2);
  });

  it("are forgotten by age, but for the newest, and never numbered again", async (store) => {
    await three(store);
    assert.equal(await store.events.forget(atMs + 1, signal), 1);
    assert.equal(await store.events.oldest(signal), 2);
    assert.equal(await store.events.forget(atMs + hour, signal), 1);
    assert.deepEqual(
      [await store.events.oldest(signal), await store.events.latest(signal)],
      [3, 3],
    );
    await addCluster(store, "d");
    assert.equal(await store.events.latest(signal), 4);
  });

  it("are hinted at after the commit, until nobody listens", async (store) => {
    let seen: Promise<number> | undefined;
    const stop = store.events.onAppend(() => {
      seen = store.events.latest(signal);
    });
    await addCluster(store, "a");
    assert.equal(await seen, 1);
    seen = undefined;
    await store.hub.id(signal);
    assert.equal(seen, undefined, "nothing was appended");
    stop();
    await addCluster(store, "b");
    assert.equal(seen, undefined);
  });

  it("of publications are appended with them", async (store) => {
    await publish(store, [], {
      set: setRecord("web"),
      events: [{ kind: "set-changed", subject: "web", cluster: "", message: "now at c1" }],
    });
    assert.deepEqual(await newsSince(store, 0), ["set-changed web"]);
  });
}
