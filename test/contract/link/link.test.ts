import { Client, credentials } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { connect as connectPlain } from "node:net";
import test, { after, before, suite } from "node:test";
import { connect } from "node:tls";
import { once } from "node:events";
import { BlobService } from "../../../proto/gen/wheelhouse/v1/blob_pb.ts";
import { EnrollmentService } from "../../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import { LinkService } from "../../../proto/gen/wheelhouse/v1/link_pb.ts";
import { grpcMethod } from "../../../proto/rpc.ts";
import type { ApplicationReport } from "../../../proto/words/report.ts";
import type { Digest } from "../../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import type { FencedMessage, Hello, HubMessage } from "../../../proto/words/link-messages.ts";
import { hubServerName } from "../../../proto/words/spiffe.ts";
import { emptyHeldSet, heldRoot } from "../../../spoke/domain/held-set.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { createHubClient, type HubConnection, type HubStream } from "../../../spoke/link/client.ts";
import { newPrivateKeyPem } from "../../../spoke/link/credential.ts";
import { explainLoss } from "../../../spoke/link/hub-error.ts";
import { cuttingProxy } from "../../support/cutting-proxy.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeLinkStore, type FakeLinkStore } from "../../support/fake-link-store.ts";
import { runHubLink, temporaryFolder, type RunningHubLink } from "../../support/hub-link.ts";
import {
  newSpokeState,
  realHub,
  runSpokeLink,
  type RunningSpokeLink,
} from "../../support/spoke-link.ts";

const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const web = "web" as ApplicationName;

type World = {
  readonly store: FakeLinkStore;
  readonly hub: RunningHubLink;
  readonly stop: () => Promise<void>;
};

async function world(
  settings: Parameters<typeof runHubLink>[2] = {},
  store = fakeLinkStore(),
): Promise<World> {
  const folder = await temporaryFolder();
  const hub = await runHubLink(store, folder.path, settings);
  return {
    store,
    hub,
    async stop() {
      await hub.stop();
      await folder.remove();
    },
  };
}

const clientOf = ({ hub }: World, address = hub.address) =>
  createHubClient({ address, spokeVersion: "0.1.0", connectMs: 2_000, callMs: 2_000 });

async function enrolled(here: World, cluster: ClusterId): Promise<SpokeIdentity> {
  const invitation = {
    token: here.store.invite(cluster),
    fingerprint: here.hub.authority.fingerprint,
  };
  return clientOf(here).enroll(await newPrivateKeyPem(), invitation, signal());
}

const hello = (change: Partial<Hello> = {}): Hello => ({
  kind: "hello",
  protocolLeast: 1,
  protocolMost: 1,
  capabilities: [],
  spokeVersion: "0.1.0",
  bootId: "boot",
  heldVersion: 0,
  heldRoot: heldRoot(emptyHeldSet),
  statusRoot: heldRoot(emptyHeldSet),
  epochSeen: 0,
  clockMs: Date.now(),
  kubernetesVersion: "v1.35.0",
  ...change,
});

/** A stream whose messages are taken one by one. */
async function attached(connection: HubConnection, stopping: AbortSignal, change?: Partial<Hello>) {
  const stream: HubStream = connection.attach(stopping);
  await stream.send(hello(change), stopping);
  const messages = stream.incoming[Symbol.asyncIterator]();
  return {
    stream,
    async next(): Promise<FencedMessage> {
      const { value, done } = await messages.next();
      if (done === true || value === undefined) throw new Error("the stream ended");
      return value;
    },
    /** Reads on until the stream breaks, and says why. */
    async loss() {
      try {
        for (;;) await this.next();
      } catch (error) {
        return explainLoss(error);
      }
    },
  };
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "no failure";
  } catch (error) {
    const { kind, problem } = explainLoss(error);
    return `${kind} ${problem.code}`;
  }
};

