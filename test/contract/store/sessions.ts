import assert from "node:assert/strict";
import { desiredDigest, desiredRoot } from "../../../proto/words/desired.ts";
import { reportDigest } from "../../../proto/words/report.ts";
import {
  addCluster,
  atMs,
  clusterId,
  clusterName,
  entry,
  newsSince,
  openSession,
  publish,
  putBundle,
  record,
  report,
  signal,
  write,
} from "./builders.ts";
import type { Case } from "./case.ts";

export function sessionCases(it: Case): void {
  it("get an epoch beyond the cluster's own and the one the spoke has seen", async (store) => {
    const cluster = await addCluster(store, "a");
    assert.equal((await openSession(store, cluster)).epoch, 1);
    assert.equal((await openSession(store, cluster)).epoch, 2);
    assert.equal((await openSession(store, cluster, { epochSeen: 40 })).epoch, 41);
    assert.equal((await openSession(store, cluster, { epochSeen: 3 })).epoch, 42);
  });

  it("show the cluster as attached, and as detached once closed", async (store) => {
    const cluster = await addCluster(store, "a");
    await openSession(store, cluster);
    const attached = await store.clusters.find(clusterName("a"), signal);
    assert.deepEqual(attached?.connection, { kind: "attached", sinceMs: atMs });
    assert.deepEqual(
      [attached?.spokeVersion, attached?.kubernetesVersion, attached?.lastSeenAtMs],
      ["0.1.0", "v1.33.0", atMs],
    );
    await store.sessions.close(cluster, "s1", atMs + 5, signal);
    const detached = await store.clusters.find(clusterName("a"), signal);
    assert.deepEqual(detached?.connection, { kind: "detached", sinceMs: atMs + 5 });
    assert.deepEqual(await newsSince(store, 1), ["cluster-attached a", "cluster-detached a"]);
  });

  it("are not closed by an older session's end", async (store) => {
    const cluster = await addCluster(store, "a");
    await openSession(store, cluster, { sessionId: "old" });
    await openSession(store, cluster, { sessionId: "new" });
    await store.sessions.close(cluster, "old", atMs, signal);
    assert.equal(
      (await store.clusters.find(clusterName("a"), signal))?.connection.kind,
      "attached",
    );
    assert.deepEqual(await newsSince(store, 1), ["cluster-attached a"]);
  });

  it("are all closed when the hub starts", async (store) => {
    await openSession(store, await addCluster(store, "a"));
    await addCluster(store, "b");
    await store.sessions.closeAll(atMs + 1, signal);
    const kinds = await Promise.all(
      ["a", "b"].map(
        async (name) => (await store.clusters.find(clusterName(name), signal))?.connection.kind,
      ),
    );
    assert.deepEqual(kinds, ["detached", "never-joined"]);
    const [whole] = await store.fleet.summary(undefined, signal);
    assert.deepEqual(whole?.clusters, { total: 2, attached: 0 });
  });

  it("move a restored hub's version beyond what the spoke holds, and offer no delta", async (store) => {
    const cluster = await addCluster(store, "a");
    await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
    const opened = await openSession(store, cluster, { heldVersion: 7 });
    assert.equal(opened.desiredVersion, 8);
    assert.equal((await store.desiredSets.current(cluster, signal)).version, 8);
    assert.equal(await store.desiredSets.changeSince(cluster, 7, signal), undefined);
    assert.equal(await store.desiredSets.changeSince(cluster, 1, signal), undefined);
    assert.notEqual(await store.desiredSets.changeSince(cluster, 8, signal), undefined);
  });

  it("are refused to a cluster that is not registered", async (store) => {
    await assert.rejects(openSession(store, clusterId("nobody")), { name: "UnknownCluster" });
  });

  it("tell the roots of both sides", async (store) => {
    const cluster = await addCluster(store, "a");
    const bundle = await putBundle(store, { one: 1 });
    await publish(store, [write("web", cluster, bundle)]);
    await record(store, cluster, [report("web")]);
    const opened = await openSession(store, cluster);
    assert.deepEqual(opened, {
      epoch: 1,
      desiredVersion: 1,
      desiredRoot: desiredRoot(new Map([["web", desiredDigest(entry("web", bundle))]])),
      statusRoot: desiredRoot(new Map([["web", reportDigest(report("web"))]])),
    });
  });
}
