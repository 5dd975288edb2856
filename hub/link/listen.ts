import { createServer, type AddressInfo } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import type { Authority } from "./authority.ts";
import { createGate } from "./gate.ts";

export type ListenSettings = {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Connections beyond this are closed as they come. */
  readonly connectionsMost: number;
  /** Handshakes done side by side; further connections wait, unread. */
  readonly handshakesMost: number;
  /** A handshake that takes longer is given up, and so is a connection that does not begin one. */
  readonly handshakeMs: number;
  /** Connections from one network that have not shown a certificate of ours; more are closed as they come. */
  readonly strangersMost: number;
  /** How long a connection without such a certificate may last: it can do nothing but enroll. */
  readonly strangerMs: number;
};

export type Listener = {
  readonly port: number;
  /** Stops accepting. Connections that are there stay. */
  readonly close: () => Promise<void>;
};

/**
 * Accepts TLS connections of spokes and hands each over once its handshake is done.
 *
 * A client certificate is asked for and not required: enrolling works without one, on the same port. So
 * `socket.authorized` is false for strangers, and whoever serves them must look. A handshake is the
 * dearest thing a spoke can make a hub do; admitting few at a time keeps those who are attached served
 * while a thousand others come back at once.
 */
export async function listen(
  settings: ListenSettings,
  authority: Pick<Authority, "serverIdentity" | "onServerIdentity" | "trustedPem">,
  onConnection: (socket: TLSSocket) => void,
): Promise<Listener> {
  const context = (): SecureContextOptions => {
    const { keyPem, chainPem } = authority.serverIdentity();
    // Given again at every change of certificate: a new context falls back to the defaults otherwise.
    return { key: keyPem, cert: chainPem, ca: authority.trustedPem, minVersion: "TLSv1.3" };
  };
  const tls = createTlsServer({
    ...context(),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: settings.handshakeMs,
  });
  const gate = createGate(settings, (socket) => tls.emit("connection", socket));
  tls.on("secureConnection", (socket) => {
    gate.shook(socket, socket.authorized ? "known" : "stranger");
    if (!socket.authorized) {
      const leaving = setTimeout(() => socket.destroy(), settings.strangerMs);
      socket.once("close", () => clearTimeout(leaving));
    }
    onConnection(socket);
  });
  // The gate hears of its end by its close.
  tls.on("tlsClientError", (_error, socket) => socket.destroy());
  const stopRotating = authority.onServerIdentity(() => tls.setSecureContext(context()));

  // The TLS server never listens itself: what it is given has passed the gate.
  const server = createServer({ noDelay: true }, gate.enter);
  server.maxConnections = settings.connectionsMost;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: portOf(server.address()),
    close: async () => {
      stopRotating();
      gate.clear();
      // Its callback waits for every connection to end, and those are not ours any more.
      server.close();
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string")
    throw new TypeError(`a TCP server has no port: ${JSON.stringify(address)}`);
  return address.port;
}
