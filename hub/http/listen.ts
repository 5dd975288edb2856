import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { isIPv6, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { sourceNetwork } from "../../proto/kit/source-network.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";

export type ListenSettings = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM files; reread when they change. Without them the API is plain HTTP. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  readonly connectionsMost: number;
  /** Of one network; more are closed as they come. */
  readonly connectionsPerNetworkMost: number;
  readonly headersMsMost: number;
  readonly requestMsMost: number;
  /** How long requests in flight may take to finish once the hub stops. */
  readonly drainMs: number;
};

export const defaultListenLimits = {
  connectionsMost: 2_000,
  connectionsPerNetworkMost: 500,
  headersMsMost: 10_000,
  requestMsMost: 30_000,
  drainMs: 5_000,
} as const;

/** The address is taken, not ours to take, or the TLS files cannot be used. */
export class ListenFailed extends Trouble {
  override readonly name = "ListenFailed";
}

export type Listening = {
  readonly port: number;
  /** `http://host:port`, with a host that can be dialled from this machine. */
  readonly url: string;
  /** Serves until `signal` aborts, then drains. Must be called, once. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Takes the address. Requests are answered from then on; `run` is what ends it. */
export async function listen(
  fetch: (request: Request, env?: object) => Response | Promise<Response>,
  settings: ListenSettings,
  needs: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<Listening> {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const answer = (...args: Parameters<typeof listener>) => void listener(...args);
  const limits = {
    headersTimeout: settings.headersMsMost,
    requestTimeout: settings.requestMsMost,
    // Node looks for late ones every half minute by itself, which would make 10 s mean 40.
    connectionsCheckingInterval: Math.min(settings.headersMsMost / 2, 5_000),
    keepAliveTimeout: 60_000,
  };
  const server =
    settings.tls === undefined
      ? createServer(limits, answer)
      : createSecureServer({ ...limits, ...(await readTls(settings.tls)) }, answer);
  server.maxConnections = settings.connectionsMost;
  server.maxHeadersCount = 100;
  limitNetworks(server, settings.connectionsPerNetworkMost);
  await taken(server, settings, signal);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : settings.port;
  return {
    port,
    url: `${settings.tls === undefined ? "http" : "https"}://${dialled(settings.host)}:${port}`,
    run: async (ending) => {
      try {
        await keepTls(server, settings.tls, needs, ending);
      } finally {
        await drain(server, settings.drainMs);
      }
    },
  };
}

/** One network must not take all connections; it costs the others nothing when it tries. */
function limitNetworks(server: Server | SecureServer, most: number): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const network = sourceNetwork(socket.remoteAddress);
    const count = open.get(network) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once("close", () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}

function dialled(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "") return "[::1]";
  return isIPv6(host) ? `[${host}]` : host;
}

async function taken(
  server: Server | SecureServer,
  { host, port }: ListenSettings,
  signal: AbortSignal,
): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once("listening", listening.resolve);
  server.once("error", listening.reject);
  server.listen(port, host);
  try {
    await unlessAborted(listening.promise, signal);
  } catch (error) {
    server.close();
    signal.throwIfAborted();
    throw new ListenFailed(`the HTTP API cannot listen on ${host}:${port}`, { cause: error });
  } finally {
    server.off("error", listening.reject);
  }
}

async function readTls(files: NonNullable<ListenSettings["tls"]>) {
  try {
    const [cert, key] = await Promise.all([
      readFile(files.certificateFile),
      readFile(files.keyFile),
    ]);
    return { cert, key, minVersion: "TLSv1.2" } as const;
  } catch (error) {
    throw new ListenFailed("the TLS files of the HTTP API cannot be read", { cause: error });
  }
}

const tlsCheckMs = 60_000;

/** Waits for the end, and meanwhile takes over a renewed certificate without a restart. */
async function keepTls(
  server: Server | SecureServer,
  files: ListenSettings["tls"],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let held = files && (await readTls(files).catch(() => undefined));
  while (!signal.aborted) {
    // The sleep throws when the signal aborts, which is how this ends.
    const slept = await clock.sleep(tlsCheckMs, signal).then(
      () => true,
      () => false,
    );
    if (!slept || files === undefined || !("setSecureContext" in server)) continue;
    try {
      const found = await readTls(files);
      if (held !== undefined && found.cert.equals(held.cert)) continue;
      server.setSecureContext(found);
      held = found;
      log.info("TLS certificate replaced");
    } catch (error) {
      log.warn("TLS files could not be used", { problem: describeError(error) });
    }
  }
}

/** New connections are refused, idle ones closed, busy ones given `drainMs`. */
async function drain(server: Server | SecureServer, drainMs: number): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs);
  // A connection that turns idle while draining is not closed by node; it would keep us to the deadline.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await closed.promise;
  clearTimeout(deadline);
  clearInterval(sweep);
}
