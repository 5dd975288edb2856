import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Counter } from "../../proto/kit/metrics.ts";
import { NotPermitted, type Trouble } from "../../proto/kit/trouble.ts";
import { userOfServiceAccount, type ServiceAccount } from "../../proto/words/service-account.ts";
import { parseExactJson } from "../domain/exact-json.ts";
import { CallLimit, type Place } from "./call-limit.ts";
import type { Access, Credential } from "./credential.ts";
import {
  agentPool,
  connectionsKeptMost,
  ConnectionBroke,
  startExchange,
  type Exchange,
  type Sending,
} from "./exchange.ts";
import { isRecord, textOf } from "./json.ts";
import { ApiServerUnavailable } from "./trouble.ts";

/** What a request is counted under. */
export type Verb =
  | "get"
  | "list"
  | "watch"
  | "apply"
  | "dry-run"
  | "create"
  | "update"
  | "delete"
  | "discovery";

export type ApiCall = {
  readonly verb: Verb;
  readonly method: Sending["method"];
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as it is: JSON text. */
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** Whose rights the call is made with. Left out: the spoke's own. */
  readonly as?: ServiceAccount;
};

export type Answer = {
  readonly status: number;
  /** Parsed JSON, with whole numbers too large for a double as bigints; text that is not JSON stays text. */
  readonly body: unknown;
};

export type ApiSettings = {
  readonly version: string;
  /** For one try of a call, from sending to the last byte of the answer. */
  readonly callMs: number;
  readonly answerBytesMost: number;
  /** Calls at once and connections for them; watches have their own. Fewer while the server pushes back. */
  readonly socketsMost: number;
  /** Longest single wait that a Retry-After is obeyed for; longer ones are the loop's to wait. */
  readonly retryAfterMsMost: number;
  /** A call is not repeated any more once it has taken this long with its pauses. */
  readonly retryMsMost: number;
};

export const apiDefaults: Omit<ApiSettings, "version"> = {
  // Admission webhooks may take 30 s; the API server gives up on a call after 60 s.
  callMs: 65_000,
  answerBytesMost: 64 * 1024 * 1024,
  socketsMost: 16,
  retryAfterMsMost: 30_000,
  retryMsMost: 60_000,
};

export type ApiHooks = {
  /** Told of each request sent, with the label `verb`. */
  readonly requests: Counter;
  readonly clock: Clock;
  readonly random: () => number;
};

export type Api = {
  /**
   * The answer of the API server, whatever its status below 500 other than 401 and 429.
   *
   * Retries what is safe to retry: an overloaded server after the pause it asks for, a failing one after a
   * pause with jitter, a broken connection once, a refused credential or certificate once after reading ours
   * again. Throws ApiServerUnavailable after that.
   */
  readonly call: (call: ApiCall, signal: AbortSignal) => Promise<Answer>;
  /** A streamed answer when its status is 200, otherwise as `call`. `limitMs` ends it. */
  readonly stream: (
    call: ApiCall,
    limitMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly exchange: Exchange } | { readonly answer: Answer }>;
  /** Ends all connections. */
  readonly close: () => void;
};

const triesMost = 4;
const overloadPause: BackoffPolicy = { firstMs: 200, factor: 2, mostMs: 2_000 };

