import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest, type AgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Proxy } from "./proxy.ts";
import { ApiServerUnavailable } from "./trouble.ts";

/** From asking the proxy to the API server's certificate being verified. */
const tunnelMsMost = 15_000;

/** Connections to the API server through a proxy: CONNECT first, then TLS with the server itself. */
export class TunnelAgent extends Agent {
  readonly #proxy: Proxy;

  constructor(options: AgentOptions, proxy: Proxy) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    openTunnel(this.#proxy, options).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

async function openTunnel(proxy: Proxy, options: RequestOptions): Promise<TLSSocket> {
  const limit = AbortSignal.timeout(tunnelMsMost);
  const target = `${bracketed(options.host ?? "")}:${options.port ?? 443}`;
  const through = `proxy ${bracketed(proxy.host)}:${proxy.port}`;
  try {
    const socket = await connectThrough(proxy, target, through, limit);
    return await secured(socket, options, limit);
  } catch (error) {
    if (limit.aborted)
      throw new ApiServerUnavailable(
        `${target} could not be reached through ${through} within ${tunnelMsMost} ms`,
      );
    throw error;
  }
}

function connectThrough(
  proxy: Proxy,
  target: string,
  through: string,
  limit: AbortSignal,
): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const ask = (proxy.isSecure ? httpsRequest : httpRequest)({
    host: proxy.host,
    port: proxy.port,
    method: "CONNECT",
    path: target,
    agent: false,
    headers: {
      host: target,
      ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
    },
  });
  const onLimit = (): void => void ask.destroy(new Error("too slow"));
  limit.addEventListener("abort", onLimit, { once: true });
  ask.once("close", () => limit.removeEventListener("abort", onLimit));
  ask.once("connect", (answer, socket, head) => {
    limit.removeEventListener("abort", onLimit);
    if (answer.statusCode === 200 && head.length === 0) {
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
      return;
    }
    socket.destroy();
    const said = `${answer.statusCode ?? 0} ${answer.statusMessage ?? ""}`.trim();
    reject(new ApiServerUnavailable(`${through} refused a tunnel to ${target}: ${said}`));
  });
  // A proxy that thinks CONNECT is a page answers with one.
  ask.once("response", (answer) => {
    answer.destroy();
    reject(
      new ApiServerUnavailable(`${through} does not make tunnels (${answer.statusCode ?? 0})`),
    );
  });
  ask.once("error", (error) =>
    reject(new ApiServerUnavailable(`${through} could not be used`, { cause: error })),
  );
  ask.end();
  return promise;
}

function secured(socket: Duplex, options: RequestOptions, limit: AbortSignal): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  // Everything the request was given: authority, certificate, names; but the connection there is.
  const { path: _path, ...given } = options;
  const secure = tlsConnect({ ...(given as ConnectionOptions), socket });
  const onLimit = (): void => void secure.destroy(new Error("too slow"));
  const release = (): void => {
    limit.removeEventListener("abort", onLimit);
    secure.removeListener("error", onError);
  };
  const onError = (error: Error): void => {
    release();
    socket.destroy();
    reject(error);
  };
  limit.addEventListener("abort", onLimit, { once: true });
  secure.once("error", onError);
  secure.once("secureConnect", () => {
    release();
    resolve(secure);
  });
  return promise;
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
