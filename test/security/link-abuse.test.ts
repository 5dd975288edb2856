import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import test, { suite } from "node:test";
import { connect as connectTls, createSecureContext } from "node:tls";
import { silentLog } from "../../proto/kit/log.ts";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EnrollmentService } from "../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import { LinkService } from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import { proveLinkClosed } from "../../hub/link/self-test.ts";
import { openAuthority } from "../../hub/link/authority.ts";
import type { LinkStore } from "../../hub/link/server.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";
import { addCluster, configMap, report } from "../contract/store/builders.ts";
import { eventually } from "../support/eventually.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { temporaryFolder } from "../support/hub-link.ts";
import {
  attachAs,
  credentialsOf,
  dialRaw,
  enrollRaw,
  fetchRaw,
  openWorld,
  renewRaw,
  type World,
} from "./world.ts";
import { helloBytes } from "./wire-bytes.ts";

const plain = async (world: World): Promise<Socket> => {
  const socket = connect(world.hub.link.port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
};

const tlsTo = (world: World, identity?: SpokeIdentity) =>
  connectTls({
    port: world.hub.link.port,
    host: "127.0.0.1",
    servername: hubServerName,
    ALPNProtocols: ["h2"],
    secureContext: createSecureContext({
      ca: world.hub.authority.trustedPem,
      ...(identity === undefined
        ? {}
        : { cert: identity.certificatePem ?? "", key: identity.privateKeyPem }),
    }),
  });

suite("messages that are too large", () => {
  const limit = 64 * 1024;

  test("half the limit and all of it are taken; twice and ten times are refused with a status, and others are served", async () => {
    const world = await openWorld({ messageBytesMost: limit });
    const client = dialRaw(world, undefined);
    try {
      const token = await world.invite(await addCluster(world.store, "one"));
      // The text of the version is far beyond what a version may be, so what is read is refused by its length.
      const sized = (bytes: number) => enrollRaw(client, token, undefined, "v".repeat(bytes));
      for (const [share, status] of [
        [0.5, "INVALID_ARGUMENT"],
        [0.98, "INVALID_ARGUMENT"],
        [1.02, "RESOURCE_EXHAUSTED"],
        [2, "RESOURCE_EXHAUSTED"],
        [10, "RESOURCE_EXHAUSTED"],
      ] as const)
        assert.equal((await sized(limit * share)).status, status, `${share} times the limit`);
      assert.equal((await enrollRaw(client, token)).status, "OK");
    } finally {
      client.close();
      await world.stop();
    }
  });

  test("in a session, they end that session and no other", async () => {
    const world = await openWorld({ messageBytesMost: limit });
    try {
      const loud = await world.enroll(await addCluster(world.store, "loud"));
      const quiet = await world.enroll(await addCluster(world.store, "quiet"));
      const other = await attachAs(world, quiet);
      await other.next();
      for (const times of [2, 10]) {
        const session = await attachAs(world, loud);
        await session.next();
        await session
          .send({
            kind: "report",
            sequence: 1,
            applications: Array.from({ length: (times * limit) / 2_000 }, (_, index) =>
              report(`app-${index}`, {
                resources: [configMap("x", { message: "m".repeat(2_000) })],
              }),
            ),
            gone: [],
          })
          .catch(() => {});
        await assert.rejects(async () => {
          for (;;) await session.next();
        });
        session.close();
      }
      assert.ok(world.hub.link.sessions.isAttached(quiet.clusterId as never));
      other.close();
    } finally {
      await world.stop();
    }
  });
});

suite("floods", () => {
  test("one connection is served 32 streams at once, however many it opens", async () => {
    let served = 0;
    let most = 0;
    const world = await openWorld({
      between: (store): LinkStore => ({
        ...store,
        blobs: {
          readFor: (_cluster, _digest, signal) =>
            new Promise((_resolve, reject) => {
              served += 1;
              most = Math.max(most, served);
              signal.addEventListener("abort", () => {
                served -= 1;
                reject(new Error("gone"));
              });
            }),
        },
      }),
    });
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      const client = dialRaw(world, credentialsOf(identity));
      const fetches = Array.from({ length: 200 }, () => fetchRaw(client, [digestOfText("x")]));
      await eventually(() => assert.equal(served, 32));
      // Another of the cluster's connections, and another cluster's, are served meanwhile.
      const second = dialRaw(world, credentialsOf(identity));
      assert.equal((await renewRaw(second)).status, "OK");
      assert.equal(most, 32);
      second.close();
      client.close();
      await world.hub.stop().catch(() => {});
      await Promise.all(fetches);
      assert.equal(most, 32);
    } finally {
      world.store.close();
    }
  });

  test("one cluster has eight connections at most: the ninth closes the first", async () => {
    const world = await openWorld();
    const sockets: ReturnType<typeof tlsTo>[] = [];
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      for (let index = 0; index < 12; index += 1) {
        const socket = tlsTo(world, identity);
        socket.on("error", () => {});
        socket.resume();
        await once(socket, "secureConnect");
        sockets.push(socket);
      }
      await eventually(() =>
        assert.deepEqual(
          sockets.map((socket) => socket.destroyed || socket.readableEnded),
          [...Array.from({ length: 4 }, () => true), ...Array.from({ length: 8 }, () => false)],
        ),
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      await world.stop();
    }
  });

  test("a spoke that talks without end is listened to at its pace, and its words are not gathered up", async () => {
    const clock = fakeClock(Date.now());
    let heard = 0;
    const world = await openWorld({
      clock,
      heartbeatMs: 600_000,
      messages: { burst: 100, perSecond: 10 },
      between: (store): LinkStore => ({
        ...store,
        commands: {
          ...store.commands,
          finish: async () => {
            heard += 1;
            return false;
          },
        },
      }),
    });
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      const session = await attachAs(world, identity);
      await session.next();
      let taken = 0;
      const talking = (async () => {
        for (let index = 0; index < 100_000; index += 1) {
          await session.send({
            kind: "command-result",
            id: "x",
            succeeded: true,
            message: "m".repeat(10_000),
          });
          taken += 1;
        }
      })().catch(() => {});
      await eventually(() => assert.equal(heard, 100));
      await clock.advance(10_000);
      await eventually(() => assert.equal(heard, 200));
      // What was taken and not heard lies in buffers of a fixed size: far from the gigabyte that is on offer.
      assert.ok((taken - heard) * 10_000 < 4_000_000, `${taken} messages of 10 kB were taken`);
      session.close();
      await talking;
    } finally {
      await world.stop();
    }
  });

  test("a spoke that never reads gets what its window holds, and is let go as silent", async () => {
    const orders = 2_000;
    const world = await openWorld({ heartbeatMs: 500, silenceLimitMs: 1_000 });
    try {
      const cluster = await addCluster(world.store, "one");
      const identity = await world.enroll(cluster);
      const nowMs = Date.now();
      for (let index = 0; index < orders; index += 1)
        await world.store.commands.create(
          {
            id: `01JD${String(index).padStart(22, "0")}`,
            order: "sync",
            application: `web-${"x".repeat(200)}` as never,
            cluster,
            generation: 1,
            prune: false,
            actor: "token:test",
            createdAtMs: nowMs,
            expiresAtMs: nowMs + 600_000,
          },
          AbortSignal.timeout(10_000),
        );
      const http2 = connectHttp2(`https://${world.hub.address}`, {
        createConnection: () => tlsTo(world, identity),
        // A window that is never opened again: nothing is read, so nothing is given back.
        settings: { initialWindowSize: 65_535 },
      });
      http2.on("error", () => {});
      const stream = http2.request({
        [constants.HTTP2_HEADER_METHOD]: "POST",
        [constants.HTTP2_HEADER_PATH]: grpcMethod(LinkService.method.attach).path,
        "content-type": "application/grpc+proto",
        te: "trailers",
      });
      stream.on("error", () => {});
      stream.write(helloBytes());
      await eventually(() => assert.equal(world.hub.link.sessions.attached, 1));
      await eventually(() => assert.equal(world.hub.link.sessions.attached, 0));
      http2.destroy();
      // The hub is as good as new for the same spoke.
      const session = await attachAs(world, identity);
      assert.equal((await session.next()).message.kind, "welcome");
      session.close();
    } finally {
      await world.stop();
    }
  });
});

