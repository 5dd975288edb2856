import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { ClusterId } from "../../../proto/words/ids.ts";
import type { HubMessage } from "../../../proto/words/link-messages.ts";
import type { ApplicationReport } from "../../../proto/words/report.ts";
import { newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeLinkStore, type FakeLinkStore } from "../../support/fake-link-store.ts";
import { runHubLink, temporaryFolder } from "../../support/hub-link.ts";
import {
  newSpokeState,
  realHub,
  runSpokeLink,
  type RunningSpokeLink,
} from "../../support/spoke-link.ts";
import { attached, clientOf, codeOf, enrolled, signal, web, world, type World } from "./world.ts";

const webReport: ApplicationReport = {
  application: web,
  storedGeneration: 1,
  appliedGeneration: 1,
  healthyGeneration: 1,
  appliedRevision: "c1",
  syncStatus: "Synced",
  health: { state: "Healthy", message: "" },
  operation: undefined,
  conditions: [],
  resources: [],
};

suite("the link over TLS, from hub to spoke and back", () => {
  async function agreed(here: World, cluster: ClusterId, version: number): Promise<void> {
    await eventually(() => assert.equal(here.store.cluster(cluster).stored?.version, version));
  }

  test("a spoke enrolls, stores, follows, and survives a restart of the hub without a move", async () => {
    const store = fakeLinkStore();
    const folder = await temporaryFolder();
    let hub = await runHubLink(store, folder.path);
    const cluster = store.addCluster("one");
    store.desire(cluster, "web", [{ a: 1 }, { b: "x".repeat(40_000) }]);
    const state = newSpokeState();
    const invitation = { token: store.invite(cluster), fingerprint: hub.authority.fingerprint };
    const spoke = runSpokeLink(state, realHub(hub.address), { invitation: () => invitation });
    try {
      await agreed({ store, hub, stop: hub.stop }, cluster, 1);
      assert.equal(state.blobs.size, 3);
      store.desire(cluster, "web", [{ a: 2 }, { b: "x".repeat(40_000) }]);
      hub.link.sessions.wake(cluster);
      await agreed({ store, hub, stop: hub.stop }, cluster, 2);
      assert.equal(hub.link.sessions.attached, 1);

      const { port } = hub.link;
      await hub.stop();
      const writes = state.writes.length;
      const moves = store.calls.filter((call) => call.startsWith("desiredSets")).length;
      hub = await runHubLink(store, folder.path, { port });
      await eventually(() => {
        assert.equal(spoke.loop.state().kind, "attached");
        assert.equal(hub.link.sessions.attached, 1);
      });
      assert.deepEqual(state.writes.slice(writes), ["held"], "no more than the new epoch");
      assert.equal(store.calls.filter((call) => call.startsWith("desiredSets")).length, moves);
      assert.ok(spoke.log.some(({ event }) => event === "hub asked to come back later"));
    } finally {
      await spoke.stop();
      await hub.stop();
      await folder.remove();
    }
  });

  test("reports are on the hub's disk before they are confirmed", async () => {
    const written = Promise.withResolvers<void>();
    const store = fakeLinkStore();
    const slow: FakeLinkStore = {
      ...store,
      reports: {
        ...store.reports,
        record: async (...args) => {
          await written.promise;
          return store.reports.record(...args);
        },
      },
    };
    const here = await world({}, slow);
    const cluster = here.store.addCluster("one");
    const connection = clientOf(here).dial(await enrolled(here, cluster));
    try {
      const session = await attached(connection, signal());
      assert.equal((await session.next()).message.kind, "welcome");
      await session.stream.send(
        { kind: "report", sequence: 1, applications: [], gone: [web] },
        signal(),
      );
      let confirmed: HubMessage | undefined;
      const waiting = session.next().then(({ message }) => (confirmed = message));
      // Time for a confirmation that would come too early; the test cannot pass because of it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(confirmed, undefined);
      written.resolve();
      assert.deepEqual(await waiting, { kind: "report-recorded", sequence: 1 });
    } finally {
      connection.close();
      await here.stop();
    }
  });

  test("a spoke that does not answer costs one change, however many come", async () => {
    const here = await world();
    const cluster = here.store.addCluster("one");
    const connection = clientOf(here).dial(await enrolled(here, cluster));
    try {
      here.store.desire(cluster, "web", [{ a: 0 }]);
      const session = await attached(connection, signal());
      assert.equal((await session.next()).message.kind, "welcome");
      for (let index = 1; index <= 100; index += 1) {
        here.store.desire(cluster, "web", [{ a: index }]);
        here.hub.link.sessions.wake(cluster);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const offers = () => here.store.calls.filter((call) => call.includes("changeSince")).length;
      assert.equal(offers(), 1);
      const { message } = await session.next();
      assert.ok(message.kind === "desired");
      await session.stream.send(
        {
          kind: "ack",
          ack: { kind: "stored", version: message.change.target, root: message.change.root },
        },
        signal(),
      );
      const { message: newest } = await session.next();
      assert.ok(newest.kind === "desired");
      assert.equal(newest.change.target, 101);
      assert.equal(newest.change.upserts.length, 1);
      assert.equal(offers(), 2);
    } finally {
      connection.close();
      await here.stop();
    }
  });

  test("certificates are renewed in time, on a new connection, without losing anything", async () => {
    const here = await world({ certificateLifeMs: 4_000, trustCheckMs: 100 });
    const cluster = here.store.addCluster("one");
    const state = newSpokeState();
    const invitation = {
      token: here.store.invite(cluster),
      fingerprint: here.hub.authority.fingerprint,
    };
    const spoke = runSpokeLink(state, realHub(here.hub.address), { invitation: () => invitation });
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      const first = state.identity;
      await eventually(() => assert.ok(here.store.certificates.size >= 2));
      await eventually(() => {
        assert.notEqual(state.identity?.certificatePem, first?.certificatePem);
        assert.notEqual(state.identity?.privateKeyPem, first?.privateKeyPem);
        assert.equal(spoke.loop.state().kind, "attached");
      });
      here.store.desire(cluster, "web", [{ a: 1 }]);
      here.hub.link.sessions.wake(cluster);
      await agreed(here, cluster, 1);
      assert.ok(!spoke.log.some(({ level }) => level === "error"));
    } finally {
      await spoke.stop();
      await here.stop();
    }
  });

  test("a line that goes dead is noticed from both ends, and mended", async () => {
    const here = await world({ heartbeatMs: 150 });
    const cluster = here.store.addCluster("one");
    const line = await cuttingProxy(here.hub.address);
    const state = newSpokeState();
    const invitation = {
      token: here.store.invite(cluster),
      fingerprint: here.hub.authority.fingerprint,
    };
    const spoke: RunningSpokeLink = runSpokeLink(state, realHub(line.address), {
      invitation: () => invitation,
      pace: { welcomeLimitMs: 300 },
    });
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      line.frozen = true;
      await eventually(() => assert.ok(spoke.log.some(({ event }) => event === "hub fell silent")));
      await eventually(() => assert.equal(here.hub.link.sessions.attached, 0));
      line.frozen = false;
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
    } finally {
      await spoke.stop();
      line.stop();
      await here.stop();
    }
  });

  test("a hub that offers an older generation than is held hears again how that one is", async () => {
    const here = await world({ heartbeatMs: 60_000 });
    const cluster = here.store.addCluster("one");
    const invitation = {
      token: here.store.invite(cluster),
      fingerprint: here.hub.authority.fingerprint,
    };
    const spoke = runSpokeLink(newSpokeState(), realHub(here.hub.address), {
      invitation: () => invitation,
    });
    const known = here.store.cluster(cluster);
    try {
      here.store.desire(cluster, "web", [{ a: 1 }], { generation: 5 });
      here.hub.link.sessions.wake(cluster);
      await eventually(() => assert.equal(known.stored?.version, 1));
      spoke.loop.report(web, webReport);
      await eventually(() => assert.deepEqual(known.reports.get(web), webReport));
      // What a restored hub remembers: neither that generation nor its report.
      known.reports.delete(web);
      here.store.desire(cluster, "web", [{ a: 2 }], { generation: 1 });
      here.store.forgetHistory(cluster);
      here.hub.link.sessions.wake(cluster);
      await eventually(() => assert.deepEqual(known.reports.get(web), webReport));
    } finally {
      await spoke.stop();
      await here.stop();
    }
  });

  test("a report that the hub lost is sent again after a heartbeat shows it", async () => {
    const here = await world({ heartbeatMs: 50 });
    const cluster = here.store.addCluster("one");
    const invitation = {
      token: here.store.invite(cluster),
      fingerprint: here.hub.authority.fingerprint,
    };
    const spoke = runSpokeLink(newSpokeState(), realHub(here.hub.address), {
      invitation: () => invitation,
    });
    try {
      here.store.desire(cluster, "web", []);
      await eventually(() => assert.equal(here.store.cluster(cluster).stored?.version, 1));
      spoke.loop.report(web, webReport);
      const { reports } = here.store.cluster(cluster);
      await eventually(() => assert.deepEqual(reports.get(web), webReport));
      // Long enough for the hub to say that it holds it, so that the loss is a change of what it said.
      const beats = () => here.store.calls.filter((call) => call.startsWith("reports.statusRoot"));
      const seen = beats().length;
      await eventually(() => assert.ok(beats().length > seen + 1));
      reports.delete(web);
      await eventually(() => assert.deepEqual(reports.get(web), webReport));
    } finally {
      await spoke.stop();
      await here.stop();
    }
  });

  test("an idle link exchanges heartbeats and nothing else, and few bytes", async () => {
    const here = await world({ heartbeatMs: 100 });
    const cluster = here.store.addCluster("one");
    const line = await cuttingProxy(here.hub.address);
    const state = newSpokeState();
    const invitation = {
      token: here.store.invite(cluster),
      fingerprint: here.hub.authority.fingerprint,
    };
    const spoke = runSpokeLink(state, realHub(line.address), { invitation: () => invitation });
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      const before = line.received.at(-1) ?? 0;
      const beforeMs = Date.now();
      const written = state.writes.length;
      await eventually(() => assert.ok(Date.now() - beforeMs > 1_050));
      const perHeartbeat = ((line.received.at(-1) ?? 0) - before) / 10;
      assert.ok(perHeartbeat < 150, `${perHeartbeat} bytes per heartbeat from the hub`);
      assert.equal(state.writes.length, written);
    } finally {
      await spoke.stop();
      line.stop();
      await here.stop();
    }
  });

  test("no token reaches a log", async () => {
    const lines: string[] = [];
    const write = (event: string, fields: object = {}) => {
      lines.push(event + JSON.stringify(fields));
    };
    const log = { debug: write, info: write, warn: write, error: write, with: () => log };
    const here = await world({ log });
    const cluster = here.store.addCluster("one");
    const token = here.store.invite(cluster);
    const secret = token.split(".")[1] ?? "";
    const { fingerprint } = here.hub.authority;
    const client = clientOf(here);
    await client.enroll(await newPrivateKeyPem(), { token, fingerprint }, signal());
    await codeOf(client.enroll(await newPrivateKeyPem(), { token, fingerprint }, signal()));
    await here.stop();
    assert.ok(lines.some((line) => line.includes("cluster enrolled")));
    assert.ok(lines.some((line) => line.includes("enrollment refused")));
    assert.ok(!lines.join("\n").includes(secret));
  });
});
