/** HTTPS around an `Api`: HTTP/1.1 and, where a client offers it, HTTP/2. */
import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { CertifiedKey } from "../certificates.ts";
import type { Answer } from "./answers.ts";
import type { ApiRequest } from "./request.ts";
import { bodyTooLarge, type ApiError } from "./status.ts";

export type Listening = {
  readonly url: string;
  /** Cuts every connection, as a restarting server does; new ones are taken at once. */
  readonly cutConnections: () => void;
  readonly stop: () => Promise<void>;
};

/** What the API server takes as a body at most. */
const bodyBytesMost = 3 * 1024 * 1024;

export async function listen(
  handle: (request: ApiRequest) => Promise<Answer>,
  options: { readonly certificate: CertifiedKey; readonly port: number },
): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createSecureServer({
    allowHTTP1: true,
    key: options.certificate.keyPem,
    cert: options.certificate.certificatePem,
  });
  // As long as the real one keeps idle connections. The type knows only what HTTP/2 has.
  Object.assign(server, { keepAliveTimeout: 90_000 });
  server.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // Clients come and go as they like; a handshake that breaks off is no news.
  server.on("tlsClientError", () => undefined);
  server.on("sessionError", () => undefined);
  server.on("request", (request, response) => {
    serve(handle, request, response).catch((error: unknown) => {
      const hasLeft = request.socket.destroyed;
      request.socket.destroy();
      // A client that went away in the middle of its request.
      if (hasLeft) return;
      // A bug of the simulation itself: loud, and only this connection pays for it.
      process.emitWarning(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new TypeError("the simulated cluster has no port");
  const cutConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `https://127.0.0.1:${address.port}`,
    cutConnections,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      cutConnections();
      await closed;
    },
  };
}

async function serve(
  handle: (request: ApiRequest) => Promise<Answer>,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) {
    const refused: ApiError = bodyTooLarge(bodyBytesMost);
    writeWhole(
      response,
      refused.code,
      { "content-type": "application/json" },
      JSON.stringify(refused.body),
    );
    return;
  }
  const url = new URL(request.url, "https://cluster");
  const answer = await handle({
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
  });
  switch (answer.kind) {
    case "whole":
      writeWhole(
        response,
        answer.code,
        answer.headers,
        request.method === "HEAD" ? "" : answer.body,
      );
      return;
    case "drop":
      request.socket.destroy();
      return;
    case "stream": {
      response.writeHead(200, {
        "content-type": "application/json",
        "cache-control": "no-cache, private",
      });
      // Headers go out at once: a watcher waits for them before it trusts the watch.
      if ("flushHeaders" in response && typeof response.flushHeaders === "function")
        response.flushHeaders();
      let ended = false;
      const stop = answer.start({
        write: (line) => !ended && response.write(line),
        backlogBytes: () => response.writableLength,
        end: () => {
          ended = true;
          response.end();
        },
      });
      response.on("close", stop);
      return;
    }
  }
}

function writeWhole(
  response: Http2ServerResponse,
  code: number,
  headers: { readonly [name: string]: string },
  body: string,
): void {
  response.writeHead(code, {
    "cache-control": "no-cache, private",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** `undefined`: more than the API takes. The rest is still read, so that the client hears the answer. */
async function readBody(request: Http2ServerRequest): Promise<string | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return "";
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bodyBytesMost) chunks.push(chunk);
  }
  return bytes > bodyBytesMost ? undefined : Buffer.concat(chunks).toString();
}