/** A client of one API server: JSON over HTTPS, with few connections that are kept. */
export function openApi(credential: Credential, settings: ApiSettings, hooks: ApiHooks): Api {
  const agents = agentPool(settings.socketsMost);
  const limit = new CallLimit(settings.socketsMost);
  const { clock, random } = hooks;

  async function send(
    call: ApiCall,
    access: Access,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<Exchange> {
    const identity = identityOf(call, access);
    hooks.requests.add(1, { verb: call.verb });
    const agent = call.verb === "watch" ? agents.watches(access) : agents.calls(access);
    const sending: Sending = {
      method: call.method,
      path: pathOf(call),
      headers: {
        accept: call.accept ?? "application/json",
        "user-agent": `wheelhouse-spoke/${settings.version}`,
        ...identity,
        ...(call.body === undefined
          ? {}
          : { "content-type": call.contentType ?? "application/json" }),
      },
      body: call.body,
      limitMs,
    };
    return await startExchange(access, agent, sending, signal);
  }

  /** Repeats `attempt` while its failure is one that a repetition may heal at once. */
  async function withRetries<T>(
    call: ApiCall,
    attempt: (access: Access) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const repeatable = call.method !== "POST";
    const startedAtMs = clock.nowMs();
    let brokenBefore = false;
    let deadConnections = 0;
    let refusedBefore = false;
    for (let tries = 1; ; tries += 1) {
      const access = await credential.current(signal);
      try {
        return await attempt(access);
      } catch (error) {
        signal.throwIfAborted();
        if (!refusedBefore && isRefused(error)) {
          refusedBefore = true;
          credential.refused(access);
          continue;
        }
        if (error instanceof ConnectionBroke && !error.untrusted) {
          // Every connection kept from before a restart of the server may turn out to be dead.
          if (error.reused && deadConnections < connectionsKeptMost) {
            deadConnections += 1;
            continue;
          }
          if (repeatable && !brokenBefore) {
            brokenBefore = true;
            continue;
          }
        }
        const pauseMs = retryPauseMs(error, call, tries);
        const isLate = clock.nowMs() - startedAtMs + (pauseMs ?? 0) > settings.retryMsMost;
        if (pauseMs === undefined || tries - deadConnections >= triesMost || isLate) throw error;
        await clock.sleep(pauseMs, signal);
      }
    }
  }

  function retryPauseMs(error: unknown, call: ApiCall, tries: number): number | undefined {
    if (!(error instanceof ApiServerUnavailable) || !mayPass(error, call)) return undefined;
    const pauseMs = error.retryAfterMs ?? backoffMs(tries, overloadPause, random);
    return pauseMs > settings.retryAfterMsMost ? undefined : pauseMs;
  }

  /** One try of a call, with one of the places there are; pauses between tries hold none. */
  async function callOnce(call: ApiCall, access: Access, signal: AbortSignal): Promise<Answer> {
    const place = await limit.enter(signal);
    let how: Parameters<Place["leave"]>[0] = "other";
    try {
      const answer = await finish(await send(call, access, settings.callMs, signal), call);
      how = "served";
      return answer;
    } catch (error) {
      if (error instanceof ApiServerUnavailable && isPushBack(error.status)) how = "pushed-back";
      throw error;
    } finally {
      place.leave(how);
    }
  }

  async function finish(exchange: Exchange, call: ApiCall): Promise<Answer> {
    const body = parseBody(await readBounded(exchange, settings.answerBytesMost, call));
    const answer = { status: exchange.status, body };
    if (answer.status >= 500 || answer.status === 429 || answer.status === 401)
      throw refusal(answer, exchange.headers["retry-after"], call, clock.nowMs());
    return answer;
  }

  return {
    call: async (call, signal) =>
      await withRetries(call, async (access) => await callOnce(call, access, signal), signal),
    stream: async (call, limitMs, signal) =>
      await withRetries(
        call,
        async (access) => {
          const exchange = await send(call, access, limitMs, signal);
          return exchange.status === 200 ? { exchange } : { answer: await finish(exchange, call) };
        },
        signal,
      ),
    close: agents.close,
  };
}

/** Whom the call is to be judged as, when that is not the spoke itself. */
function identityOf(
  call: ApiCall,
  access: Access,
): Readonly<Record<string, string | readonly string[]>> {
  if (call.as === undefined) return access.actingAs;
  // Nobody can act as one who acts as another; with the first one's rights it would not be what was asked.
  if (Object.keys(access.actingAs).length > 0)
    throw new NotPermitted(
      `the kubeconfig says to act as another user, so service account ${call.as} cannot be acted as; take \`as\` out of it`,
    );
  return { "impersonate-user": userOfServiceAccount(call.as) };
}

/** The credential was not accepted, or one side's certificate was not: reading ours again may heal it. */
const isRefused = (error: unknown): boolean =>
  error instanceof ConnectionBroke
    ? error.untrusted
    : error instanceof ApiServerUnavailable && error.status === 401;

const isPushBack = (status: number | undefined): boolean =>
  status === 429 || status === 503 || status === 504;

/** What an API server says while its store changes leaders or catches up. */
const passingStoreTrouble =
  /etcdserver: (leader changed|no leader|request timed out|server stopped)/;

/**
 * Whether the same call may succeed soon, and may be repeated.
 *
 * 429 says that nothing was done. Anything else is repeated only when doing it twice is doing it once. A plain
 * 500 to a write is most often an admission webhook's, which another try costs as much as the first.
 */
function mayPass({ status, retryAfterMs, said }: ApiServerUnavailable, call: ApiCall): boolean {
  if (status === 429) return true;
  if (status === undefined || status < 500 || call.method === "POST") return false;
  if (status !== 500 || retryAfterMs !== undefined)
    return status <= 504 || retryAfterMs !== undefined;
  // A watch that cannot be opened is its watcher's to open again.
  return call.method === "GET" ? call.verb !== "watch" : passingStoreTrouble.test(said);
}

/** The same client, where every call is made with the rights of a service account. */
export const actingAs = (api: Api, account: ServiceAccount): Api => ({
  ...api,
  call: (call, signal) => api.call({ ...call, as: account }, signal),
  stream: (call, limitMs, signal) => api.stream({ ...call, as: account }, limitMs, signal),
});

function pathOf({ path, query }: ApiCall): string {
  if (query === undefined) return path;
  return `${path}?${new URLSearchParams({ ...query }).toString()}`;
}

async function readBounded(exchange: Exchange, bytesMost: number, call: ApiCall): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of exchange.chunks()) {
    bytes += chunk.byteLength;
    if (bytes > bytesMost) {
      exchange.close();
      throw new ApiServerUnavailable(
        `the answer to ${call.verb} ${call.path} is larger than ${bytesMost} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString("utf8");
}

function parseBody(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}

function refusal(
  answer: Answer,
  retryAfter: string | undefined,
  call: ApiCall,
  nowMs: number,
): ApiServerUnavailable {
  const said = answer.status === 401 ? "the credential is not accepted" : messageOf(answer);
  return new ApiServerUnavailable(
    `the API server answered ${answer.status} to ${call.verb} ${call.path}: ${said}`,
    { status: answer.status, retryAfterMs: parseRetryAfter(retryAfter, nowMs), said },
  );
}

/** What a Status says; for anything else its beginning. */
export function messageOf(answer: Answer): string {
  if (isRecord(answer.body)) return textOf(answer.body["message"]) || textOf(answer.body["reason"]);
  return typeof answer.body === "string" ? answer.body.trim().slice(0, 200) : "";
}

/** Seconds, or the date to wait for. */
function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text.trim())) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** The trouble of a read that was refused: 403 is its own, everything else means nothing to the caller. */
export const refusedRead = (answer: Answer, what: string): Trouble =>
  answer.status === 403
    ? new NotPermitted(`${what}: ${messageOf(answer)}`)
    : unexpectedAnswer(answer, what);

/** The trouble for an answer that no caller has a meaning for. */
export const unexpectedAnswer = (answer: Answer, what: string): ApiServerUnavailable =>
  new ApiServerUnavailable(
    `${what}: the API server answered ${answer.status}: ${messageOf(answer)}`,
    {
      status: answer.status,
    },
  );
