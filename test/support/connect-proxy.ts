import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { CertifiedKey } from "./certificates.ts";

export type ConnectProxy = {
  readonly port: number;
  /** What was asked for: `host:port`, and the credentials sent along. */
  readonly asked: readonly { readonly target: string; readonly authorization: string }[];
  /** Answers CONNECT with this instead of a tunnel; `silence` is no answer. */
  refusal: number | "silence" | undefined;
} & AsyncDisposable;

/** A forward proxy that makes tunnels, over TLS itself when it is given a certificate. */
export async function connectProxy(certificate?: CertifiedKey): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const asked: { target: string; authorization: string }[] = [];
  const server =
    certificate === undefined
      ? createServer()
      : createSecureServer({ cert: certificate.certificatePem, key: certificate.keyPem });
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  };
  server.on("connection", keep);
  server.on("connect", (request: IncomingMessage, near: Socket, head: Buffer) => {
    const target = request.url ?? "";
    asked.push({ target, authorization: request.headers["proxy-authorization"] ?? "" });
    if (proxy.refusal === "silence") return;
    if (proxy.refusal !== undefined) {
      near.end(`HTTP/1.1 ${proxy.refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const far = connect(Number(port), hostname, () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      near.pipe(far).pipe(near);
    });
    keep(far);
    keep(near);
    far.once("close", () => near.destroy());
    near.once("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const proxy: ConnectProxy = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    asked,
    refusal: undefined,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
