import assert from "node:assert/strict";
import { once } from "node:events";
import test, { suite } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { hubServerName } from "../../../proto/words/spiffe.ts";
import { openAuthority, type Authority, type ServerIdentity } from "../../../hub/link/authority.ts";
import { listen, type ListenSettings } from "../../../hub/link/listen.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/hub-link.ts";

const settings: ListenSettings = {
  host: "127.0.0.1",
  port: 0,
  connectionsMost: 100,
  handshakesMost: 2,
  handshakeMs: 2_000,
  strangersMost: 100,
  strangerMs: 10_000,
};

async function authorities(): Promise<{
  readonly before: Authority;
  readonly after: Authority;
  readonly remove: () => Promise<void>;
}> {
  const { path, remove } = await temporaryFolder();
  const open = (names: readonly string[]) =>
    openAuthority(
      { folder: path, names, certificateLifeMs: 3_600_000 },
      { clock: systemClock, log: silentLog },
      AbortSignal.timeout(5_000),
    );
  // One authority; the second time it makes its server another certificate.
  return { before: await open([]), after: await open(["renewed.example"]), remove };
}

async function dial(port: number, ca: string): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername: hubServerName,
    ca,
    ALPNProtocols: ["h2"],
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

suite("listen", () => {
  test("takes a renewed certificate without a restart; who is connected stays so", async () => {
    const { before, after, remove } = await authorities();
    let identity: ServerIdentity = before.serverIdentity();
    let tell: (identity: ServerIdentity) => void = () => {};
    const echo = (socket: TLSSocket): void => {
      socket.on("error", () => {});
      socket.pipe(socket);
    };
    const listener = await listen(
      settings,
      {
        trustedPem: before.trustedPem,
        serverIdentity: () => identity,
        onServerIdentity: (listener) => {
          tell = listener;
          return () => {};
        },
      },
      echo,
    );
    const old = await dial(listener.port, before.trustedPem);
    identity = after.serverIdentity();
    tell(identity);
    const fresh = await dial(listener.port, before.trustedPem);
    try {
      assert.equal(old.getPeerX509Certificate()?.checkHost("renewed.example"), undefined);
      assert.ok(fresh.getPeerX509Certificate()?.checkHost("renewed.example"));
      assert.equal(fresh.getProtocol(), "TLSv1.3");
      old.write("still here");
      const [answer] = await once(old, "data");
      assert.equal(String(answer), "still here");
    } finally {
      old.destroy();
      fresh.destroy();
      await listener.close();
      await remove();
    }
  });

  test("lets everybody in though few may shake hands at a time, and drops those beyond its limit", async () => {
    const { before, remove } = await authorities();
    const served = new Set<TLSSocket>();
    const listener = await listen({ ...settings, connectionsMost: 20 }, before, (socket) => {
      socket.on("error", () => {});
      socket.on("close", () => served.delete(socket));
      socket.resume();
      served.add(socket);
    });
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => dial(listener.port, before.trustedPem)),
    );
    try {
      await eventually(() => assert.equal(served.size, 20));
      await assert.rejects(dial(listener.port, before.trustedPem));
      sockets.pop()?.destroy();
      await eventually(() => assert.equal(served.size, 19));
      sockets.push(await eventually(() => dial(listener.port, before.trustedPem)));
    } finally {
      for (const socket of sockets) socket.destroy();
      await listener.close();
      await remove();
    }
  });
});
