import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import test, { after, before, suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { joinTokenBytes, makeJoinToken } from "../../../hub/domain/join/token.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import { openBlobs } from "../../../spoke/disk/blobs.ts";
import { openDesiredSet } from "../../../spoke/disk/desired-set.ts";
import { eventually } from "../../support/eventually.ts";
import { runHubLink, temporaryFolder, type RunningHubLink } from "../../support/hub-link.ts";
import {
  newSpokeState,
  realHub,
  runSpokeLink,
  type RunningSpokeLink,
} from "../../support/spoke-link.ts";
import {
  addCluster,
  app,
  clusterName,
  publish,
  putBundle,
  remove,
  report,
  signal,
  write,
} from "../store/builders.ts";

suite("the link between a real store and a real disk", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Store;
  let hub: RunningHubLink;
  let cluster: ClusterId;
  let spoke: RunningSpokeLink;
  const state = newSpokeState();

  const spokeFolder = () => join(folder.path, "spoke");

  /** A spoke on the disk as it is, with the identity it has. */
  function startSpoke(token?: string): RunningSpokeLink {
    return runSpokeLink(state, realHub(hub.address), {
      invitation: () =>
        token === undefined ? undefined : { token, fingerprint: hub.authority.fingerprint },
      disk: {
        disk: openDesiredSet(spokeFolder(), silentLog),
        blobs: openBlobs(join(spokeFolder(), "blobs"), silentLog),
      },
    });
  }

  const held = () => openDesiredSet(spokeFolder(), silentLog).read(signal);

  async function offer(content: Readonly<Record<string, number>>): Promise<void> {
    const bundle = await putBundle(store, content);
    const { changedClusters } = await publish(store, [write("web", cluster, bundle)]);
    for (const changed of changedClusters) hub.link.sessions.wake(changed);
  }

  /** The hub knows that the spoke has on its disk what it should. */
  const agreed = () =>
    eventually(async () => {
      const record = await store.clusters.findById(cluster, signal);
      assert.ok(record !== undefined && record.desiredVersion > 0);
      assert.equal(record.storedVersion, record.desiredVersion);
      assert.equal(record.connection.kind, "attached");
    });

  before(async () => {
    folder = await temporaryFolder();
    store = await openStore({ folder: join(folder.path, "store") });
    hub = await runHubLink(store, join(folder.path, "authority"), { trustCheckMs: 50 });
    cluster = await addCluster(store, "one");
    const token = makeJoinToken(randomBytes(joinTokenBytes));
    await store.enrollments.createToken(
      {
        id: token.id,
        secretHash: token.secretHash,
        cluster,
        createdAtMs: Date.now(),
        expiresAtMs: Date.now() + 60_000,
      },
      signal,
    );
    spoke = startSpoke(token.text);
  });
  after(async () => {
    await spoke.stop();
    await hub.stop();
    store.close();
    await folder.remove();
  });

  test("what is published arrives on the spoke's disk, and the hub knows it", async () => {
    await offer({ a: 1, b: 1 });
    await agreed();
    assert.deepEqual([...(await held()).applications.keys()], ["web"]);
  });

  test("a change of one object moves it alone", async () => {
    const blobs = openBlobs(join(spokeFolder(), "blobs"), silentLog);
    const before = (await held()).applications.get(app("web"));
    await offer({ a: 1, b: 2 });
    await agreed();
    const now = (await held()).applications.get(app("web"));
    assert.equal(now?.generation, (before?.generation ?? 0) + 1);
    assert.ok(now !== undefined && (await blobs.has(now.bundle, signal)));
    assert.ok(!spoke.log.some(({ level }) => level === "error"));
  });

  test("a report is what the hub then says of the application", async () => {
    spoke.loop.report(app("web"), report("web", { appliedRevision: "c9" }));
    await eventually(async () => {
      const record = await store.applications.find(app("web"), signal);
      assert.equal(record?.status.appliedRevision, "c9");
    });
  });

  test("a hub that restarts finds the spoke again, and nothing moves", async () => {
    const { port } = hub.link;
    await hub.stop();
    const before = await held();
    hub = await runHubLink(store, join(folder.path, "authority"), { port, trustCheckMs: 50 });
    await eventually(() => assert.equal(hub.link.sessions.attached, 1));
    await agreed();
    await eventually(async () => {
      const now = await held();
      assert.ok(now.epochSeen > before.epochSeen);
      assert.deepEqual({ ...now, epochSeen: 0 }, { ...before, epochSeen: 0 });
    });
  });

  test("a spoke whose disk was wiped gets everything again, with the identity it kept", async () => {
    const before = await held();
    await spoke.stop();
    await rm(spokeFolder(), { recursive: true });
    spoke = startSpoke();
    await eventually(async () =>
      assert.deepEqual((await held()).applications, before.applications),
    );
    await agreed();
  });

  test("a removal arrives as a tombstone, and is forgotten once it is known to be carried out", async () => {
    await publish(store, [remove("web", cluster)]);
    hub.link.sessions.wake(cluster);
    await agreed();
    const { applications, tombstones } = await held();
    const generation = tombstones.get(app("web"))?.generation;
    assert.ok(applications.size === 0 && generation !== undefined);
    spoke.loop.removed(app("web"), generation);
    await eventually(async () => assert.equal((await held()).tombstones.size, 0));
  });

  test("a command is executed, and its result is on record", async () => {
    await offer({ a: 3 });
    await agreed();
    const nowMs = Date.now();
    await store.commands.create(
      {
        id: "01JD0000000000000000000000",
        order: "sync",
        application: app("web"),
        cluster,
        generation: 0,
        prune: false,
        actor: "token:test",
        createdAtMs: nowMs,
        expiresAtMs: nowMs + 60_000,
      },
      signal,
    );
    hub.link.sessions.wake(cluster);
    await eventually(() => assert.equal(spoke.commands.length, 1));
    const [{ id } = { id: "" }] = spoke.commands;
    spoke.loop.commandDone({ kind: "command-result", id, succeeded: true, message: "synced" });
    await eventually(async () => {
      const record = await store.commands.find(id, signal);
      assert.equal(record?.state, "succeeded");
    });
  });

  test("a cluster that is removed loses its spoke, which keeps what it has", async () => {
    const before = await held();
    await store.clusters.remove(clusterName("one"), "token:test", Date.now(), signal);
    await eventually(() => assert.equal(spoke.loop.state().kind, "refused"));
    assert.equal(hub.link.sessions.attached, 0);
    assert.deepEqual(await held(), before);
  });
});
