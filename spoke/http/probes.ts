import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Trouble } from "../../proto/kit/trouble.ts";

export type ProbeNeeds = {
  /** Why the process should be started again; empty when it should not. */
  readonly notLive: () => readonly string[];
  /** What is missing before it does its work; empty when nothing is. */
  readonly notReady: () => readonly string[];
  readonly metrics: () => { readonly contentType: string; readonly text: string };
};

export type Probes = {
  /** The port it listens on, also when 0 was asked for. */
  readonly port: number;
  /** Stops listening and ends open connections. */
  readonly close: () => Promise<void>;
};

/** The port of the probes could not be listened on; `cause` says why. */
export class ProbePortUnavailable extends Trouble {
  override readonly name = "ProbePortUnavailable";
}

/**
 * Serves `/livez`, `/readyz` (200 `ok`, or 503 with a reason a line) and `/metrics`.
 *
 * Nothing here is secret and nothing can be changed; a visitor who is slow, long-winded or many is cut off.
 */
export async function listenForProbes(
  settings: {
    readonly host: string;
    readonly port: number;
    /** How long a visitor may take to ask. */
    readonly patienceMs?: number;
  },
  needs: ProbeNeeds,
  signal: AbortSignal,
): Promise<Probes> {
  signal.throwIfAborted();
  const patienceMs = settings.patienceMs ?? 5_000;
  const server = createServer(
    {
      headersTimeout: patienceMs,
      requestTimeout: patienceMs,
      keepAliveTimeout: patienceMs,
      connectionsCheckingInterval: Math.ceil(patienceMs / 5),
      maxHeaderSize: 4_096,
    },
    (request, response) => answer(needs, request, response),
  );
  server.maxConnections = 32;
  server.maxRequestsPerSocket = 1_000;
  // Bounds everything else, such as a reader who never takes the answer.
  server.setTimeout(2 * patienceMs, (socket) => socket.destroy());

  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(settings.port, settings.host, listening.resolve);
  try {
    await listening.promise;
  } catch (error) {
    throw new ProbePortUnavailable(`${settings.host}:${settings.port} cannot be listened on`, {
      cause: error,
    });
  }
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : settings.port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(needs: ProbeNeeds, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "").split("?", 1)[0];
  // Nobody has anything to tell us; a body is left unread and its connection ends.
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("connection", "close").setHeader("allow", "GET, HEAD");
    return say(response, 405, "only GET and HEAD\n");
  }
  switch (path) {
    case "/livez":
      return sayUnless(response, needs.notLive());
    case "/readyz":
      return sayUnless(response, needs.notReady());
    case "/metrics": {
      const { contentType, text } = needs.metrics();
      return say(response, 200, text, contentType);
    }
    default:
      return say(response, 404, "there are /livez, /readyz and /metrics\n");
  }
}

const sayUnless = (response: ServerResponse, problems: readonly string[]): void =>
  problems.length === 0
    ? say(response, 200, "ok\n")
    : say(response, 503, `${problems.join("\n")}\n`);

function say(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": String(Buffer.byteLength(text)),
    "cache-control": "no-store",
  });
  // Node leaves the body out for HEAD by itself.
  response.end(text);
}
