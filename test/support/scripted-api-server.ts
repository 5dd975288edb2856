import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { createCertificateAuthority, type CertificateAuthority } from "./certificates.ts";

export type ScriptedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  /** Parsed JSON; `undefined` without a body. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** The subject of the client's certificate; empty without one. */
  readonly client: string;
};

export type ScriptedReply =
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Sent part by part as they come; the answer ends with them. */
  | { readonly parts: AsyncIterable<string | Uint8Array> }
  /** The connection breaks instead of an answer. */
  | "reset"
  /** No answer, ever. */
  | "silence";

export type ScriptedApiServer = {
  readonly port: number;
  /** Signed the server's certificate. */
  readonly authority: CertificateAuthority;
  /** Every request so far, in order. */
  readonly requests: readonly ScriptedRequest[];
  /** Connections opened so far. */
  readonly connections: () => number;
} & AsyncDisposable;

/** An HTTPS server that answers as told, for what a real API server does only on bad days. */
export async function scriptedApiServer(
  reply: (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>,
  options: { readonly askForClientCertificate?: boolean } = {},
): Promise<ScriptedApiServer> {
  const { authority, certificate } = await (shared ??= makeIdentity());
  const requests: ScriptedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const server = createServer({
    cert: certificate.certificatePem,
    key: certificate.keyPem,
    ...(options.askForClientCertificate === true
      ? { requestCert: true, rejectUnauthorized: false, ca: authority.certificatePem }
      : {}),
  });
  server.on("secureConnection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  server.on("request", (incoming, response) => {
    void (async () => {
      const request = await readRequest(incoming);
      requests.push(request);
      const told = await reply(request);
      if (told === "silence") return;
      if (told === "reset") {
        incoming.socket.destroy();
        return;
      }
      if ("parts" in told) {
        response.writeHead(200, { "content-type": "application/json" });
        response.flushHeaders();
        for await (const part of told.parts) {
          if (response.destroyed) break;
          response.write(part);
        }
        response.end();
        return;
      }
      response.writeHead(told.status, { "content-type": "application/json", ...told.headers });
      response.end(typeof told.body === "string" ? told.body : JSON.stringify(told.body ?? null));
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    authority,
    requests,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One certificate for all servers of a test process: making one takes longer than most tests. */
let shared: ReturnType<typeof makeIdentity> | undefined;

async function makeIdentity() {
  const authority = await createCertificateAuthority();
  const hosts = ["127.0.0.1", "kubernetes"];
  const certificate = await authority.issue({ commonName: "api", use: "server", hosts });
  return { authority, certificate };
}

async function readRequest(incoming: IncomingMessage): Promise<ScriptedRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const text = Buffer.concat(chunks).toString("utf8");
  const url = new URL(incoming.url ?? "/", "https://server");
  const peer = (incoming.socket as TLSSocket).getPeerCertificate?.();
  return {
    method: incoming.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    body: text === "" ? undefined : JSON.parse(text),
    text,
    client: String(peer?.subject?.CN ?? ""),
  };
}