suite("enrollment over TLS", () => {
  let here: World;
  let cluster: ClusterId;
  before(async () => {
    here = await world();
    cluster = here.store.addCluster("one");
  });
  after(() => here.stop());

  test("a token and a key give a certificate for the token's cluster", async () => {
    const identity = await enrolled(here, cluster);
    assert.equal(identity.clusterId, cluster);
    assert.equal(identity.clusterName, "one");
    assert.equal(identity.hubId, "0123456789abcdef");
    assert.equal(identity.trustedPem[0], here.hub.authority.trustedPem);
  });

  test("the same token with the same key may ask again, with another it is used up", async () => {
    const { fingerprint } = here.hub.authority;
    const invitation = { token: here.store.invite(cluster), fingerprint };
    const key = await newPrivateKeyPem();
    const client = clientOf(here);
    const first = await client.enroll(key, invitation, signal());
    const again = await client.enroll(key, invitation, signal());
    assert.notEqual(first.certificatePem, again.certificatePem);
    assert.equal(
      await codeOf(client.enroll(await newPrivateKeyPem(), invitation, signal())),
      "refused WH-JOIN-2003",
    );
  });

  const refusals = [
    { name: "an expired token", life: { expiresAtMs: 1_000 }, expect: "refused WH-JOIN-2004" },
    {
      name: "a token of another hub",
      token: "whj_abcdefgh.abcdefghabcdefghabcdefghabcdefgh",
      expect: "refused WH-JOIN-2005",
    },
    { name: "something that is no token", token: "let me in", expect: "refused WH-JOIN-2002" },
    {
      name: "a hub with another key",
      fingerprint: `sha256:${"0".repeat(64)}`,
      expect: "away WH-JOIN-2007",
    },
  ];
  for (const { name, life, token, fingerprint, expect } of refusals) {
    test(`${name} is refused with a code`, async () => {
      const invitation = {
        token: token ?? here.store.invite(cluster, life),
        fingerprint: fingerprint ?? here.hub.authority.fingerprint,
      };
      const enrolling = clientOf(here).enroll(await newPrivateKeyPem(), invitation, signal());
      assert.equal(await codeOf(enrolling), expect);
    });
  }

  test("a hub that cannot be reached is said to be away", async () => {
    const invitation = { token: "whj_a.b", fingerprint: here.hub.authority.fingerprint };
    const client = clientOf(here, "127.0.0.1:1");
    assert.equal(
      await codeOf(client.enroll(await newPrivateKeyPem(), invitation, signal())),
      "away WH-LINK-2200",
    );
  });
});

