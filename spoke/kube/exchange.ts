import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type AgentOptions } from "node:https";
import { createSecureContext } from "node:tls";
import type { Access } from "./credential.ts";
import { TunnelAgent } from "./tunnel.ts";
import { ApiServerUnavailable } from "./trouble.ts";

export type Sending = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | undefined;
  /** From now to the last byte of the answer. */
  readonly limitMs: number;
};

/** One answer whose body is still to be read. Whoever gets it reads it to its end or closes it. */
export type Exchange = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Throws the signal's reason, or ApiServerUnavailable when the connection breaks or the time is up. */
  readonly chunks: () => AsyncGenerator<Uint8Array>;
  /** Ends the exchange; an answer not read to its end costs its connection. */
  readonly close: () => void;
};

const connectMsMost = 10_000;

/** Connections for calls that stay open while nobody uses them, for a minute. A sync takes pauses shorter than that. */
export const connectionsKeptMost = 16;

/** A connection broke before its answer was complete. */
export class ConnectionBroke extends ApiServerUnavailable {
  /** It had carried an answer before, and nothing of this one: the server may never have seen the request. */
  readonly reused: boolean;
  /** The server's certificate was not believed, or the server did not believe ours. */
  readonly untrusted: boolean;

  constructor(message: string, reused: boolean, cause: unknown) {
    const untrusted = isAboutTrust(cause);
    super(untrusted ? `${message}: one side does not trust the other's certificate` : message, {
      cause,
    });
    this.reused = reused;
    this.untrusted = untrusted;
  }
}

/** What OpenSSL says when a certificate is not signed by whom it should be, not for this host, or out of date. */
function isAboutTrust(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return (
    /^(UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_CERT)/.test(
      code,
    ) || /^ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA)/.test(code)
  );
}

/** Sends one request and resolves with the head of its answer. */
export async function startExchange(
  access: Access,
  agent: Agent,
  sending: Sending,
  signal: AbortSignal,
): Promise<Exchange> {
  signal.throwIfAborted();
  const what = `${sending.method} ${sending.path.split("?", 1)[0] ?? ""}`;
  const server = `${access.host}:${access.port}`;
  const answered = Promise.withResolvers<IncomingMessage>();
  let response: IncomingMessage | undefined;
  let ended: unknown;

  const request = httpsRequest({
    agent,
    host: access.host,
    port: access.port,
    method: sending.method,
    path: access.pathPrefix + sending.path,
    headers: {
      ...Object.fromEntries(
        Object.entries(sending.headers).map(([name, value]) => [
          name,
          typeof value === "string" ? value : [...value],
        ]),
      ),
      ...(access.bearer === undefined ? {} : { authorization: `Bearer ${access.bearer}` }),
      ...(sending.body === undefined
        ? {}
        : { "content-length": String(Buffer.byteLength(sending.body)) }),
    },
  });

  function end(reason: unknown): void {
    ended ??= reason;
    const error = reason instanceof Error ? reason : new Error("stopped", { cause: reason });
    if (response !== undefined) return void response.destroy(error);
    request.destroy(error);
    // A request that has no connection yet says nothing when it is destroyed.
    answered.reject(error);
  }
  const onAbort = () => end(signal.reason);
  const slow = (limitMs: number, part: string) => () =>
    end(new ApiServerUnavailable(`${server} ${part} within ${limitMs} ms (${what})`));
  const deadline = setTimeout(slow(sending.limitMs, "did not answer"), sending.limitMs);
  let connecting: NodeJS.Timeout | undefined;

  signal.addEventListener("abort", onAbort, { once: true });
  function release(): void {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(deadline);
    clearTimeout(connecting);
  }

  /** The reason we ended it, when we did; else what broke, said once for this room. */
  function explain(error: unknown): unknown {
    if (ended !== undefined) return ended;
    if (error instanceof ApiServerUnavailable) return error;
    return new ConnectionBroke(
      `connection to ${server} broke (${what})`,
      request.reusedSocket && response === undefined,
      error,
    );
  }

  request.on("socket", (socket) => {
    if (!socket.connecting) return;
    // A half-open watch would otherwise stay silent until the server's own timeout.
    socket.setKeepAlive(true, 30_000);
    connecting = setTimeout(slow(connectMsMost, "could not be reached"), connectMsMost);
    socket.once("secureConnect", () => clearTimeout(connecting));
  });
  request.on("response", answered.resolve);
  request.on("error", answered.reject);
  request.end(sending.body);

  try {
    response = await answered.promise;
  } catch (error) {
    release();
    throw explain(error);
  }
  // From here errors surface where the body is read; without a listener they would be fatal.
  const head = response;
  head.on("error", () => {});
  head.once("close", release);
  return {
    status: head.statusCode ?? 0,
    headers: head.headers,
    chunks: async function* () {
      try {
        for await (const chunk of head) yield chunk as Uint8Array;
        if (!head.complete) throw new Error("the answer ended early");
      } catch (error) {
        throw explain(error);
      } finally {
        release();
      }
    },
    close: () => {
      release();
      head.destroy();
    },
  };
}

export type AgentPool = {
  /** Keeps connections; for calls that end. */
  readonly calls: (access: Access) => Agent;
  /** Keeps none; for watches, which may be many and live long. */
  readonly watches: (access: Access) => Agent;
  readonly close: () => void;
};

/**
 * Connection pools for the newest TLS material.
 *
 * When the material changes, older connections finish what they carry and are not used again.
 */
export function agentPool(callSocketsMost: number): AgentPool {
  let version = "";
  let calls: Agent | undefined;
  let watches: Agent | undefined;

  function refresh(access: Access): void {
    if (access.tls.version === version) return;
    if (calls !== undefined) retire(calls);
    const { authority, certificate, key, serverName, skipVerify } = access.tls;
    const tls = {
      rejectUnauthorized: !skipVerify,
      ...(authority === undefined ? {} : { ca: authority }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
    // Made once: every connection with a context of its own would cost the parsing and the memory again.
    const secureContext = createSecureContext(tls);
    const { proxy } = access;
    const made = (options: AgentOptions): Agent =>
      proxy === undefined ? new Agent(options) : new TunnelAgent(options, proxy);
    calls = made({
      ...tls,
      secureContext,
      keepAlive: true,
      maxSockets: callSocketsMost,
      maxFreeSockets: connectionsKeptMost,
      timeout: 60_000,
    });
    watches = made({ ...tls, secureContext, keepAlive: false });
    version = access.tls.version;
  }

  return {
    calls: (access) => {
      refresh(access);
      return calls ?? new Agent();
    },
    watches: (access) => {
      refresh(access);
      return watches ?? new Agent();
    },
    close: () => {
      calls?.destroy();
      watches?.destroy();
      version = "";
      calls = undefined;
      watches = undefined;
    },
  };
}

function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}
