import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import { addCluster, atMs, clusterName, digest, hour, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function enrollmentCases(it: Case): void {
  const token = { id: "whj_abcdefgh", secretHash: digest("secret"), expiresAtMs: atMs + hour };
  const use = {
    id: token.id,
    secretHash: token.secretHash,
    publicKey: digest("key"),
    nowMs: atMs + 1,
  };
  const join = async (store: Store) => {
    const cluster = await addCluster(store, "a");
    await store.enrollments.createToken({ ...token, cluster, createdAtMs: atMs }, signal);
    return cluster;
  };

  it("let one key use a token, again and again until it expires", async (store) => {
    const cluster = await join(store);
    const joined = { ok: true, value: { cluster, name: clusterName("a") } };
    assert.deepEqual(await store.enrollments.useToken(use, signal), joined);
    assert.deepEqual(await store.enrollments.useToken({ ...use, nowMs: atMs + 9 }, signal), joined);
    assert.deepEqual(
      await store.enrollments.useToken({ ...use, nowMs: token.expiresAtMs }, signal),
      { ok: false, problem: { kind: "expired", atMs: token.expiresAtMs } },
    );
  });

  it("refuse a token to a second key", async (store) => {
    await join(store);
    await store.enrollments.useToken(use, signal);
    const other = { ...use, publicKey: digest("other key"), nowMs: atMs + 5 };
    assert.deepEqual(await store.enrollments.useToken(other, signal), {
      ok: false,
      problem: { kind: "used", atMs: use.nowMs },
    });
  });

  it("give a token to one of two that come at once", async (store) => {
    await join(store);
    const outcomes = await Promise.all(
      ["one", "two"].map((key) =>
        store.enrollments.useToken({ ...use, publicKey: digest(key) }, signal),
      ),
    );
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false],
    );
  });

  it("do not tell a wrong secret, an unknown token and a removed cluster apart", async (store) => {
    await join(store);
    const unknown = { ok: false, problem: { kind: "unknown" } };
    const ask = (more: Partial<typeof use>) =>
      store.enrollments.useToken({ ...use, ...more }, signal);
    assert.deepEqual(await ask({ secretHash: digest("guess") }), unknown);
    assert.deepEqual(await ask({ id: "whj_zzzzzzzz" }), unknown);
    await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
    assert.deepEqual(await ask({}), unknown);
  });

  it("forget what ended", async (store) => {
    await join(store);
    assert.equal(await store.enrollments.forget(token.expiresAtMs, signal), 0);
    assert.equal(await store.enrollments.forget(token.expiresAtMs + 1, signal), 1);
    assert.deepEqual(await store.enrollments.useToken(use, signal), {
      ok: false,
      problem: { kind: "unknown" },
    });
  });
}
