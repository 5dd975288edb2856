import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { BadCursor } from "../../../hub/domain/queries.ts";
import type { Requirement } from "../../../hub/domain/selector.ts";
import type { Store } from "../../../hub/store/store.ts";
import { blobOf } from "../../../proto/words/bundle.ts";
import { desiredDigest, desiredRoot } from "../../../proto/words/desired.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import { reportDigest } from "../../../proto/words/report.ts";
import type { ServiceAccount } from "../../../proto/words/service-account.ts";
import type { RolloutStatus } from "../../../hub/domain/rollout/rollout.ts";
import {
  addCluster,
  allPages,
  app,
  atMs,
  bundleOf,
  clusterId,
  clusterName,
  configMap,
  deployment,
  digest,
  draft,
  entry,
  fact,
  hour,
  newsSince,
  openSession,
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

/** What every store must do, whatever database it lies in. `open` gives an empty one each time. */
export function storeContract(title: string, open: () => Promise<Store>): void {
  function it(name: string, work: (store: Store) => Promise<void>): void {
    test(name, async () => {
      const store = await open();
      try {
        await work(store);
      } finally {
        store.close();
      }
    });
  }

  suite(`${title}: hub`, () => {
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
      await assert.rejects(store.clusters.find("a", gone), /caller left/);
      assert.equal(await store.clusters.find("a", signal), undefined);
    });
  });

  suite(`${title}: clusters`, () => {
    it("are found by name and by id once added", async (store) => {
      const draft = fact("prod-1", { labels: { env: "prod" }, annotations: { owner: "ann" } });
      const added = await store.clusters.add(draft, atMs, signal);
      const expected = {
        ...draft,
        createdAtMs: atMs,
        connection: { kind: "never-joined" },
        lastSeenAtMs: undefined,
        spokeVersion: "",
        kubernetesVersion: "",
        certificateExpiresAtMs: undefined,
        locked: undefined,
        desiredVersion: 0,
        storedVersion: 0,
        applications: { total: 0, sync: {}, health: {} },
      };
      assert.deepEqual(added, { ok: true, value: expected });
      assert.deepEqual(await store.clusters.find("prod-1", signal), expected);
      assert.deepEqual(await store.clusters.findById(draft.id, signal), expected);
      assert.equal(await store.clusters.find("prod-2", signal), undefined);
    });

    it("have names and servers of their own", async (store) => {
      await addCluster(store, "a");
      const sameName = { ...fact("a", { server: "https://other" }), id: clusterId("x") };
      const sameServer = { ...fact("b"), server: fact("a").server };
      assert.deepEqual(await store.clusters.add(sameName, atMs, signal), {
        ok: false,
        problem: { kind: "name-taken" },
      });
      assert.deepEqual(await store.clusters.add(sameServer, atMs, signal), {
        ok: false,
        problem: { kind: "server-taken" },
      });
      assert.equal((await store.clusters.facts(signal)).length, 1);
    });

    it("give facts sorted by name", async (store) => {
      await addCluster(store, "b", { env: "dev" });
      await addCluster(store, "a");
      assert.deepEqual(await store.clusters.facts(signal), [
        fact("a"),
        fact("b", { labels: { env: "dev" } }),
      ]);
    });

    it("change their labels and annotations as whole maps", async (store) => {
      await addCluster(store, "a", { env: "dev", tier: "1" });
      const changed = await store.clusters.setMetadata(
        clusterName("a"),
        { labels: { env: "prod" } },
        atMs,
        signal,
      );
      assert.deepEqual(changed?.labels, { env: "prod" });
      assert.deepEqual((await store.clusters.find("a", signal))?.labels, { env: "prod" });
      await store.clusters.setMetadata(clusterName("a"), { annotations: { a: "b" } }, atMs, signal);
      const found = await store.clusters.find("a", signal);
      assert.deepEqual([found?.labels, found?.annotations], [{ env: "prod" }, { a: "b" }]);
      assert.equal(await store.clusters.setMetadata(clusterName("b"), {}, atMs, signal), undefined);
    });

    it("say nothing when nothing about them changed", async (store) => {
      await addCluster(store, "a", { x: "1", y: "2" });
      const before = await store.events.latest(signal);
      await store.clusters.setMetadata(
        clusterName("a"),
        { labels: { y: "2", x: "1" } },
        atMs,
        signal,
      );
      assert.equal(await store.events.latest(signal), before);
    });

    it("free their name and never their id when removed", async (store) => {
      const id = await addCluster(store, "a");
      assert.equal(await store.clusters.remove(clusterName("a"), "ann", atMs, signal), true);
      assert.equal(await store.clusters.remove(clusterName("a"), "ann", atMs, signal), false);
      assert.equal(await store.clusters.find("a", signal), undefined);
      assert.equal(await store.clusters.findById(id, signal), undefined);
      assert.deepEqual(await store.clusters.facts(signal), []);
      await assert.rejects(store.clusters.add(fact("a"), atMs, signal));
      const again = await store.clusters.add({ ...fact("a"), id: clusterId("a2") }, atMs, signal);
      assert.equal(again.ok, true);
    });

    it("take status and resources of their applications along when removed", async (store) => {
      const id = await addCluster(store, "a");
      await publish(store, [write("web", id, await putBundle(store, { one: 1 }))]);
      await record(store, id, [report("web", { resources: [configMap("one")] })]);
      await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
      const found = await store.applications.find("web", signal);
      assert.equal(found?.cluster, undefined);
      assert.deepEqual(found?.status.syncStatus, "Unknown");
      assert.deepEqual(await store.applications.resources("web", signal), []);
      const [published] = await store.publishing.published(setOrigin("web"), signal);
      assert.equal(published?.desired, undefined);
      assert.equal(published?.draft.clusterId, undefined);
    });

    it("tell of themselves in events", async (store) => {
      await addCluster(store, "a");
      await store.clusters.setMetadata(clusterName("a"), { labels: { e: "1" } }, atMs, signal);
      await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
      assert.deepEqual(await newsSince(store, 0), [
        "cluster-added a",
        "cluster-changed a",
        "cluster-removed a",
      ]);
      const [, , removed] = await store.events.since(0, 10, signal);
      assert.equal(removed?.message, "removed by ann");
    });

    const labelRows: readonly {
      readonly selector: readonly Requirement[];
      readonly expect: readonly string[];
    }[] = [
      { selector: [], expect: ["a", "b", "c"] },
      { selector: [{ key: "env", operator: "In", values: ["dev"] }], expect: ["a"] },
      { selector: [{ key: "env", operator: "In", values: ["dev", "prod"] }], expect: ["a", "b"] },
      { selector: [{ key: "env", operator: "In", values: [] }], expect: [] },
      { selector: [{ key: "env", operator: "NotIn", values: ["dev"] }], expect: ["b", "c"] },
      { selector: [{ key: "env", operator: "NotIn", values: [] }], expect: ["a", "b", "c"] },
      { selector: [{ key: "env", operator: "Exists", values: [] }], expect: ["a", "b"] },
      { selector: [{ key: "env", operator: "DoesNotExist", values: [] }], expect: ["c"] },
      { selector: [{ key: "ring", operator: "Gt", values: ["2"] }], expect: ["b"] },
      { selector: [{ key: "ring", operator: "Lt", values: ["10"] }], expect: ["a"] },
      { selector: [{ key: "ring", operator: "Gt", values: ["two"] }], expect: [] },
      {
        selector: [
          { key: "env", operator: "Exists", values: [] },
          { key: "ring", operator: "NotIn", values: ["2"] },
        ],
        expect: ["b"],
      },
    ];
    for (const { selector, expect } of labelRows) {
      const title = selector.map((r) => `${r.key} ${r.operator} ${r.values.join(",")}`).join("; ");
      it(`are selected by labels: ${title || "everything"}`, async (store) => {
        await addCluster(store, "a", { env: "dev", ring: "2" });
        await addCluster(store, "b", { env: "prod", ring: "10" });
        await addCluster(store, "c", { ring: "many" });
        const page = await store.clusters.list(
          { selector },
          { limit: 10, after: undefined },
          signal,
        );
        assert.deepEqual(
          page.items.map(({ name }) => name),
          expect,
        );
      });
    }

    it("are listed by connection, and by part of the name in any case", async (store) => {
      for (const name of ["prod-eu-1", "prod-us-1", "dev-1"]) await addCluster(store, name);
      await openSession(store, clusterId("prod-us-1"));
      const names = async (filter: Parameters<Store["clusters"]["list"]>[0]) =>
        (await store.clusters.list(filter, { limit: 10, after: undefined }, signal)).items.map(
          ({ name }) => name,
        );
      assert.deepEqual(await names({ connection: "attached" }), ["prod-us-1"]);
      assert.deepEqual(await names({ connection: "never-joined" }), ["dev-1", "prod-eu-1"]);
      assert.deepEqual(await names({ text: "PROD" }), ["prod-eu-1", "prod-us-1"]);
      assert.deepEqual(await names({ text: "-1" }), ["dev-1", "prod-eu-1", "prod-us-1"]);
      assert.deepEqual(await names({ text: "s-1" }), ["prod-us-1"]);
      assert.deepEqual(await names({ text: "ro%1" }), []);
    });

    it("page without skipping or repeating what stays", async (store) => {
      const names = ["a", "b", "c", "d", "e"];
      for (const name of names) await addCluster(store, name);
      const list = (page: { limit: number; after: string | undefined }) =>
        store.clusters.list({}, page, signal);
      assert.deepEqual(
        (await allPages(list, 2)).map(({ name }) => name),
        names,
      );
      const first = await list({ limit: 2, after: undefined });
      await store.clusters.remove(clusterName("b"), "ann", atMs, signal);
      await addCluster(store, "bb");
      const second = await list({ limit: 2, after: first.next });
      assert.deepEqual(
        second.items.map(({ name }) => name),
        ["bb", "c"],
      );
      assert.equal((await list({ limit: 5, after: undefined })).next, undefined);
    });

    it("refuse a cursor that is not theirs", async (store) => {
      const list = (after: string) => store.clusters.list({}, { limit: 1, after }, signal);
      for (const after of ["nonsense", "", Buffer.from('["clusters",false]').toString("base64url")])
        await assert.rejects(async () => list(after), BadCursor);
    });
  });

  suite(`${title}: enrollments`, () => {
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
      assert.deepEqual(
        await store.enrollments.useToken({ ...use, nowMs: atMs + 9 }, signal),
        joined,
      );
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
  });

  suite(`${title}: identities`, () => {
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
      const { locked } = (await store.clusters.find("a", signal)) ?? {};
      assert.equal(locked?.sinceMs, atMs + 61_001);
      assert.match(locked.why, /two spokes/);
    });

    it("are refused while the cluster is locked, and so are its tokens; unlocked, all is as before", async (store) => {
      const cluster = await addCluster(store, "a");
      await certify(store, cluster, "01");
      await present(store, cluster, "01");
      await invite(store, cluster);
      assert.equal(await store.identities.lock("a", "a laptop was lost", atMs, signal), true);
      assert.equal(await store.identities.lock("nobody", "x", atMs, signal), false);
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
      assert.equal(await store.identities.unlock("a", "ann", atMs, signal), true);
      assert.equal(await standing(store, cluster, "01"), "trusted");
      assert.equal((await store.enrollments.useToken(use, signal)).ok, true);
      assert.equal((await store.clusters.find("a", signal))?.locked, undefined);
    });

    it("that were cut off are void for good, with every token of before; new ones are taken", async (store) => {
      const cluster = await addCluster(store, "a");
      const other = await addCluster(store, "b");
      await certify(store, other, "0b");
      await certify(store, cluster, "01");
      await certify(store, cluster, "02", "01");
      await present(store, cluster, "02");
      await invite(store, cluster);
      await store.identities.lock("a", "x", atMs, signal);
      assert.equal(await store.identities.cutOff("a", "ann", atMs, signal), true);
      assert.equal(await store.identities.cutOff("nobody", "ann", atMs, signal), false);
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
  });

  suite(`${title}: sessions`, () => {
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
      const attached = await store.clusters.find("a", signal);
      assert.deepEqual(attached?.connection, { kind: "attached", sinceMs: atMs });
      assert.deepEqual(
        [attached?.spokeVersion, attached?.kubernetesVersion, attached?.lastSeenAtMs],
        ["0.1.0", "v1.33.0", atMs],
      );
      await store.sessions.close(cluster, "s1", atMs + 5, signal);
      const detached = await store.clusters.find("a", signal);
      assert.deepEqual(detached?.connection, { kind: "detached", sinceMs: atMs + 5 });
      assert.deepEqual(await newsSince(store, 1), ["cluster-attached a", "cluster-detached a"]);
    });

    it("are not closed by an older session's end", async (store) => {
      const cluster = await addCluster(store, "a");
      await openSession(store, cluster, { sessionId: "old" });
      await openSession(store, cluster, { sessionId: "new" });
      await store.sessions.close(cluster, "old", atMs, signal);
      assert.equal((await store.clusters.find("a", signal))?.connection.kind, "attached");
      assert.deepEqual(await newsSince(store, 1), ["cluster-attached a"]);
    });

    it("are all closed when the hub starts", async (store) => {
      await openSession(store, await addCluster(store, "a"));
      await addCluster(store, "b");
      await store.sessions.closeAll(atMs + 1, signal);
      const kinds = await Promise.all(
        ["a", "b"].map(async (name) => (await store.clusters.find(name, signal))?.connection.kind),
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
  });

  suite(`${title}: blobs`, () => {
    it("are stored once however many bundles list them", async (store) => {
      const one = bundleOf({ a: 1, b: 2 });
      const two = bundleOf({ b: 2, c: 3 });
      const put = ({ digest, bundle, blobs }: typeof one) =>
        store.blobs.putBundle(digest, blobs, bundle, atMs, signal);
      assert.equal(await store.blobs.hasBundle(one.digest, signal), false);
      assert.equal(await put(one), 3);
      assert.equal(await put(two), 2);
      assert.equal(await put(two), 0);
      assert.equal(await store.blobs.hasBundle(one.digest, signal), true);
      const [first] = one.blobs;
      assert.ok(first !== undefined);
      const read = await store.blobs.read(first.digest, signal);
      assert.deepEqual(Buffer.from(read ?? []), Buffer.from(first.bytes));
    });

    it("must be there or given, all that a bundle lists", async (store) => {
      const { digest, bundle, blobs } = bundleOf({ a: 1, b: 2 });
      await assert.rejects(
        store.blobs.putBundle(digest, blobs.slice(1), bundle, atMs, signal),
        /FOREIGN KEY|foreign key/,
      );
      assert.equal(await store.blobs.hasBundle(digest, signal), false);
      const [, second] = blobs;
      assert.ok(second !== undefined);
      assert.equal(await store.blobs.read(second.digest, signal), undefined);
    });

    it("are refused under another list's digest", async (store) => {
      const { bundle, blobs } = bundleOf({ a: 1 });
      await assert.rejects(
        async () => store.blobs.putBundle(digest("other"), blobs, bundle, atMs, signal),
        TypeError,
      );
    });

    it("may be empty bundles", async (store) => {
      const bundle = await putBundle(store, {});
      assert.equal(await store.blobs.hasBundle(bundle, signal), true);
    });

    it("are read by the clusters they are offered to and by no other", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", a, bundle)]);
      const [blob] = bundleOf({ one: 1 }).blobs;
      assert.ok(blob !== undefined);
      const hasRead = async (cluster: typeof a, what: typeof bundle) =>
        (await store.blobs.readFor(cluster, what, signal)) !== undefined;
      assert.deepEqual(
        [await hasRead(a, blob.digest), await hasRead(a, bundle), await hasRead(b, blob.digest)],
        [true, true, false],
      );
      await publish(store, [remove("web", a)]);
      assert.equal(await hasRead(a, blob.digest), false);
    });

    it("are forgotten when no bundle in use needs them", async (store) => {
      const cluster = await addCluster(store, "a");
      const offered = await putBundle(store, { shared: 1, kept: 2 });
      const unused = await putBundle(store, { shared: 1, lost: 3 });
      const fresh = await putBundle(store, { fresh: 4 }, atMs + hour);
      await publish(store, [write("web", cluster, offered)]);
      assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 2);
      const there = await Promise.all(
        [offered, unused, fresh].map((bundle) => store.blobs.hasBundle(bundle, signal)),
      );
      assert.deepEqual(there, [true, false, true]);
      assert.notEqual(
        await store.blobs.read(
          blobOf({ kind: "ConfigMap", name: "shared", data: 1 }).digest,
          signal,
        ),
        undefined,
      );
    });

    it("are kept while a spoke has them on disk, and for a moment after being put again", async (store) => {
      const cluster = await addCluster(store, "a");
      const first = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, first)]);
      const { version, root } = await store.desiredSets.current(cluster, signal);
      await store.desiredSets.recordStored(cluster, version, root, atMs, signal);
      const second = await putBundle(store, { one: 2 });
      await publish(store, [write("web", cluster, second, { entry: { generation: 2 } })]);
      assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 0);
      assert.equal(await store.blobs.hasBundle(first, signal), true);
      const now = await store.desiredSets.current(cluster, signal);
      await store.desiredSets.recordStored(cluster, now.version, now.root, atMs, signal);
      await putBundle(store, { one: 1 }, atMs + hour);
      assert.equal(await store.blobs.forgetUnused(atMs + 1, signal), 0);
      assert.equal(await store.blobs.forgetUnused(atMs + 2 * hour, signal), 2);
      assert.equal(await store.blobs.hasBundle(first, signal), false);
    });
  });

  suite(`${title}: publishing`, () => {
    it("remembers the set, its applications and what is offered", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      const change = write("web", cluster, bundle);
      assert.ok(change.kind === "write");
      const { changedClusters } = await publish(store, [change], { set: setRecord("web") });
      assert.deepEqual(changedClusters, [cluster]);
      assert.deepEqual(await store.publishing.published(setOrigin("web"), signal), [
        { draft: change.record, desired: change.desired },
      ]);
      const found = await store.applicationSets.find("web", signal);
      assert.deepEqual(found, {
        ...setRecord("web"),
        applications: { total: 1, sync: { Unknown: 1 }, health: { Unknown: 1 } },
      });
      const { clusterId: _, keepObjects: __, ...decided } = change.record;
      assert.deepEqual(await store.applications.find("web", signal), {
        ...decided,
        cluster: "a",
        createdAtMs: atMs,
        changedAtMs: atMs,
        status: {
          syncStatus: "Unknown",
          health: { state: "Unknown", message: "" },
          storedGeneration: 0,
          appliedGeneration: 0,
          healthyGeneration: 0,
          appliedRevision: "",
          operation: undefined,
          conditions: [],
          reportedAtMs: undefined,
        },
      });
    });

    it("moves nothing when nothing changed", async (store) => {
      const cluster = await addCluster(store, "a");
      const change = write("web", cluster, await putBundle(store, { one: 1 }));
      await publish(store, [change]);
      const before = await store.desiredSets.current(cluster, signal);
      const again = await publish(store, [change], { atMs: atMs + hour });
      assert.deepEqual(again.changedClusters, []);
      assert.deepEqual(await store.desiredSets.current(cluster, signal), before);
      assert.equal((await store.applications.find("web", signal))?.changedAtMs, atMs);
    });

    it("moves a cluster's version once, however many of its applications change", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      const { changedClusters } = await publish(store, [
        write("web-a", a, bundle),
        write("api-a", a, bundle),
        write("web-b", b, bundle),
      ]);
      assert.deepEqual(changedClusters.toSorted(), [a, b].toSorted());
      assert.deepEqual(await store.desiredSets.current(a, signal), {
        version: 1,
        root: desiredRoot(
          new Map(["api-a", "web-a"].map((name) => [name, desiredDigest(entry(name, bundle))])),
        ),
      });
    });

    it("keeps what is offered when only the application's problem changes", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle)]);
      await record(store, cluster, [report("web")]);
      const problem = { code: "WH-RND-3401", message: "kind is missing", sinceMs: atMs };
      const record_ = draft("web", { clusterId: cluster, bundle, problem });
      const { changedClusters } = await publish(store, [
        { kind: "write", record: record_, desired: undefined, leaves: undefined },
      ]);
      assert.deepEqual(changedClusters, []);
      const found = await store.applications.find("web", signal);
      assert.deepEqual(found?.problem, problem);
      assert.equal(found?.status.syncStatus, "Synced");
      const [published] = await store.publishing.published(setOrigin("web"), signal);
      assert.deepEqual(published?.desired, { cluster, entry: entry("web", bundle) });
    });

    it("keeps an application where it runs while its destination is unknown", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle)]);
      await record(store, cluster, [report("web")]);
      await publish(store, [
        { kind: "write", record: draft("web", { bundle }), desired: undefined, leaves: undefined },
      ]);
      const found = await store.applications.find("web", signal);
      assert.deepEqual([found?.cluster, found?.status.syncStatus], ["a", "Synced"]);
      const [published] = await store.publishing.published(setOrigin("web"), signal);
      assert.equal(published?.draft.clusterId, undefined);
    });

    it("keeps the status of an application that is published again, save that it is synced no more", async (store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      await record(store, cluster, [report("web", { resources: [configMap("one")] })]);
      const next = await putBundle(store, { one: 2 });
      await publish(store, [write("web", cluster, next, { entry: { generation: 2 } })], {
        atMs: atMs + hour,
      });
      const found = await store.applications.find("web", signal);
      assert.deepEqual(
        [found?.generation, found?.status.appliedGeneration, found?.status.syncStatus],
        [2, 1, "OutOfSync"],
      );
      assert.deepEqual([found?.createdAtMs, found?.changedAtMs], [atMs, atMs + hour]);
      assert.equal((await store.applications.resources("web", signal)).length, 1);
    });

    it("resets the status of an application that moves, and leaves a tombstone", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", a, bundle)]);
      await record(store, a, [report("web", { resources: [configMap("one")] })]);
      const leaves = tombstone("web", a, { cause: "destination-changed" });
      const { changedClusters } = await publish(store, [write("web", b, bundle, { leaves })]);
      assert.deepEqual(changedClusters.toSorted(), [a, b].toSorted());
      const found = await store.applications.find("web", signal);
      assert.deepEqual([found?.cluster, found?.status.syncStatus], ["b", "Unknown"]);
      assert.deepEqual(await store.applications.resources("web", signal), []);
      const change = await store.desiredSets.changeSince(a, 1, signal);
      assert.deepEqual(change?.tombstones, [
        {
          application: "web",
          generation: 2,
          cause: "destination-changed",
          actor: "c2",
          keepObjects: false,
        },
      ]);
    });

    it("says with whose rights an application is looked after, and removed", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      const acting = { serviceAccount: "web:deployer" as ServiceAccount };
      await publish(store, [write("web", a, bundle, { entry: acting })]);
      await publish(store, [write("api", b, bundle)]);
      const offered = async (cluster: typeof a) =>
        (await store.desiredSets.changeSince(cluster, 0, signal))?.upserts;
      assert.deepEqual(await offered(a), [entry("web", bundle, acting)]);
      assert.deepEqual(await offered(b), [entry("api", bundle)]);
      const { root } = await store.desiredSets.current(a, signal);
      assert.equal(
        root,
        desiredRoot(new Map([["web", desiredDigest(entry("web", bundle, acting))]])),
      );
      await publish(store, [remove("web", a), remove("api", b)]);
      const removed = async (cluster: typeof a) =>
        (await store.desiredSets.changeSince(cluster, 1, signal))?.tombstones;
      assert.equal((await removed(a))?.[0]?.serviceAccount, "web:deployer");
      assert.ok(!Object.hasOwn((await removed(b))?.[0] ?? {}, "serviceAccount"));
    });

    it("does not let an application leave a cluster without a tombstone", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", a, bundle)]);
      await assert.rejects(publish(store, [write("web", b, bundle)]), TypeError);
      await assert.rejects(publish(store, [remove("web", undefined)]), TypeError);
      await assert.rejects(publish(store, [remove("web", b)]), TypeError);
      assert.equal((await store.desiredSets.current(a, signal)).version, 1);
    });

    it("writes everything of a publication or nothing", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      const before = await store.events.latest(signal);
      await assert.rejects(
        publish(
          store,
          [write("good", cluster, bundle), write("bad", cluster, digest("no such bundle"))],
          {
            set: setRecord("web"),
            events: [{ kind: "set-changed", subject: "web", cluster: "", message: "" }],
          },
        ),
      );
      assert.equal(await store.applications.find("good", signal), undefined);
      assert.equal(await store.applicationSets.find("web", signal), undefined);
      assert.equal((await store.desiredSets.current(cluster, signal)).version, 0);
      assert.equal(await store.events.latest(signal), before);
      const [whole] = await store.fleet.summary(undefined, signal);
      assert.equal(whole?.applications.total, 0);
    });

    it("remembers how far the rollout of a set is", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      const status = (application: string, state: RolloutStatus["status"]): RolloutStatus => ({
        application: application as ApplicationName,
        status: state,
        step: 2,
        message: "as told",
        targetRevisions: ["c1", "c2"],
        sinceMs: atMs,
      });
      const written = [status("api", "Healthy"), status("web", "Waiting")];
      const rollout = { kind: "changed", written, dropped: [] } as const;
      const set = { ...setRecord("web"), rolloutIssue: "Steps [1] have no applications" };
      await publish(store, [write("web", cluster, bundle)], { set, rollout });
      const { statuses, reported, leaving } = await store.publishing.rollout("web", signal);
      assert.deepEqual([statuses, [...reported.keys()], [...leaving]], [written, ["web"], []]);
      assert.equal(
        (await store.applicationSets.find("web", signal))?.rolloutIssue,
        set.rolloutIssue,
      );
      assert.deepEqual(await store.applicationSets.rollout("web", 1, signal), written.slice(0, 1));
      const next = status("web", "Pending");
      await publish(store, [], {
        rollout: { kind: "changed", written: [next], dropped: ["api" as ApplicationName] },
      });
      assert.deepEqual((await store.publishing.rollout("web", signal)).statuses, [next]);

      await publish(store, [remove("web", cluster)]);
      assert.deepEqual([...(await store.publishing.rollout("web", signal)).leaving], ["web"]);
      await publish(store, [], { set: "removed" });
      assert.deepEqual((await store.publishing.rollout("web", signal)).statuses, []);
    });

    it("takes resources and status along when it removes an application", async (store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      await record(store, cluster, [report("web", { resources: [deployment("one", ["nginx"])] })]);
      await publish(store, [remove("web", cluster)]);
      assert.equal(await store.applications.find("web", signal), undefined);
      assert.deepEqual(await store.applications.resources("web", signal), []);
      const resources = await store.fleet.resources({}, { limit: 9, after: undefined }, signal);
      assert.deepEqual(resources.items, []);
      assert.deepEqual(await store.publishing.published(setOrigin("web"), signal), []);
    });

    it("removes what it does not know without a word", async (store) => {
      const cluster = await addCluster(store, "a");
      assert.deepEqual(await publish(store, [remove("web", cluster)]), { changedClusters: [] });
    });

    it("passes over a cluster that was removed meanwhile", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await store.clusters.remove(clusterName("a"), "ann", atMs, signal);
      assert.deepEqual(await publish(store, [write("web", cluster, bundle)]), {
        changedClusters: [],
      });
      const found = await store.applications.find("web", signal);
      assert.equal(found?.cluster, undefined);
      const [published] = await store.publishing.published(setOrigin("web"), signal);
      assert.deepEqual([published?.desired, published?.draft.clusterId], [undefined, undefined]);
      assert.deepEqual(await publish(store, [remove("web", cluster)]), { changedClusters: [] });
    });

    it("never lets a generation go back in a cluster", async (store) => {
      const cluster = await addCluster(store, "a");
      const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
      const generation = async () =>
        (await store.publishing.published(setOrigin("web"), signal))[0]?.desired?.entry.generation;
      await publish(store, [write("web", cluster, one, { entry: { generation: 5 } })]);
      await publish(store, [write("web", cluster, two, { entry: { generation: 5 } })]);
      assert.equal(await generation(), 6);
      assert.equal((await store.applications.find("web", signal))?.generation, 6);
      await publish(store, [remove("web", cluster)]);
      const gone = await store.desiredSets.changeSince(cluster, 2, signal);
      assert.equal(gone?.tombstones[0]?.generation, 7);
      await publish(store, [write("web", cluster, one)]);
      assert.equal(await generation(), 8);
      await publish(store, [remove("web", cluster)]);
      await store.desiredSets.recordRemoved(cluster, app("web"), 9, atMs, signal);
      assert.equal(await store.desiredSets.forgetTombstones(atMs + 1, signal), 1);
      await publish(store, [write("web", cluster, one)]);
      assert.equal(await generation(), 10);
    });

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
  });

  suite(`${title}: application sets`, () => {
    it("are listed by name and filtered by project, trouble and part of the name", async (store) => {
      const problem = { code: "WH-GEN-3101", message: "broken", sinceMs: atMs };
      for (const set of [
        setRecord("web-front"),
        setRecord("api", { project: "core" }),
        setRecord("web-back", { project: "core", problem }),
      ])
        await publish(store, [], { origin: setOrigin(set.name), set });
      const names = async (filter: Parameters<Store["applicationSets"]["list"]>[0]) =>
        (
          await store.applicationSets.list(filter, { limit: 9, after: undefined }, signal)
        ).items.map(({ name }) => name);
      assert.deepEqual(await names({}), ["api", "web-back", "web-front"]);
      assert.deepEqual(await names({ project: "core" }), ["api", "web-back"]);
      assert.deepEqual(await names({ troubled: true }), ["web-back"]);
      assert.deepEqual(await names({ text: "Web" }), ["web-back", "web-front"]);
      assert.deepEqual(await names({ text: "web", project: "core" }), ["web-back"]);
      const list = (page: { limit: number; after: string | undefined }) =>
        store.applicationSets.list({}, page, signal);
      assert.equal((await allPages(list, 1)).length, 3);
    });
  });

  suite(`${title}: desired sets`, () => {
    it("are empty at version 0", async (store) => {
      const cluster = await addCluster(store, "a");
      const empty = { version: 0, root: desiredRoot(new Map()) };
      assert.deepEqual(await store.desiredSets.current(cluster, signal), empty);
      assert.deepEqual(await store.desiredSets.current(clusterId("nobody"), signal), empty);
    });

    it("give what changed since a version", async (store) => {
      const cluster = await addCluster(store, "a");
      const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
      await publish(store, [write("web", cluster, one), write("api", cluster, one)]);
      await publish(store, [write("web", cluster, two, { entry: { generation: 2 } })]);
      await publish(store, [remove("api", cluster)]);
      const { root } = await store.desiredSets.current(cluster, signal);
      const since = (base: number) => store.desiredSets.changeSince(cluster, base, signal);
      const web = entry("web", two, { generation: 2 });
      const { cluster: _, ...api } = tombstone("api", cluster);
      const rest = { target: 3, root, strays: [] };
      assert.deepEqual(await since(0), { base: 0, upserts: [web], tombstones: [api], ...rest });
      assert.deepEqual(await since(2), { base: 2, upserts: [], tombstones: [api], ...rest });
      assert.deepEqual(await since(3), { base: 3, upserts: [], tombstones: [], ...rest });
      assert.equal(await since(4), undefined);
      assert.equal(root, desiredRoot(new Map([["web", desiredDigest(web)]])));
    });

    it("give an application that came back instead of its tombstone", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle)]);
      await publish(store, [remove("web", cluster)]);
      await publish(store, [write("web", cluster, bundle)]);
      const change = await store.desiredSets.changeSince(cluster, 1, signal);
      assert.deepEqual(change?.tombstones, []);
      assert.deepEqual(change?.upserts, [entry("web", bundle, { generation: 3 })]);
    });

    it("refuse a delta that would need a forgotten tombstone", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle)]);
      await publish(store, [remove("web", cluster)]);
      const forget = () => store.desiredSets.forgetTombstones(atMs + 1, signal);
      assert.equal(await forget(), 0, "a tombstone nobody carried out stays");
      await store.desiredSets.recordRemoved(cluster, app("web"), 2, atMs, signal);
      assert.equal(await forget(), 1);
      assert.equal(await store.desiredSets.changeSince(cluster, 1, signal), undefined);
      assert.notEqual(await store.desiredSets.changeSince(cluster, 2, signal), undefined);
    });

    it("compare with what a spoke holds, entry by entry", async (store) => {
      const cluster = await addCluster(store, "a");
      const [one, two] = [await putBundle(store, { one: 1 }), await putBundle(store, { one: 2 })];
      await publish(store, [
        write("same", cluster, one),
        write("old", cluster, two, { entry: { generation: 2 } }),
        write("new", cluster, one),
        write("gone", cluster, one),
        write("done", cluster, one),
      ]);
      await publish(store, [remove("gone", cluster), remove("done", cluster)]);
      await store.desiredSets.recordRemoved(cluster, app("done"), 2, atMs, signal);
      const held = new Map([
        [app("same"), desiredDigest(entry("same", one))],
        [app("old"), desiredDigest(entry("old", one))],
        [app("stray"), digest("stray")],
      ]);
      const change = await store.desiredSets.changeAgainst(cluster, held, signal);
      const { version, root } = await store.desiredSets.current(cluster, signal);
      assert.deepEqual([change.base, change.target, change.root], [0, version, root]);
      assert.deepEqual(
        change.upserts.map(({ application }) => application),
        ["new", "old"],
      );
      assert.deepEqual(
        change.tombstones.map(({ application }) => application),
        ["gone"],
        "one that is not held but was never carried out, and not the one that was",
      );
      assert.deepEqual(change.strays, ["stray"]);
    });

    it("order a spoke with an old disk to remove what it held, carried out or not", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle)]);
      await publish(store, [remove("web", cluster)]);
      await store.desiredSets.recordRemoved(cluster, app("web"), 2, atMs, signal);
      const held = new Map([[app("web"), desiredDigest(entry("web", bundle))]]);
      const change = await store.desiredSets.changeAgainst(cluster, held, signal);
      assert.deepEqual(
        change.tombstones.map(({ application }) => application),
        ["web"],
      );
      assert.deepEqual(change.strays, []);
    });

    it("show what the spoke has stored", async (store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      const { version, root } = await store.desiredSets.current(cluster, signal);
      await store.desiredSets.recordStored(cluster, version, digest("other"), atMs, signal);
      assert.equal((await store.clusters.find("a", signal))?.storedVersion, 0);
      await store.desiredSets.recordStored(cluster, version, root, atMs + 3, signal);
      const found = await store.clusters.find("a", signal);
      assert.deepEqual([found?.storedVersion, found?.lastSeenAtMs], [1, atMs + 3]);
    });

    it("name the blobs a cluster lacks, smallest first and within the limits", async (store) => {
      const cluster = await addCluster(store, "a");
      const content = { small: "1", middle: "m".repeat(400), large: "l".repeat(5_000) };
      await publish(store, [write("web", cluster, await putBundle(store, content))]);
      const lacking = async (blobBytesMost: number, totalBytesMost: number) =>
        (
          await store.desiredSets.lackingBlobs(
            cluster,
            [app("web")],
            { blobBytesMost, totalBytesMost },
            signal,
          )
        ).map(({ bytes }) => bytes.byteLength);
      const all = await lacking(100_000, 100_000);
      assert.equal(all.length, 4, "three objects and the list");
      assert.deepEqual(
        all,
        all.toSorted((left, right) => left - right),
      );
      assert.equal((await lacking(1_000, 100_000)).length, 3);
      const two = (all[0] ?? 0) + (all[1] ?? 0);
      assert.equal((await lacking(100_000, two)).length, 2);
      assert.equal((await lacking(100_000, two - 1)).length, 1);
    });

    it("do not count what was stored for the application as lacking", async (store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1, two: 2 }))]);
      const stored = await store.desiredSets.current(cluster, signal);
      await store.desiredSets.recordStored(cluster, stored.version, stored.root, atMs, signal);
      const next = bundleOf({ one: 1, two: 3 });
      await putBundle(store, { one: 1, two: 3 });
      await publish(store, [write("web", cluster, next.digest, { entry: { generation: 2 } })]);
      const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
      const lacking = async () =>
        (await store.desiredSets.lackingBlobs(cluster, [app("web")], limits, signal))
          .map(({ digest }) => digest)
          .toSorted();
      const changed = blobOf({ kind: "ConfigMap", name: "two", data: 3 }).digest;
      assert.deepEqual(await lacking(), [changed, next.digest].toSorted());
      await openSession(store, cluster, { heldVersion: 0 });
      assert.equal((await lacking()).length, 3, "a spoke with an empty disk lacks everything");
    });

    it("believe a spoke whose acknowledgement was lost", async (store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      await openSession(store, cluster, { heldVersion: 1 });
      assert.equal((await store.clusters.find("a", signal))?.storedVersion, 1);
      const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
      assert.deepEqual(
        await store.desiredSets.lackingBlobs(cluster, [app("web")], limits, signal),
        [],
      );
    });

    it("are apart: one cluster's never show another's", async (store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", a, bundle)]);
      assert.equal((await store.desiredSets.current(b, signal)).version, 0);
      const change = await store.desiredSets.changeAgainst(b, new Map(), signal);
      assert.deepEqual([change.upserts, change.tombstones], [[], []]);
      const limits = { blobBytesMost: 10_000, totalBytesMost: 10_000 };
      assert.deepEqual(await store.desiredSets.lackingBlobs(b, [app("web")], limits, signal), []);
    });
  });

  suite(`${title}: reports`, () => {
    it("an application whose cluster has not got the newest generation is not Synced, in every count", async (store) => {
      const id = await addCluster(store, "dev-1");
      const [one, two] = [await putBundle(store, { a: 1 }), await putBundle(store, { a: 2 })];
      await publish(store, [write("web", id, one)]);
      await record(store, id, [report("web")]);
      assert.equal((await store.applications.find("web", signal))?.status.syncStatus, "Synced");
      await publish(store, [write("web", id, two)]);
      const statuses = async () => ({
        found: (await store.applications.find("web", signal))?.status.syncStatus,
        summary: (await store.fleet.summary(undefined, signal))[0]?.applications.sync,
      });
      const behind = { found: "OutOfSync", summary: { OutOfSync: 1 } };
      assert.deepEqual(await statuses(), behind);
      // A report that was under way when the generation rose knows nothing of it.
      await record(store, id, [report("web", { healthyGeneration: 0 })]);
      assert.deepEqual(await statuses(), behind);
      await record(store, id, [report("web", { storedGeneration: 2, appliedGeneration: 2 })]);
      assert.deepEqual(await statuses(), { found: "Synced", summary: { Synced: 1 } });
    });

    const running = async (store: Store) => {
      const cluster = await addCluster(store, "a");
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      return cluster;
    };

    it("become the application's status and resources", async (store) => {
      const cluster = await running(store);
      const full = report("web", {
        syncStatus: "OutOfSync",
        health: { state: "Degraded", message: "image cannot be pulled" },
        operation: {
          phase: "Running",
          generation: 1,
          message: "",
          startedAtMs: atMs,
          finishedAtMs: undefined,
        },
        conditions: [{ code: "WH-APP-1017", message: "not ours" }],
        resources: [
          configMap("one", { awaitsPrune: true }),
          deployment("web", ["nginx:1", "sidecar"]),
        ],
      });
      await record(store, cluster, [full]);
      const { application: _, resources, ...said } = full;
      const found = await store.applications.find("web", signal);
      assert.deepEqual(found?.status, { ...said, reportedAtMs: atMs });
      assert.deepEqual(await store.applications.resources("web", signal), resources);
    });

    it("replace older ones whole", async (store) => {
      const cluster = await running(store);
      await record(store, cluster, [
        report("web", { resources: [configMap("one"), deployment("web", ["nginx:1"])] }),
      ]);
      const next = [configMap("two"), deployment("web", ["nginx:2"])];
      await record(store, cluster, [report("web", { resources: next })]);
      assert.deepEqual(await store.applications.resources("web", signal), next);
      const running1 = await store.fleet.resources(
        { image: "nginx:1" },
        { limit: 9, after: undefined },
        signal,
      );
      assert.deepEqual(running1.items, []);
    });

    it("of applications that are not offered to the cluster are ignored", async (store) => {
      const cluster = await running(store);
      const other = await addCluster(store, "b");
      await record(store, other, [report("web"), report("nobody")]);
      assert.equal((await store.applications.find("web", signal))?.status.syncStatus, "Unknown");
      await record(store, cluster, [report("web")]);
      await record(store, other, [], ["web"]);
      assert.equal((await store.applications.find("web", signal))?.status.syncStatus, "Synced");
      await record(store, clusterId("nobody"), [report("web")]);
    });

    it("make an event when sync status or health changes, and only then", async (store) => {
      const cluster = await running(store);
      const from = await store.events.latest(signal);
      await record(store, cluster, [report("web")]);
      await record(store, cluster, [report("web")]);
      await record(store, cluster, [report("web", { health: { state: "Healthy", message: "x" } })]);
      await record(store, cluster, [report("web", { storedGeneration: 2 })]);
      assert.deepEqual(await newsSince(store, from), ["application-status web"]);
      await record(store, cluster, [report("web", { syncStatus: "OutOfSync" })]);
      const events = await store.events.since(from, 10, signal);
      assert.equal(events.length, 2);
      assert.deepEqual(
        [events[1]?.cluster, events[1]?.message],
        ["a", "OutOfSync and Healthy, was Synced and Healthy"],
      );
    });

    it("of applications that are gone reset them", async (store) => {
      const cluster = await running(store);
      await record(store, cluster, [report("web", { resources: [configMap("one")] })]);
      await record(store, cluster, [], ["web"]);
      const found = await store.applications.find("web", signal);
      assert.deepEqual(
        [found?.status.syncStatus, found?.status.reportedAtMs],
        ["Unknown", undefined],
      );
      assert.deepEqual(await store.applications.resources("web", signal), []);
    });

    it("have a root over what is held", async (store) => {
      const cluster = await running(store);
      assert.equal(await store.reports.statusRoot(cluster, signal), desiredRoot(new Map()));
      const said = report("web", { resources: [configMap("one")] });
      await record(store, cluster, [said]);
      assert.equal(
        await store.reports.statusRoot(cluster, signal),
        desiredRoot(new Map([["web", reportDigest(said)]])),
      );
      await record(store, cluster, [], ["web"]);
      assert.equal(await store.reports.statusRoot(cluster, signal), desiredRoot(new Map()));
    });

    it("of many clusters are one batch", async (store) => {
      const bundle = await putBundle(store, { one: 1 });
      const names = ["a", "b", "c"];
      for (const name of names)
        await publish(store, [write(`web-${name}`, await addCluster(store, name), bundle)]);
      await store.reports.record(
        names.map((name) => ({
          cluster: clusterId(name),
          applications: [report(`web-${name}`)],
          gone: [],
        })),
        atMs,
        signal,
      );
      const [whole] = await store.fleet.summary(undefined, signal);
      assert.deepEqual(whole?.applications, {
        total: 3,
        sync: { Synced: 3 },
        health: { Healthy: 3 },
      });
    });
  });

  suite(`${title}: applications`, () => {
    /** Six applications: web and api in dev-1 and prod-1, one nowhere, one plain. */
    const fleet = async (store: Store) => {
      const dev = await addCluster(store, "dev-1", { env: "dev" });
      const prod = await addCluster(store, "prod-1", { env: "prod", ring: "3" });
      const bundle = await putBundle(store, { one: 1 });
      const problem = { code: "WH-DST-3501", message: "no such cluster", sinceMs: atMs };
      await publish(store, [
        write("web-dev-1", dev, bundle, { draft: { labels: { tier: "front", size: "1" } } }),
        write("web-prod-1", prod, bundle, { draft: { labels: { tier: "front", size: "5" } } }),
        {
          kind: "write",
          record: draft("web-nowhere", { problem }),
          desired: undefined,
          leaves: undefined,
        },
      ]);
      const api = { origin: setOrigin("api"), project: "core", labels: { tier: "back" } };
      await publish(
        store,
        [
          write("api-dev-1", dev, bundle, { draft: api }),
          write("api-prod-1", prod, bundle, { draft: api, entry: { revision: "c9" } }),
        ],
        { origin: setOrigin("api"), atMs: atMs + 1 },
      );
      const origin = plainOrigin("tool");
      await publish(store, [write("tool", dev, bundle, { draft: { origin } })], {
        origin,
        atMs: atMs + 2,
      });
      await record(store, dev, [
        report("web-dev-1"),
        report("api-dev-1", { health: { state: "Degraded", message: "" } }),
      ]);
      await record(store, prod, [report("web-prod-1", { syncStatus: "OutOfSync" })]);
    };
    type Filter = Parameters<Store["applications"]["list"]>[0];
    type Sort = Parameters<Store["applications"]["list"]>[1];
    const byName: Sort = { by: "name", descending: false };

    const rows: readonly { readonly filter: Filter; readonly expect: readonly string[] }[] = [
      {
        filter: {},
        expect: ["api-dev-1", "api-prod-1", "tool", "web-dev-1", "web-nowhere", "web-prod-1"],
      },
      { filter: { cluster: "dev-1" }, expect: ["api-dev-1", "tool", "web-dev-1"] },
      { filter: { cluster: "no-such" }, expect: [] },
      { filter: { cluster: "" }, expect: [] },
      { filter: { set: "api" }, expect: ["api-dev-1", "api-prod-1"] },
      { filter: { set: "tool" }, expect: [] },
      { filter: { project: "core" }, expect: ["api-dev-1", "api-prod-1"] },
      { filter: { revision: "c9" }, expect: ["api-prod-1"] },
      { filter: { troubled: true }, expect: ["web-nowhere"] },
      { filter: { syncStatus: ["Synced"] }, expect: ["api-dev-1", "web-dev-1"] },
      {
        filter: { syncStatus: ["Synced", "OutOfSync"], cluster: "prod-1" },
        expect: ["web-prod-1"],
      },
      { filter: { syncStatus: [] }, expect: [] },
      { filter: { health: ["Degraded"] }, expect: ["api-dev-1"] },
      {
        filter: { health: ["Healthy", "Degraded"] },
        expect: ["api-dev-1", "web-dev-1", "web-prod-1"],
      },
      { filter: { text: "WEB" }, expect: ["web-dev-1", "web-nowhere", "web-prod-1"] },
      { filter: { text: "d-1" }, expect: ["api-prod-1", "web-prod-1"] },
      { filter: { text: "oo" }, expect: ["tool"] },
      { filter: { text: "_" }, expect: [] },
      { filter: { text: 'a"b' }, expect: [] },
      {
        filter: { selector: [{ key: "tier", operator: "In", values: ["front"] }] },
        expect: ["web-dev-1", "web-prod-1"],
      },
      {
        filter: { selector: [{ key: "size", operator: "Gt", values: ["1"] }] },
        expect: ["web-prod-1"],
      },
      {
        filter: { selector: [{ key: "tier", operator: "DoesNotExist", values: [] }] },
        expect: ["tool", "web-nowhere"],
      },
      {
        filter: { clusterSelector: [{ key: "env", operator: "In", values: ["prod"] }] },
        expect: ["api-prod-1", "web-prod-1"],
      },
      {
        filter: { clusterSelector: [{ key: "ring", operator: "DoesNotExist", values: [] }] },
        expect: ["api-dev-1", "tool", "web-dev-1"],
      },
      {
        filter: {
          clusterSelector: [{ key: "env", operator: "Exists", values: [] }],
          selector: [{ key: "tier", operator: "NotIn", values: ["front"] }],
          text: "1",
        },
        expect: ["api-dev-1", "api-prod-1"],
      },
    ];
    it("are found by every filter, in every order, in pages of any size", async (store) => {
      await fleet(store);
      for (const { filter, expect } of rows) {
        for (const by of ["name", "cluster", "health", "sync", "changed"] as const) {
          for (const descending of [false, true]) {
            const list = (page: { limit: number; after: string | undefined }) =>
              store.applications.list(filter, { by, descending }, page, signal);
            for (const limit of [1, 2, 100]) {
              const names = (await allPages(list, limit)).map(({ name }) => name);
              const label = `${JSON.stringify(filter)} by ${by}, ${limit} at a time`;
              assert.deepEqual(names.toSorted(), expect, label);
            }
          }
        }
      }
    });

    const orders: readonly { readonly sort: Sort; readonly expect: readonly string[] }[] = [
      {
        sort: { by: "name", descending: true },
        expect: ["web-prod-1", "web-nowhere", "web-dev-1", "tool", "api-prod-1", "api-dev-1"],
      },
      {
        sort: { by: "cluster", descending: false },
        expect: ["web-nowhere", "api-dev-1", "tool", "web-dev-1", "api-prod-1", "web-prod-1"],
      },
      {
        sort: { by: "health", descending: true },
        expect: ["web-nowhere", "tool", "api-prod-1", "api-dev-1", "web-prod-1", "web-dev-1"],
      },
      {
        sort: { by: "sync", descending: false },
        expect: ["api-dev-1", "web-dev-1", "web-prod-1", "api-prod-1", "tool", "web-nowhere"],
      },
      {
        sort: { by: "changed", descending: true },
        expect: ["tool", "api-prod-1", "api-dev-1", "web-prod-1", "web-nowhere", "web-dev-1"],
      },
    ];
    for (const { sort, expect } of orders) {
      it(`are sorted by ${sort.by}${sort.descending ? ", last first" : ""}`, async (store) => {
        await fleet(store);
        const list = (page: { limit: number; after: string | undefined }) =>
          store.applications.list({}, sort, page, signal);
        assert.deepEqual(
          (await allPages(list, 2)).map(({ name }) => name),
          expect,
        );
      });
    }

    it("refuse a cursor of another order", async (store) => {
      await fleet(store);
      const first = await store.applications.list(
        {},
        byName,
        { limit: 1, after: undefined },
        signal,
      );
      const page = { limit: 1, after: first.next };
      for (const sort of [
        { by: "changed", descending: false },
        { by: "name", descending: true },
      ] as const)
        await assert.rejects(
          async () => store.applications.list({}, sort, page, signal),
          BadCursor,
        );
      await assert.rejects(async () => store.clusters.list({}, page, signal), BadCursor);
    });

    it("lose labels that Git no longer has", async (store) => {
      const cluster = await addCluster(store, "a");
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web", cluster, bundle, { draft: { labels: { tier: "x" } } })]);
      await publish(store, [write("web", cluster, bundle)]);
      const page = await store.applications.list(
        { selector: [{ key: "tier", operator: "Exists", values: [] }] },
        byName,
        { limit: 9, after: undefined },
        signal,
      );
      assert.deepEqual(page.items, []);
      assert.deepEqual((await store.applications.find("web", signal))?.labels, {});
    });
  });

  suite(`${title}: fleet`, () => {
    it("is summed up without and with a label, the rest under the empty value", async (store) => {
      const bundle = await putBundle(store, { one: 1 });
      for (const [name, labels] of [
        ["d1", { env: "dev" }],
        ["d2", { env: "dev" }],
        ["p1", { env: "prod" }],
        ["x1", {}],
        ["e1", { env: "" }],
      ] as const) {
        const cluster = await addCluster(store, name, labels);
        await publish(store, [write(`web-${name}`, cluster, bundle)]);
      }
      await publish(store, [
        { kind: "write", record: draft("nowhere"), desired: undefined, leaves: undefined },
      ]);
      await openSession(store, clusterId("d1"));
      await openSession(store, clusterId("x1"));
      await record(store, clusterId("d1"), [report("web-d1")]);
      const unknown = (total: number) => ({
        total,
        sync: { Unknown: total },
        health: { Unknown: total },
      });
      assert.deepEqual(await store.fleet.summary("env", signal), [
        { value: "", clusters: { total: 2, attached: 1 }, applications: unknown(3) },
        {
          value: "dev",
          clusters: { total: 2, attached: 1 },
          applications: {
            total: 2,
            sync: { Synced: 1, Unknown: 1 },
            health: { Healthy: 1, Unknown: 1 },
          },
        },
        { value: "prod", clusters: { total: 1, attached: 0 }, applications: unknown(1) },
      ]);
      const [whole, ...more] = await store.fleet.summary(undefined, signal);
      assert.deepEqual(more, []);
      assert.deepEqual(whole?.clusters, { total: 5, attached: 2 });
      assert.equal(whole?.applications.total, 6);
    });

    it("is one empty group when there is nothing", async (store) => {
      const nothing = {
        value: "",
        clusters: { total: 0, attached: 0 },
        applications: { total: 0, sync: {}, health: {} },
      };
      assert.deepEqual(await store.fleet.summary(undefined, signal), [nothing]);
      assert.deepEqual(await store.fleet.summary("env", signal), []);
    });

    it("moves the counts of a cluster that is relabelled", async (store) => {
      const cluster = await addCluster(store, "a", { env: "dev" });
      await openSession(store, cluster);
      await publish(store, [write("web", cluster, await putBundle(store, { one: 1 }))]);
      await store.clusters.setMetadata(clusterName("a"), { labels: { env: "prod" } }, atMs, signal);
      const groups = await store.fleet.summary("env", signal);
      assert.deepEqual(
        groups.map(({ value, clusters, applications }) => [value, clusters, applications.total]),
        [["prod", { total: 1, attached: 1 }, 1]],
      );
    });

    const resources = async (store: Store) => {
      const [a, b] = [await addCluster(store, "a"), await addCluster(store, "b")];
      const bundle = await putBundle(store, { one: 1 });
      await publish(store, [write("web-a", a, bundle), write("web-b", b, bundle)]);
      await record(store, a, [
        report("web-a", {
          resources: [
            configMap("settings"),
            deployment("web", ["docker.io/nginx:1.27", "docker.io/nginx:1.27-debug"]),
          ],
        }),
      ]);
      await record(store, b, [
        report("web-b", {
          resources: [
            configMap("settings", { syncStatus: "OutOfSync" }),
            { ...deployment("web", ["docker.io/nginx:1.28", "envoy:2"]), health: "Degraded" },
          ],
        }),
      ]);
    };
    const resourceRows = [
      { filter: {}, expect: ["a settings", "a web", "b settings", "b web"] },
      { filter: { image: "docker.io/nginx:1.27" }, expect: ["a web"] },
      { filter: { image: "docker.io/nginx:*" }, expect: ["a web", "b web"] },
      { filter: { image: "nginx" }, expect: [] },
      { filter: { image: "*" }, expect: ["a web", "b web"] },
      { filter: { image: "docker.io/nginx:1.2*", cluster: "b" }, expect: ["b web"] },
      { filter: { kind: "ConfigMap" }, expect: ["a settings", "b settings"] },
      { filter: { group: "apps" }, expect: ["a web", "b web"] },
      { filter: { group: "" }, expect: ["a settings", "b settings"] },
      { filter: { name: "web", namespace: "web" }, expect: ["a web", "b web"] },
      { filter: { namespace: "other" }, expect: [] },
      { filter: { cluster: "a" }, expect: ["a settings", "a web"] },
      { filter: { cluster: "nobody" }, expect: [] },
      { filter: { application: "web-b", kind: "ConfigMap" }, expect: ["b settings"] },
      { filter: { health: ["Degraded"] }, expect: ["b web"] },
      { filter: { health: ["Healthy"] }, expect: ["a web"] },
      { filter: { health: ["Healthy", "Degraded"] }, expect: ["a web", "b web"] },
      { filter: { health: [] }, expect: [] },
    ] as const;
    it("answers which clusters run what, in pages of any size", async (store) => {
      await resources(store);
      for (const { filter, expect } of resourceRows) {
        for (const limit of [1, 3, 100]) {
          const list = (page: { limit: number; after: string | undefined }) =>
            store.fleet.resources(filter, page, signal);
          const found = (await allPages(list, limit)).map(
            ({ cluster, resource }) => `${cluster} ${resource.key.split("/").at(-1) ?? ""}`,
          );
          assert.deepEqual(found, expect, JSON.stringify(filter));
        }
      }
    });

    it("gives a resource as it was reported", async (store) => {
      await resources(store);
      const page = await store.fleet.resources(
        { image: "envoy:2" },
        { limit: 1, after: undefined },
        signal,
      );
      assert.deepEqual(page, {
        items: [
          {
            cluster: "b",
            application: "web-b",
            resource: {
              ...deployment("web", ["docker.io/nginx:1.28", "envoy:2"]),
              health: "Degraded",
            },
          },
        ],
        next: undefined,
      });
    });
  });

  suite(`${title}: repositories`, () => {
    it("are remembered whole, with their events", async (store) => {
      const repository = {
        url: "https://git.example/fleet.git",
        heads: { HEAD: "c1", main: "c1" },
        fetchedAtMs: atMs,
        checkedAtMs: atMs,
        problem: undefined,
      };
      const fetched = {
        kind: "repository-fetched",
        subject: repository.url,
        cluster: "",
        message: "at c1",
      } as const;
      await store.repositories.record(repository, [fetched], atMs, signal);
      assert.deepEqual(await store.repositories.find(repository.url, signal), repository);
      assert.deepEqual(await newsSince(store, 0), [`repository-fetched ${repository.url}`]);
      const broken = {
        ...repository,
        fetchedAtMs: undefined,
        problem: { code: "WH-GIT-3001", message: "unreachable", sinceMs: atMs },
      };
      await store.repositories.record(broken, [], atMs, signal);
      assert.deepEqual(await store.repositories.list(signal), [broken]);
      assert.equal(await store.repositories.find("https://other", signal), undefined);
    });
  });

  suite(`${title}: commands`, () => {
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
  });

  suite(`${title}: tokens`, () => {
    const token = {
      id: "wht_abcdefgh",
      name: "ci",
      scope: "write" as const,
      createdAtMs: atMs,
      expiresAtMs: atMs + hour,
      revokedAtMs: undefined,
    };

    it("are found by the hash of their secret while they are good", async (store) => {
      await store.tokens.create({ ...token, secretHash: digest("s") }, signal);
      const find = (secret: string, nowMs: number) =>
        store.tokens.findBySecret(digest(secret), nowMs, signal);
      assert.deepEqual(await find("s", atMs), token);
      assert.equal(await find("t", atMs), undefined);
      assert.equal(await find("s", atMs + hour), undefined);
      assert.equal(await store.tokens.revoke(token.id, atMs + 1, signal), true);
      assert.equal(await store.tokens.revoke(token.id, atMs + 2, signal), false);
      assert.equal(await find("s", atMs), undefined);
    });

    it("are listed oldest first, without their hashes", async (store) => {
      const admin = { ...token, id: "wht_zz", createdAtMs: atMs - 1, expiresAtMs: undefined };
      await store.tokens.create({ ...token, secretHash: digest("s") }, signal);
      await store.tokens.create({ ...admin, secretHash: digest("t") }, signal);
      assert.deepEqual(await store.tokens.list(signal), [admin, token]);
    });
  });

  suite(`${title}: events`, () => {
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
  });
}
