import assert from "node:assert/strict";
import { connect as connectPlain } from "node:net";
import test, { after, before, suite } from "node:test";
import { connect } from "node:tls";
import { once } from "node:events";
import { Client, credentials } from "@grpc/grpc-js";
import { BlobService } from "../../../proto/gen/wheelhouse/v1/blob_pb.ts";
import { EnrollmentService } from "../../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import { LinkService } from "../../../proto/gen/wheelhouse/v1/link_pb.ts";
import { grpcMethod } from "../../../proto/rpc.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import { hubServerName } from "../../../proto/words/spiffe.ts";
import type { SpokeIdentity } from "../../../spoke/domain/identity.ts";
import { attached, clientOf, codeOf, enrolled, signal, world, type World } from "./world.ts";

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