suite("connections that stall", () => {
  test("silence, dribble, half a greeting and other protocols keep nobody waiting: 20 of 20 enroll among 600 of them", async () => {
    // A handshake may take a minute, so whoever had to wait for one of them would fail by far.
    const world = await openWorld({ handshakesMost: 4, handshakeMs: 60_000 });
    const sockets: Socket[] = [];
    try {
      const greetings = [
        Buffer.alloc(0),
        Buffer.from([0x16]),
        Buffer.from([0x16, 3, 1, 0x02, 0x00, 1, 0]),
      ];
      for (let index = 0; index < 600; index += 1) {
        const socket = await plain(world);
        socket.write(greetings[index % greetings.length] ?? "");
        sockets.push(socket);
      }
      for (let index = 0; index < 20; index += 1) {
        const identity = await world.enroll(await addCluster(world.store, `c-${index}`));
        assert.equal(identity.clusterName, `c-${index}`);
      }
      assert.equal(
        sockets.filter((socket) => !socket.destroyed).length,
        600,
        "and they are all there",
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      await world.stop();
    }
  });

  test("what does not begin a handshake is closed at once, and what begins none in time is closed too", async () => {
    const world = await openWorld({ handshakeMs: 200 });
    try {
      for (const text of [
        "GET / HTTP/1.1\r\n\r\n",
        "SSH-2.0-x\r\n",
        "\u0016\u0009\u0009\u00ff\u00ff",
        "\u0016\u0003",
        "",
      ]) {
        const socket = await plain(world);
        socket.resume();
        const closed = once(socket, "close");
        socket.write(Buffer.from(text, "latin1"));
        await closed;
      }
    } finally {
      await world.stop();
    }
  });

  test("strangers have their share of connections and their time, and who has a certificate is not counted", async () => {
    const world = await openWorld({ strangersMost: 5, strangerMs: 300 });
    const sockets: ReturnType<typeof tlsTo>[] = [];
    try {
      const identity = await world.enroll(await addCluster(world.store, "one"));
      const session = await attachAs(world, identity);
      await session.next();
      for (let index = 0; index < 5; index += 1) {
        const socket = tlsTo(world);
        socket.on("error", () => {});
        socket.resume();
        await once(socket, "secureConnect");
        sockets.push(socket);
      }
      // Their time passes, whatever they do not do.
      await eventually(() => assert.ok(sockets.every((socket) => socket.destroyed)));
      await eventually(async () => {
        const client = dialRaw(world, credentialsOf(identity));
        const answer = await fetchRaw(client, []);
        client.close();
        assert.equal(answer.status, "OK");
      });
      assert.equal(world.hub.link.sessions.attached, 1, "the session outlived them");
      session.close();
    } finally {
      for (const socket of sockets) socket.destroy();
      await world.stop();
    }
  });
});

suite("the hub's test of its own door", () => {
  test("passes for a link as it is opened", async () => {
    const world = await openWorld();
    try {
      await proveLinkClosed(
        world.hub.address,
        world.hub.authority,
        systemClock,
        AbortSignal.timeout(10_000),
      );
    } finally {
      await world.stop();
    }
  });

  test("fails for a link that lets everybody in, naming who was let in first", async () => {
    const folder = await temporaryFolder();
    const authority = await openAuthority(
      { folder: folder.path, names: ["127.0.0.1"], certificateLifeMs: 3_600_000 },
      { clock: systemClock, log: silentLog },
      AbortSignal.timeout(5_000),
    );
    const { keyPem, chainPem } = authority.serverIdentity();
    const renew = grpcMethod(EnrollmentService.method.renew);
    const server = new Server();
    server.register(
      renew.path,
      (_call: unknown, callback: (error: null, answer: unknown) => void) => callback(null, {}),
      () => Buffer.alloc(0),
      () => ({}),
      "unary",
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(
        "127.0.0.1:0",
        ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(keyPem), cert_chain: Buffer.from(chainPem) },
        ]),
        (error, bound) => (error === null ? resolve(bound) : reject(error)),
      );
    });
    try {
      await assert.rejects(
        proveLinkClosed(`127.0.0.1:${port}`, authority, systemClock, AbortSignal.timeout(10_000)),
        /did not turn away a caller without a certificate/,
      );
    } finally {
      server.forceShutdown();
      await folder.remove();
    }
  });

  test("fails for a link that trusts whatever its authority signed", async () => {
    const world = await openWorld({
      between: (store): LinkStore => ({
        ...store,
        identities: {
          ...store.identities,
          present: async () => ({ kind: "trusted" }),
        },
      }),
    });
    try {
      await assert.rejects(
        proveLinkClosed(
          world.hub.address,
          world.hub.authority,
          systemClock,
          AbortSignal.timeout(10_000),
        ),
        /did not turn away a caller with a certificate that was never issued/,
      );
    } finally {
      await world.stop();
    }
  });

  test("is trouble, not a pass, when nobody answers", async () => {
    const world = await openWorld();
    const { address, authority } = world.hub;
    await world.stop();
    await assert.rejects(
      proveLinkClosed(address, authority, systemClock, AbortSignal.timeout(30_000)),
      /could not dial its own link/,
    );
  });
});
