import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Fields, Log } from "../../proto/kit/log.ts";
import { silentLog } from "../../proto/kit/log.ts";
import { createHubClient } from "../../spoke/link/client.ts";
import {
  addCluster,
  app,
  clusterName,
  publish,
  putBundle,
  signal,
  write,
} from "../contract/store/builders.ts";
import { eventually } from "../support/eventually.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { newSpokeState, realHub, runSpokeLink } from "../support/spoke-link.ts";
import {
  attachAs,
  credentialsOf,
  dialRaw,
  fetchRaw,
  openWorld,
  renewRaw,
  soon,
  type World,
} from "./world.ts";

suite("an identity that two have", () => {
  /** The identity as it was copied, and as its owner renewed and used it since. */
  async function copiedAndRenewed(world: World) {
    const cluster = await addCluster(world.store, "one");
    const bundle = await putBundle(world.store, { settings: 1 });
    await publish(world.store, [write("web", cluster, bundle)]);
    const copied = await world.enroll(cluster);
    const connection = createHubClient({ address: world.hub.address, spokeVersion: "0" }).dial(
      copied,
    );
    const renewed = await connection.renew(soon());
    connection.close();
    assert.notEqual(renewed.privateKeyPem, copied.privateKeyPem, "renewal makes a fresh key");
    const session = await attachAs(world, renewed);
    assert.equal((await session.next()).message.kind, "welcome");
    return { cluster, copied, renewed, session };
  }

  const tries = async (world: World, identity: Parameters<typeof credentialsOf>[0]) => {
    const client = dialRaw(world, credentialsOf(identity));
    try {
      return [(await fetchRaw(client, [])).code, (await renewRaw(client)).code];
    } finally {
      client.close();
    }
  };

  test("an older certificate that comes back after a newer one was used locks the cluster, both spokes out, and says so", async () => {
    const clock = fakeClock(Date.now());
    const world = await openWorld({ clock, heartbeatMs: 600_000 });
    try {
      const { cluster, copied, renewed, session } = await copiedAndRenewed(world);
      const before = await world.store.applications.find(app("web"), signal);
      // Calls begun under the old one may still come in.
      assert.deepEqual(await tries(world, copied), [undefined, undefined]);
      await clock.advance(60_001);
      assert.deepEqual(await tries(world, copied), ["WH-ID-2106", "WH-ID-2106"]);
      assert.deepEqual(await tries(world, renewed), ["WH-ID-2106", "WH-ID-2106"]);
      await clock.advance(5_000);
      await eventually(() => assert.ok(!world.hub.link.sessions.isAttached(cluster)));
      session.close();
      const record = await world.store.clusters.find(clusterName("one"), signal);
      assert.match(record?.locked?.why ?? "", /two spokes have had this identity/);
      const events = await world.store.events.since(0, 500, signal);
      assert.equal(events.filter(({ kind }) => kind === "cluster-locked").length, 1);
      // What the cluster should run, and runs, is not touched: nothing of it is removed or tombstoned.
      assert.deepEqual(await world.store.applications.find(app("web"), signal), before);
      const change = await world.store.desiredSets.changeAgainst(cluster, new Map(), signal);
      assert.deepEqual([change.upserts.length, change.tombstones.length], [1, 0]);
    } finally {
      await world.stop();
    }
  });

  test("whoever renewed first, thief or owner, the other's return is noticed", async () => {
    const clock = fakeClock(Date.now());
    const world = await openWorld({ clock, heartbeatMs: 600_000 });
    try {
      // The same story with the roles exchanged: the owner is the one with the older certificate.
      const { copied: owners, session } = await copiedAndRenewed(world);
      session.close();
      await clock.advance(120_000);
      assert.equal((await tries(world, owners))[0], "WH-ID-2106");
      assert.ok((await world.store.clusters.find(clusterName("one"), signal))?.locked);
    } finally {
      await world.stop();
    }
  });

  test("a renewal whose answer was lost locks nobody out: the older one goes on until a newer one is used", async () => {
    const clock = fakeClock(Date.now());
    const world = await openWorld({ clock, heartbeatMs: 600_000 });
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      const client = dialRaw(world, credentialsOf(identity));
      for (let lost = 0; lost < 3; lost += 1) {
        assert.equal((await renewRaw(client)).status, "OK");
        await clock.advance(300_000);
      }
      assert.equal((await fetchRaw(client, [])).status, "OK");
      client.close();
    } finally {
      await world.stop();
    }
  });

  test("joined anew, the owner's spoke comes back by itself with a fresh key, and the thief stays out", async () => {
    const clock = fakeClock(Date.now());
    const world = await openWorld({ clock, heartbeatMs: 600_000 });
    const { store, hub } = world;
    const state = newSpokeState();
    const invitation = { token: "", fingerprint: hub.authority.fingerprint };
    const cluster = await addCluster(store, "one");
    invitation.token = await world.invite(cluster);
    const spoke = runSpokeLink(state, realHub(hub.address), { invitation: () => invitation });
    try {
      await publish(store, [write("web", cluster, await putBundle(store, { settings: 1 }))]);
      hub.link.sessions.wake(cluster);
      await eventually(() => assert.equal(state.held.applications.size, 1));
      const stolen = state.identity;
      assert.ok(stolen);
      // Somebody locks it: the spoke is out, keeps what it holds, and asks again.
      await store.identities.lock(clusterName("one"), "a laptop was lost", clock.nowMs(), signal);
      hub.link.sessions.dismiss(cluster, { kind: "locked", why: "a laptop was lost" });
      await eventually(() =>
        assert.ok(spoke.log.some(({ fields }) => JSON.stringify(fields).includes("WH-ID-2106"))),
      );
      assert.equal(state.held.applications.size, 1);
      // The clear way out.
      await store.identities.cutOff(clusterName("one"), "ann", clock.nowMs(), signal);
      invitation.token = await world.invite(cluster);
      await eventually(() => assert.ok(hub.link.sessions.isAttached(cluster)));
      assert.notEqual(state.identity?.privateKeyPem, stolen.privateKeyPem);
      assert.equal(state.identity?.clusterId, cluster);
      assert.equal(state.held.applications.size, 1);
      assert.deepEqual(await tries(world, stolen), ["WH-ID-2104", "WH-ID-2104"]);
      assert.ok(hub.link.sessions.isAttached(cluster), "the thief's tries lock nobody out");
    } finally {
      await spoke.stop();
      await world.stop();
    }
  });

  test("unlocked, the spoke comes back by itself with the identity it has", async () => {
    const world = await openWorld({ trustCheckMs: 20 });
    const { store, hub } = world;
    const state = newSpokeState();
    const cluster = await addCluster(store, "one");
    const invitation = {
      token: await world.invite(cluster),
      fingerprint: hub.authority.fingerprint,
    };
    const spoke = runSpokeLink(state, realHub(hub.address), { invitation: () => invitation });
    try {
      await eventually(() => assert.ok(hub.link.sessions.isAttached(cluster)));
      const before = state.identity;
      await store.identities.lock(clusterName("one"), "a mistake", Date.now(), signal);
      await eventually(() => assert.ok(!hub.link.sessions.isAttached(cluster)));
      await store.identities.unlock(clusterName("one"), "ann", Date.now(), signal);
      await eventually(() => assert.ok(hub.link.sessions.isAttached(cluster)));
      assert.equal(state.identity, before);
    } finally {
      await spoke.stop();
      await world.stop();
    }
  });

  test("a stolen key cannot be renewed for ever: one cluster's renewals are counted", async () => {
    const lines: { readonly event: string; readonly fields: Fields | undefined }[] = [];
    const log: Log = {
      ...silentLog,
      info: (event, fields) => void lines.push({ event, fields }),
      with: () => log,
    };
    const world = await openWorld({ log, renewals: { burst: 5, perSecond: 0.001 } });
    const clients: ReturnType<typeof dialRaw>[] = [];
    try {
      const one = dialRaw(
        world,
        credentialsOf(await world.enroll(await addCluster(world.store, "one"))),
      );
      const two = dialRaw(
        world,
        credentialsOf(await world.enroll(await addCluster(world.store, "two"))),
      );
      clients.push(one, two);
      const answers: string[] = [];
      for (let round = 0; round < 8; round += 1) answers.push((await renewRaw(one)).status);
      assert.deepEqual(answers, [
        ...Array.from({ length: 5 }, () => "OK"),
        ...Array.from({ length: 3 }, () => "RESOURCE_EXHAUSTED"),
      ]);
      assert.equal((await renewRaw(two)).status, "OK");
      assert.equal(lines.filter(({ event }) => event === "certificate renewed").length, 6);
    } finally {
      for (const client of clients) client.close();
      await world.stop();
    }
  });
});