suite("who may attach", () => {
  let here: World;
  let there: World;
  let cluster: ClusterId;
  let identity: SpokeIdentity;
  before(async () => {
    here = await world({ trustCheckMs: 50 });
    there = await world();
    cluster = here.store.addCluster("one");
    identity = await enrolled(here, cluster);
  });
  after(async () => {
    await here.stop();
    await there.stop();
  });

  async function lossOf(as: SpokeIdentity, world = here): Promise<string> {
    const stopping = new AbortController();
    const connection = clientOf(world).dial(as);
    try {
      const session = await attached(connection, stopping.signal);
      const { kind, problem } = await session.loss();
      return `${kind} ${problem.code}`;
    } finally {
      stopping.abort();
      connection.close();
    }
  }

  test("a certificate of another hub is none", async () => {
    const foreign = await enrolled(there, there.store.addCluster("one"));
    const disguised = { ...foreign, trustedPem: identity.trustedPem };
    assert.equal(await lossOf(disguised), "refused WH-ID-2101");
  });

  test("the hub's own certificate is no client's", async () => {
    const { keyPem, chainPem } = here.hub.authority.serverIdentity();
    const asHub = { ...identity, privateKeyPem: keyPem, certificatePem: chainPem };
    assert.equal(await lossOf(asHub), "refused WH-ID-2101");
  });

  test("a spoke does not talk to another hub at the same address", async () => {
    assert.equal(await lossOf(identity, there), "away WH-JOIN-2007");
  });

  test("a removed cluster is refused, and an attached one is let go within the check", async () => {
    const gone = here.store.addCluster("gone");
    const goneIdentity = await enrolled(here, gone);
    const stopping = new AbortController();
    const connection = clientOf(here).dial(goneIdentity);
    const session = await attached(connection, stopping.signal);
    assert.equal((await session.next()).message.kind, "welcome");
    here.store.removeCluster(gone);
    const last = (await session.next()).message;
    assert.deepEqual(last, { kind: "go-away", reason: "untrusted", reconnectAfterMs: 0 });
    assert.equal((await session.loss()).problem.code, "WH-ID-2104");
    connection.close();
    assert.equal(await lossOf(goneIdentity), "refused WH-ID-2104");
  });

  test("a revoked certificate is refused while a later one of the cluster is good", async () => {
    const later = await enrolled(here, cluster);
    const first = [...here.store.certificates.keys()][0] ?? "";
    here.store.revoke(first);
    assert.equal(await lossOf(identity), "refused WH-ID-2104");
    identity = later;
  });

  test("a certificate that expires ends its open stream, and opens no other", async () => {
    const brief = await world({ certificateLifeMs: 2_000, trustCheckMs: 50 });
    try {
      const passing = await enrolled(brief, brief.store.addCluster("brief"));
      const stopping = new AbortController();
      const connection = clientOf(brief).dial(passing);
      const session = await attached(connection, stopping.signal);
      assert.equal((await session.next()).message.kind, "welcome");
      const { kind, problem } = await session.loss();
      assert.equal(`${kind} ${problem.code}`, "refused WH-ID-2103");
      // On the same connection, whose handshake was long ago.
      const again = await attached(connection, stopping.signal);
      assert.equal((await again.loss()).problem.code, "WH-ID-2103");
      connection.close();
      assert.equal(await lossOf(passing, brief), "refused WH-ID-2101");
    } finally {
      await brief.stop();
    }
  });

  const closed = [
    grpcMethod(LinkService.method.attach),
    grpcMethod(BlobService.method.fetchBlobs),
    grpcMethod(EnrollmentService.method.renew),
  ];
  for (const { path } of closed) {
    test(`${path} does not work without a certificate`, async () => {
      const client = new Client(
        here.hub.address,
        credentials.createSsl(Buffer.from(identity.trustedPem.join(""))),
        { "grpc.ssl_target_name_override": hubServerName, "grpc.enable_http_proxy": 0 },
      );
      const nothing = () => Buffer.alloc(0);
      const answered = new Promise<string>((resolve) =>
        client.makeUnaryRequest(path, nothing, nothing, {}, (error) =>
          resolve(error?.details ?? ""),
        ),
      );
      assert.match(await answered, /^WH-ID-2101: /);
      client.close();
    });
  }

  test("an older TLS is not spoken", async () => {
    const socket = connect({
      port: here.hub.link.port,
      host: "127.0.0.1",
      maxVersion: "TLSv1.2",
      rejectUnauthorized: false,
    });
    const [error] = await once(socket, "error").catch((error: unknown) => [error]);
    assert.match(String(error), /protocol version|alert/);
  });

  test("a first message other than hello is refused", async () => {
    const connection = clientOf(here).dial(identity);
    const stopping = new AbortController();
    const stream = connection.attach(stopping.signal);
    await stream.send(
      { kind: "heartbeat", desiredRoot: undefined, statusRoot: undefined, desiredVersion: 0 },
      signal(),
    );
    assert.equal(await codeOf(stream.incoming[Symbol.asyncIterator]().next()), "away WH-LINK-2202");
    connection.close();
  });

  test("protocols without overlap are refused with both ranges", async () => {
    const connection = clientOf(here).dial(identity);
    const session = await attached(connection, signal(), { protocolLeast: 7, protocolMost: 9 });
    const { problem } = await session.loss();
    assert.equal(problem.code, "WH-LINK-2201");
    assert.match(problem.sentence, /7 to 9.*1 to 1/);
    connection.close();
  });

  test("a newer session replaces the older one, with a higher epoch", async () => {
    const connection = clientOf(here).dial(identity);
    const first = await attached(connection, signal());
    const welcome = await first.next();
    const second = await attached(connection, signal(), { epochSeen: welcome.epoch + 10 });
    assert.ok((await second.next()).epoch > welcome.epoch + 10);
    assert.deepEqual((await first.next()).message, {
      kind: "go-away",
      reason: "replaced",
      reconnectAfterMs: 0,
    });
    assert.equal((await first.loss()).kind, "replaced");
    assert.ok(here.hub.link.sessions.isAttached(cluster));
    connection.close();
  });

  test("connections that never say hello do not keep others out", async () => {
    const crowded = await world({ handshakesMost: 2, handshakeMs: 300 });
    const idle = [1, 2, 3, 4].map(() => connectPlain(crowded.hub.link.port, "127.0.0.1"));
    try {
      for (const socket of idle) socket.on("error", () => {});
      const identity = await enrolled(crowded, crowded.store.addCluster("one"));
      assert.equal(identity.clusterName, "one");
    } finally {
      for (const socket of idle) socket.destroy();
      await crowded.stop();
    }
  });
});

