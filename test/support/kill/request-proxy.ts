import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { createCertificateAuthority, type CertifiedKey } from "../certificates.ts";

/** A request of a cluster's client, and how the API server answered it once it has. */
export type SeenRequest = {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `undefined`: not answered, or never passed on. */
  status: number | undefined;
};

/** Whether the API server has carried the request out when the client is struck. */
export type Moment = "before" | "after";

export type Failpoint = {
  /** The request that met it. */
  readonly met: () => SeenRequest | undefined;
  readonly disarm: () => void;
};

/**
 * Stands between a client and an API server, simulated or real, and sees every request: ends TLS with a
 * certificate of its own authority and speaks HTTP/1.1 on both sides.
 */
export type RequestProxy = {
  readonly port: number;
  readonly caPem: string;
  /** Every request so far, oldest first. */
  readonly seen: () => readonly SeenRequest[];
  /**
   * Calls `strike` at the `nth` request from now (1 is the next), before the API server gets it or after it
   * has carried it out. That request is never answered, and connections of before are broken off.
   */
  readonly strikeAt: (nth: number, moment: Moment, strike: () => void) => Failpoint;
  readonly stop: () => Promise<void>;
};

let sharedIdentity: Promise<{ readonly caPem: string; readonly key: CertifiedKey }> | undefined;

async function makeIdentity(): Promise<{ readonly caPem: string; readonly key: CertifiedKey }> {
  const authority = await createCertificateAuthority("request-proxy-ca");
  const key = await authority.issue({
    commonName: "request-proxy",
    use: "server",
    hosts: ["127.0.0.1"],
  });
  return { caPem: authority.certificatePem, key };
}

export async function startRequestProxy(server: {
  readonly url: string;
  readonly caPem: string;
}): Promise<RequestProxy> {
  const { caPem, key } = await (sharedIdentity ??= makeIdentity());
  const target = new URL(server.url);
  const agent = new Agent({ keepAlive: true, ca: server.caPem });
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let armed:
    | {
        left: number;
        readonly moment: Moment;
        readonly strike: () => void;
        met: SeenRequest | undefined;
      }
    | undefined;

  const listener = createServer(
    { key: key.keyPem, cert: key.certificatePem, keepAliveTimeout: 90_000 },
    (incoming, outgoing) => pass(incoming, outgoing),
  );
  listener.on("connection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  listener.on("tlsClientError", () => {});
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const bound = listener.address();
  if (bound === null || typeof bound === "string") throw new TypeError("a proxy has a port");

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "https://proxy");
    const entry: SeenRequest = {
      method: incoming.method ?? "",
      path: pathname,
      query: searchParams,
      status: undefined,
    };
    seen.push(entry);
    const struck = countDown(entry);
    if (struck?.moment === "before") return strike(struck.strike);
    const onward = httpsRequest(
      {
        agent,
        host: target.hostname,
        port: target.port,
        method: entry.method,
        path: incoming.url,
        headers: { ...incoming.headers, host: target.host },
      },
      (answer) => {
        entry.status = answer.statusCode;
        if (struck !== undefined) return strikeWhenDone(entry, answer, struck.strike);
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        // A watcher waits for the head before it trusts the watch.
        outgoing.flushHeaders();
        answer.pipe(outgoing);
        answer.on("error", () => outgoing.destroy());
        answer.on("aborted", () => outgoing.destroy());
      },
    );
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      // A request under way is carried out whether or not its client lives to hear of it; a watch has nobody left.
      if (!outgoing.writableFinished && isWatch(entry)) onward.destroy();
    });
    incoming.on("error", () => {});
    incoming.pipe(onward);
  }

  function countDown(entry: SeenRequest): typeof armed {
    if (armed === undefined || armed.met !== undefined) return undefined;
    armed.left -= 1;
    if (armed.left > 0) return undefined;
    armed.met = entry;
    return armed;
  }

  function strikeWhenDone(entry: SeenRequest, answer: IncomingMessage, act: () => void): void {
    if (isWatch(entry)) {
      answer.destroy();
      return strike(act);
    }
    answer.resume();
    answer.on("close", () => strike(act));
  }

  function strike(act: () => void): void {
    act();
    for (const socket of sockets) socket.destroy();
  }

  return {
    port: bound.port,
    caPem,
    seen: () => seen,
    strikeAt: (nth, moment, act) => {
      const point = { left: nth, moment, strike: act, met: undefined };
      armed = point;
      return {
        met: () => point.met,
        disarm: () => {
          if (armed === point) armed = undefined;
        },
      };
    },
    stop: async () => {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
}

const isWatch = ({ query }: SeenRequest): boolean => query.has("watch");
