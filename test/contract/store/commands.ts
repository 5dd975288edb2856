import assert from "node:assert/strict";
import { addCluster, app, atMs, clusterId, hour, newsSince, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function commandCases(it: Case): void {
  const order = (id: string, more: { readonly createdAtMs?: number } = {}) => ({
    id,
    order: "sync" as const,
    application: app("web"),
    cluster: clusterId("a"),
    generation: 3,
    prune: true,
    actor: "ann",
    createdAtMs: atMs,
    expiresAtMs: Date.now() + hour,
    ...more,
  });
  const done = (id: string, succeeded = true) =>
    ({ kind: "command-result", id, succeeded, message: succeeded ? "" : "void" }) as const;

  it("wait for their cluster, oldest first", async (store) => {
    const cluster = await addCluster(store, "a");
    const other = await addCluster(store, "b");
    await store.commands.create(order("2", { createdAtMs: atMs + 1 }), signal);
    await store.commands.create(order("1"), signal);
    const waiting = await store.commands.waiting(cluster, atMs, signal);
    assert.deepEqual(
      waiting.map(({ id }) => id),
      ["1", "2"],
    );
    const { cluster: _, actor: __, createdAtMs: ___, ...said } = order("1");
    const [first] = waiting;
    assert.deepEqual({ ...first, expiresAtMs: 0 }, { kind: "command", ...said, expiresAtMs: 0 });
    assert.deepEqual(await store.commands.waiting(other, atMs, signal), []);
    assert.deepEqual(
      await store.commands.waiting(cluster, Date.now() + 2 * hour, signal),
      [],
      "expired",
    );
  });

  it("are finished once, by their own cluster", async (store) => {
    const cluster = await addCluster(store, "a");
    const other = await addCluster(store, "b");
    await store.commands.create(order("1"), signal);
    assert.equal((await store.commands.find("1", signal))?.state, "waiting");
    assert.equal(await store.commands.finish(other, done("1"), atMs, signal), false);
    assert.equal(await store.commands.finish(cluster, done("1", false), atMs + 2, signal), true);
    assert.equal(await store.commands.finish(cluster, done("1"), atMs + 3, signal), false);
    const found = await store.commands.find("1", signal);
    assert.deepEqual(
      [found?.state, found?.message, found?.finishedAtMs, found?.cluster],
      ["failed", "void", atMs + 2, "a"],
    );
    assert.deepEqual(await store.commands.waiting(cluster, atMs, signal), []);
    assert.deepEqual(await newsSince(store, 2), ["command-created web", "command-finished web"]);
    assert.equal(await store.commands.find("2", signal), undefined);
  });

  it("expire by themselves and are forgotten later", async (store) => {
    await addCluster(store, "a");
    await store.commands.create({ ...order("1"), expiresAtMs: atMs + 1 }, signal);
    assert.equal((await store.commands.find("1", signal))?.state, "expired");
    assert.equal(await store.commands.forget(atMs + 1, signal), 0);
    assert.equal(await store.commands.forget(atMs + 2, signal), 1);
    assert.equal(await store.commands.find("1", signal), undefined);
  });
}
