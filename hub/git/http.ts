import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { createGunzip, createInflate } from "node:zlib";
import type { GitHttpRequest, GitHttpResponse } from "isomorphic-git/http/node";
import { Trouble } from "../../proto/kit/trouble.ts";

export type TransferLimits = {
  /** All bodies of one exchange together, as they come out of compression. */
  readonly bytesMost: number;
  /** Nothing arriving for so long ends it. */
  readonly silenceMs: number;
};

/** More came than we take. */
export class TransferTooLarge extends Trouble {
  override readonly name = "TransferTooLarge";
  readonly bytesMost: number;

  constructor(bytesMost: number) {
    super(`more than ${bytesMost} bytes came`);
    this.bytesMost = bytesMost;
  }
}

/** The server sends us to a place where our credentials must not go. */
export class RedirectRefused extends Trouble {
  override readonly name = "RedirectRefused";
}

export type GitHttp = {
  readonly request: (request: GitHttpRequest) => Promise<GitHttpResponse>;
  /**
   * What broke a body while it was read, if anything did. isomorphic-git takes a broken body for one that
   * ended, so a listing cut short would read as branches gone: ask before believing what it says.
   */
  readonly failure: () => unknown;
};

export type Connections = {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  readonly close: () => void;
};

/** Connections that are kept between requests, for all repositories together. */
export function openConnections(certificateAuthority: string | undefined): Connections {
  const manner = { keepAlive: true, maxSockets: 8, maxFreeSockets: 4, timeout: 60_000 };
  const http = new HttpAgent(manner);
  const https = new HttpsAgent(
    certificateAuthority === undefined ? manner : { ...manner, ca: certificateAuthority },
  );
  return {
    http,
    https,
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
}

const redirectsMost = 3;

/**
 * The transport isomorphic-git asks for, for one exchange with one repository.
 *
 * `authorization` goes to the repository's own origin only: a redirect to another origin is refused when we
 * have a credential, and from https to http always. Later requests of the exchange go where the first was
 * sent. Aborting the signal breaks the connection.
 */
export function gitHttp(
  connections: Connections,
  authorization: string | undefined,
  limits: TransferLimits,
  signal: AbortSignal,
): GitHttp {
  let receivedBytes = 0;
  // Where the address given to us and the one we were sent to part ways.
  let moved: { readonly from: string; readonly to: string } | undefined;

  let failure: unknown;

  async function* watched(response: IncomingMessage): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const bytes of decodedBody(response)) {
        receivedBytes += bytes.length;
        if (receivedBytes > limits.bytesMost) throw new TransferTooLarge(limits.bytesMost);
        yield bytes;
      }
    } catch (error) {
      failure ??= error;
      throw error;
    }
  }

  return {
    failure: () => failure,
    request: async ({ url, method = "GET", headers = {}, body }) => {
      const chunks: Uint8Array[] = [];
      if (body !== undefined) for await (const chunk of body) chunks.push(chunk);
      const sent = Buffer.concat(chunks);
      const isPost = method !== "GET";
      let target = new URL(
        moved !== undefined && url.startsWith(moved.from)
          ? moved.to + url.slice(moved.from.length)
          : url,
      );
      for (let redirects = 0; ; redirects += 1) {
        const response = await exchange(
          connections,
          {
            target,
            method,
            headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
            body: isPost ? sent : undefined,
          },
          limits,
          signal,
        );
        const location = response.headers.location;
        const status = response.statusCode ?? 0;
        if (status < 300 || status > 399 || location === undefined)
          return {
            url: target.href,
            method,
            statusCode: status,
            statusMessage: response.statusMessage ?? "",
            headers: plainHeaders(response),
            body: watched(response),
          };
        response.resume();
        const next = nextTarget(target, location, authorization !== undefined, redirects);
        // Only the first question of an exchange may be sent elsewhere; what we post is for those we chose.
        const parted = partOfService(url, next.href);
        if (isPost || parted === undefined)
          throw new RedirectRefused(`${target.origin} redirects where Git has nothing to ask`);
        moved = parted;
        target = next;
      }
    },
  };
}