suite("blobs over TLS", () => {
  let here: World;
  let one: ClusterId;
  let two: ClusterId;
  let connection: HubConnection;
  let identity: SpokeIdentity;
  before(async () => {
    here = await world();
    one = here.store.addCluster("one");
    two = here.store.addCluster("two");
    identity = await enrolled(here, one);
    connection = clientOf(here).dial(identity);
  });
  after(async () => {
    connection.close();
    await here.stop();
  });

  const fetched = async (digests: readonly Digest[], over = connection) => {
    const got: Digest[] = [];
    const missing = await over.fetchBlobs(
      digests,
      async ({ digest }) => {
        got.push(digest);
      },
      signal(),
    );
    return { got, missing };
  };

  test("come whole and in order, whatever their size", async () => {
    const sizes = [0, 1, 262_143, 262_144, 262_145, 1_000_000];
    here.store.desire(
      one,
      "sizes",
      sizes.map((size) => ({ text: "x".repeat(size) })),
    );
    const digests = [...here.store.blobBytes.keys()];
    assert.deepEqual(await fetched(digests), { got: digests, missing: [] });
  });

  test("of another cluster are not found, in the same words as those of nobody", async () => {
    const secret = here.store.desire(two, "secret", [{ of: "two" }]);
    const mine = here.store.desire(one, "web", [{ of: "one" }]);
    const nobodys = "0".repeat(64) as Digest;
    const { got, missing } = await fetched([secret.bundle, mine.bundle, nobodys]);
    assert.deepEqual(got, [mine.bundle]);
    assert.deepEqual(missing, [secret.bundle, nobodys]);
  });

  test("that are not what their digest says are refused", async () => {
    const entry = here.store.desire(one, "tampered", [{ a: 1 }]);
    here.store.blobBytes.set(entry.bundle, new TextEncoder().encode('{"objects":[]}'));
    assert.equal(await codeOf(fetched([entry.bundle])), "away WH-LINK-2203");
  });

  test("that are interrupted go on where they stopped", async () => {
    const size = 3_000_000;
    const entry = here.store.desire(one, "large", [{ text: "y".repeat(size) }]);
    const large = [...here.store.blobBytes.keys()].find(
      (digest) => (here.store.blobBytes.get(digest)?.length ?? 0) > size,
    );
    assert.ok(large !== undefined && entry.bundle !== large);
    const line = await cuttingProxy(here.hub.address);
    const client = clientOf(here, line.address);
    try {
      line.cutAfterBytes = 2_000_000;
      const broken = client.dial(identity);
      assert.equal(await codeOf(fetched([large], broken)), "away WH-LINK-2200");
      broken.close();
      const mended = client.dial(identity);
      assert.deepEqual(await fetched([large], mended), { got: [large], missing: [] });
      mended.close();
      const [first = 0, second = 0] = line.received;
      assert.ok(first >= 2_000_000 && second < 2_000_000, `${first} and ${second} bytes came`);
    } finally {
      line.stop();
    }
  });
});

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
    const report: ApplicationReport = {
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
    try {
      await eventually(() => assert.equal(spoke.loop.state().kind, "attached"));
      spoke.loop.report(web, report);
      const { reports } = here.store.cluster(cluster);
      await eventually(() => assert.deepEqual(reports.get(web), report));
      // Long enough for the hub to say that it holds it, so that the loss is a change of what it said.
      const beats = () => here.store.calls.filter((call) => call.startsWith("reports.statusRoot"));
      const seen = beats().length;
      await eventually(() => assert.ok(beats().length > seen + 1));
      reports.delete(web);
      await eventually(() => assert.deepEqual(reports.get(web), report));
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
