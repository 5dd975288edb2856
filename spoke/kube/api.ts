import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Counter } from "../../proto/kit/metrics.ts";
import type { Access, Credential } from "./credential.ts";
import {
  agentPool,
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
};

export type Answer = {
  readonly status: number;
  /** Parsed JSON; text that is not JSON stays text. */
  readonly body: unknown;
};

export type ApiSettings = {
  readonly version: string;
  /** For one try of a call, from sending to the last byte of the answer. */
  readonly callMs: number;
  readonly answerBytesMost: number;
  /** Connections for calls; watches have their own. */
  readonly socketsMost: number;
  /** Longest single wait that a Retry-After is obeyed for; longer ones are the loop's to wait. */
  readonly retryAfterMsMost: number;
};

export const apiDefaults: Omit<ApiSettings, "version"> = {
  // Admission webhooks may take 30 s; the API server gives up on a call after 60 s.
  callMs: 65_000,
  answerBytesMost: 64 * 1024 * 1024,
  socketsMost: 16,
  retryAfterMsMost: 10_000,
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
   * Retries what is safe to retry: an overloaded server after the pause it asks for, a broken connection
   * once, a refused credential once after reading it again. Throws ApiServerUnavailable after that.
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
  const { clock, random } = hooks;

  async function send(
    call: ApiCall,
    access: Access,
    limitMs: number,
    signal: AbortSignal,
  ): Promise<Exchange> {
    hooks.requests.add(1, { verb: call.verb });
    const agent = call.verb === "watch" ? agents.watches(access) : agents.calls(access);
    const sending: Sending = {
      method: call.method,
      path: pathOf(call),
      headers: {
        accept: call.accept ?? "application/json",
        "user-agent": `wheelhouse-spoke/${settings.version}`,
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
    let brokenBefore = false;
    let refusedBefore = false;
    for (let tries = 1; ; tries += 1) {
      const access = await credential.current(signal);
      try {
        return await attempt(access);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ConnectionBroke && !brokenBefore && (repeatable || error.reused)) {
          brokenBefore = true;
          continue;
        }
        if (error instanceof ApiServerUnavailable && error.status === 401 && !refusedBefore) {
          refusedBefore = true;
          credential.refused(access);
          continue;
        }
        const pauseMs = retryPauseMs(error, tries);
        if (pauseMs === undefined || tries >= triesMost) throw error;
        await clock.sleep(pauseMs, signal);
      }
    }

    /** 429 says nothing was done, and so do 503 and 504 of calls that may be repeated. */
    function retryPauseMs(error: unknown, tries: number): number | undefined {
      if (!(error instanceof ApiServerUnavailable)) return undefined;
      const { status, retryAfterMs } = error;
      const overloaded =
        status === 429 ||
        (repeatable && (status === 503 || (status !== undefined && retryAfterMs !== undefined)));
      if (!overloaded) return undefined;
      const pauseMs = retryAfterMs ?? backoffMs(tries, overloadPause, random);
      return pauseMs > settings.retryAfterMsMost ? undefined : pauseMs;
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
      await withRetries(
        call,
        async (access) => await finish(await send(call, access, settings.callMs, signal), call),
        signal,
      ),
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
    return JSON.parse(text) as unknown;
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

/** The trouble for an answer that no caller has a meaning for. */
export const unexpectedAnswer = (answer: Answer, what: string): ApiServerUnavailable =>
  new ApiServerUnavailable(
    `${what}: the API server answered ${answer.status}: ${messageOf(answer)}`,
    {
      status: answer.status,
    },
  );