function nextTarget(from: URL, location: string, secret: boolean, redirects: number): URL {
  if (redirects >= redirectsMost) throw new RedirectRefused(`more than ${redirectsMost} redirects`);
  const to = URL.parse(location, from.href);
  if (to === null || (to.protocol !== "https:" && to.protocol !== "http:"))
    throw new RedirectRefused(`${from.origin} redirects to something that is not http`);
  if (from.protocol === "https:" && to.protocol === "http:")
    throw new RedirectRefused(`${from.origin} redirects from https to http`);
  if (to.username !== "" || to.password !== "")
    throw new RedirectRefused(`${from.origin} redirects to an address with a user in it`);
  if (secret && to.origin !== from.origin)
    throw new RedirectRefused(
      `${from.origin} redirects to ${to.origin}, where its credentials are not sent: use the new address`,
    );
  return to;
}

const serviceSuffix = "/info/refs?service=git-upload-pack";

function partOfService(from: string, to: string): { from: string; to: string } | undefined {
  if (!from.endsWith(serviceSuffix) || !to.endsWith(serviceSuffix)) return undefined;
  return { from: from.slice(0, -serviceSuffix.length), to: to.slice(0, -serviceSuffix.length) };
}

type Question = {
  readonly target: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

/** A kept connection may have been closed at the other end just now; a fresh one gets a second try. */
async function exchange(
  connections: Connections,
  question: Question,
  limits: TransferLimits,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const first = await ask(connections, question, limits, signal);
  if (first.kind === "answered") return first.response;
  if (!first.stale) throw first.error;
  const second = await ask(connections, question, limits, signal);
  if (second.kind === "answered") return second.response;
  throw second.error;
}

async function ask(
  connections: Connections,
  { target, method, headers, body }: Question,
  limits: TransferLimits,
  signal: AbortSignal,
): Promise<
  | { readonly kind: "answered"; readonly response: IncomingMessage }
  | { readonly kind: "failed"; readonly error: Error; readonly stale: boolean }
> {
  signal.throwIfAborted();
  const answered = Promise.withResolvers<IncomingMessage>();
  const secure = target.protocol === "https:";
  const outgoing = (secure ? httpsRequest : httpRequest)(target, {
    method,
    agent: secure ? connections.https : connections.http,
    headers: {
      ...headers,
      "user-agent": "git/wheelhouse",
      "accept-encoding": "gzip, deflate",
      ...(body === undefined ? {} : { "content-length": String(body.length) }),
    },
    timeout: limits.silenceMs,
    signal,
  });
  outgoing.on("timeout", () =>
    outgoing.destroy(new Trouble(`nothing arrived for ${limits.silenceMs} ms`)),
  );
  outgoing.on("error", answered.reject);
  outgoing.on("response", answered.resolve);
  outgoing.end(body);
  try {
    return { kind: "answered", response: await answered.promise };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    const reset = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
    return { kind: "failed", error, stale: outgoing.reusedSocket && reset };
  }
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
  );
}

function decodedBody(response: IncomingMessage): AsyncIterable<Buffer> {
  const encoding = response.headers["content-encoding"];
  if (encoding !== "gzip" && encoding !== "deflate") return response;
  const decoder = encoding === "gzip" ? createGunzip() : createInflate();
  response.on("error", (error) => decoder.destroy(error));
  return response.pipe(decoder);
}

/** What isomorphic-git answers, unless a body broke on the way: then what broke it is thrown. */
export async function unlessBroken<T>(http: GitHttp, answer: Promise<T>): Promise<T> {
  const value = await answer.catch((error: unknown) => {
    throw http.failure() ?? error;
  });
  if (http.failure() !== undefined) throw http.failure();
  return value;
}
