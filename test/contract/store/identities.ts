import assert from "node:assert/strict";
import type { Store } from "../../../hub/store/store.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { addCluster, atMs, clusterName, digest, hour, newsSince, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function identityCases(it: Case): void {
  const invite = async (store: Store, cluster: ClusterId, id = "whj_aaaaaaaa") =>
    store.enrollments.createToken(
      {
        id,
        secretHash: digest("secret"),
        cluster,
        createdAtMs: atMs,
        expiresAtMs: atMs + hour,
      },
      signal,
    );

  const certify = async (
    store: Store,
    cluster: ClusterId,
    serial: string,
    after?: string,
  ): Promise<boolean> => {
    if (after === undefined) await invite(store, cluster, `whj_${serial}`);
    return store.identities.recordCertificate(
      {
        cluster,
        serial,
        publicKey: digest(`key of ${serial}`),
        notBeforeMs: atMs,
        notAfterMs: atMs + hour,
        issuedFor:
          after === undefined
            ? { kind: "token", id: `whj_${serial}` }
            : { kind: "certificate", serial: after },
      },
      signal,
    );
  };

  const present = async (store: Store, cluster: ClusterId, serial: string, nowMs = atMs) =>
    (await store.identities.present(cluster, serial, nowMs, signal)).kind;

  const standing = async (store: Store, cluster: ClusterId, serial: string) =>
    (await store.identities.standing(cluster, serial, signal)).kind;

  it("are trusted until the cluster is removed, and only as that cluster's", async (store) => {
    const cluster = await addCluster(store, "a");
    const other = await addCluster(store, "b");
    assert.equal(await certify(store, cluster, "01ab"), true);
    for (const ask of [present, standing]) {
      assert.equal(await ask(store, cluster, "01ab"), "trusted");
      assert.equal(await ask(store, other, "01ab"), "unknown");
      assert.equal(await ask(store, cluster, "02"), "unknown");
    }
    const found = await store.clusters.findById(cluster, signal);
    assert.equal(found?.certificateExpiresAtMs, atMs + hour);
    await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
    assert.equal(await present(store, cluster, "01ab"), "unknown");
    assert.equal(await standing(store, cluster, "01ab"), "unknown");
  });

  it("may be gone back to as long as the newer one was not used, and for a minute after", async (store) => {
    const cluster = await addCluster(store, "a");
    await certify(store, cluster, "01");
    await certify(store, cluster, "02", "01");
    assert.equal(await present(store, cluster, "01", atMs + hour), "trusted");
    assert.equal(await present(store, cluster, "02", atMs + hour), "trusted");
    assert.equal(await present(store, cluster, "01", atMs + hour + 60_000), "trusted");
  });

  it("lock the cluster when an older one comes back later than that", async (store) => {
    const cluster = await addCluster(store, "a");
    await certify(store, cluster, "01");
    await certify(store, cluster, "02", "01");
    await present(store, cluster, "01");
    await present(store, cluster, "02", atMs + 1_000);
    const before = await store.events.latest(signal);
    assert.equal(await present(store, cluster, "01", atMs + 61_001), "cloned");
    assert.equal(await present(store, cluster, "01", atMs + 61_002), "locked");
    assert.equal(await present(store, cluster, "02", atMs + 61_002), "locked");
    assert.equal(await standing(store, cluster, "02"), "locked");
    assert.deepEqual(await newsSince(store, before), ["cluster-locked a"]);
    const { locked } = (await store.clusters.find(clusterName("a"), signal)) ?? {};
    assert.equal(locked?.sinceMs, atMs + 61_001);
    assert.match(locked.why, /two spokes/);
  });

  it("are refused while the cluster is locked, and so are its tokens; unlocked, all is as before", async (store) => {
    const cluster = await addCluster(store, "a");
    await certify(store, cluster, "01");
    await present(store, cluster, "01");
    await invite(store, cluster);
    assert.equal(
      await store.identities.lock(clusterName("a"), "a laptop was lost", atMs, signal),
      true,
    );
    assert.equal(await store.identities.lock(clusterName("nobody"), "x", atMs, signal), false);
    assert.deepEqual(await store.identities.standing(cluster, "01", signal), {
      kind: "locked",
      why: "a laptop was lost",
    });
    const use = {
      id: "whj_aaaaaaaa",
      secretHash: digest("secret"),
      publicKey: digest("key"),
      nowMs: atMs,
    };
    assert.deepEqual(await store.enrollments.useToken(use, signal), {
      ok: false,
      problem: { kind: "locked", why: "a laptop was lost" },
    });
    assert.equal(await certify(store, cluster, "02", "01"), false);
    assert.equal(await store.identities.unlock(clusterName("a"), "ann", atMs, signal), true);
    assert.equal(await standing(store, cluster, "01"), "trusted");
    assert.equal((await store.enrollments.useToken(use, signal)).ok, true);
    assert.equal((await store.clusters.find(clusterName("a"), signal))?.locked, undefined);
  });

  it("that were cut off are void for good, with every token of before; new ones are taken", async (store) => {
    const cluster = await addCluster(store, "a");
    const other = await addCluster(store, "b");
    await certify(store, other, "0b");
    await certify(store, cluster, "01");
    await certify(store, cluster, "02", "01");
    await present(store, cluster, "02");
    await invite(store, cluster);
    await store.identities.lock(clusterName("a"), "x", atMs, signal);
    assert.equal(await store.identities.cutOff(clusterName("a"), "ann", atMs, signal), true);
    assert.equal(await store.identities.cutOff(clusterName("nobody"), "ann", atMs, signal), false);
    for (const serial of ["01", "02"]) {
      assert.equal(await present(store, cluster, serial), "void");
      assert.equal(await standing(store, cluster, serial), "void");
    }
    // Neither a renewal nor an enrollment that was under way gets through.
    assert.equal(await certify(store, cluster, "03", "02"), false);
    const late = {
      cluster,
      serial: "04",
      publicKey: digest("key"),
      notBeforeMs: atMs,
      notAfterMs: atMs + hour,
      issuedFor: { kind: "token", id: "whj_aaaaaaaa" },
    } as const;
    assert.equal(await store.identities.recordCertificate(late, signal), false);
    assert.equal(await certify(store, cluster, "05"), true);
    assert.equal(await present(store, cluster, "05"), "trusted");
    assert.equal(await present(store, cluster, "02"), "void");
    assert.equal(await present(store, other, "0b"), "trusted");
    assert.deepEqual(
      (await newsSince(store, 2)).filter((news) => news.endsWith(" a")),
      ["cluster-locked a", "cluster-cut-off a"],
    );
  });
}
