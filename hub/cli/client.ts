import { readFileSync } from "node:fs";
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { isAnswer, parts, text, type Answer } from "./answer.ts";
import type { CliContext } from "./config.ts";
import { CliFailure, exitCodes, unreadable, usage, type ExitCode } from "./exit-codes.ts";
import { eventsIn, type StreamEvent } from "./event-stream.ts";
import { oneLine } from "./terminal.ts";

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

export type Query = Readonly<Record<string, string | number | undefined>>;

export type ApiClient = {
  readonly server: string;
  readonly get: (path: string, query?: Query) => Promise<Answer>;
  readonly send: (method: Method, path: string, body?: unknown) => Promise<Answer>;
  /** Items of a paged list; `limit` 0 is all of them. `more`: whether the list goes on. */
  readonly list: (path: string, query: Query, limit: number) => Promise<List>;
  /** The body as it comes, whatever it is. */
  readonly raw: (method: Method, path: string, body?: string) => Promise<string>;
  /**
   * Events from `after` on, for ever: a lost connection is taken up again where it broke. Ends only by the
   * abort of `signal`, whose reason is thrown, or by a refusal.
   */
  readonly events: (
    after: number | undefined,
    query: Query,
    onTrouble: (problem: string, waitMs: number) => void,
    signal: AbortSignal,
  ) => AsyncGenerator<StreamEvent>;
  readonly close: () => void;
};

export type List = { readonly items: readonly Answer[]; readonly more: boolean };

export type ClientManner = {
  /** The time one answer may take. */
  readonly requestMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly userAgent: string;
};

const pageMost = 500;

/** Somebody looks on, so that the longest pause is a short one. */
const retry: BackoffPolicy = { firstMs: 500, factor: 2, mostMs: 10_000 };

/** A client of one hub. */
export function apiClient(
  context: CliContext,
  manner: ClientManner,
  signal: AbortSignal,
): ApiClient {
  const base = parseServer(context.server);
  const secure = base.protocol === "https:";
  const agent = secure
    ? new SecureAgent({ keepAlive: true, ...trust(context.caFile) })
    : new PlainAgent({ keepAlive: true });

  const exchange = (
    method: Method,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    within: AbortSignal,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      within.throwIfAborted();
      const url = new URL(path.replace(/^\//, ""), base);
      const outgoing = (secure ? secureRequest : plainRequest)(url, {
        method,
        agent,
        headers: {
          "user-agent": manner.userAgent,
          ...(context.token === "" ? {} : { authorization: `Bearer ${context.token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      });
      // Not node's own `signal`: it throws at a connection that went back to the agent a moment ago.
      const abort = () => outgoing.destroy();
      within.addEventListener("abort", abort, { once: true });
      outgoing.once("close", () => within.removeEventListener("abort", abort));
      outgoing.once("response", resolve);
      outgoing.on("error", reject);
      outgoing.end(body);
    });

  const unreachable = (error: unknown): CliFailure =>
    new CliFailure(
      exitCodes.unreachable,
      `the hub at ${base.origin} cannot be reached: ${reasonOf(error)}`,
      { hint: "is it running, and is the address right? `wheelhouse context list`", cause: error },
    );

  const ask = async (method: Method, path: string, body: string | undefined): Promise<string> => {
    const deadline = AbortSignal.timeout(manner.requestMs);
    const within = AbortSignal.any([signal, deadline]);
    try {
      const response = await exchange(method, path, { accept: "application/json" }, body, within);
      const received = await bodyOf(response);
      if ((response.statusCode ?? 0) >= 400) throw refusal(response, received);
      return received;
    } catch (error) {
      if (error instanceof CliFailure) throw error;
      signal.throwIfAborted();
      if (deadline.aborted)
        throw new CliFailure(
          exitCodes.timeout,
          `the hub did not answer within ${manner.requestMs / 1000} s`,
          { hint: "ask for less, or give it longer with --timeout" },
        );
      throw unreachable(error);
    }
  };

  const send = async (method: Method, path: string, body?: unknown): Promise<Answer> => {
    const received = await ask(method, path, body === undefined ? undefined : JSON.stringify(body));
    return received === "" ? {} : parseAnswer(received, base.origin);
  };
  const get = (path: string, query: Query = {}): Promise<Answer> =>
    send("GET", withQuery(path, query));

  return {
    server: base.href.replace(/\/$/, ""),
    get,
    send,
    raw: ask,
    list: async (path, query, limit) => {
      const items: Answer[] = [];
      let after: string | undefined;
      for (;;) {
        const room = limit === 0 ? pageMost : limit - items.length;
        const page = await get(path, { ...query, limit: Math.min(room, pageMost), after });
        items.push(...parts(page, "items"));
        const next = text(page, "next");
        if (next === "") return { items, more: false };
        if (limit !== 0 && items.length >= limit) return { items, more: true };
        after = next;
      }
    },
    events: async function* (after, query, onTrouble, within) {
      let position = after;
      for (let failures = 0; ;) {
        try {
          const path = withQuery("/v1/events", { ...query, after: position });
          const response = await exchange(
            "GET",
            path,
            { accept: "text/event-stream" },
            undefined,
            within,
          );
          if ((response.statusCode ?? 0) >= 400) throw refusal(response, await bodyOf(response));
          for await (const event of eventsIn(response)) {
            failures = 0;
            if (event.position !== undefined) position = event.position;
            yield event;
          }
          throw new Error("the hub ended the stream");
        } catch (error) {
          within.throwIfAborted();
          // A hub that is starting answers 503; everything else it says will not change by asking again.
          if (error instanceof CliFailure && error.exitCode !== exitCodes.unreachable) throw error;
          failures += 1;
          const waitMs = backoffMs(failures, retry, manner.random);
          onTrouble(error instanceof CliFailure ? error.message : reasonOf(error), waitMs);
          await manner.clock.sleep(waitMs, within);
        }
      }
    },
    close: () => agent.destroy(),
  };
}

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw usage(
      `${JSON.stringify(server)} is not the URL of a hub`,
      "like https://hub.example:8080",
    );
  if (url.username !== "" || url.password !== "" || url.search !== "")
    throw usage("the URL of a hub carries no user, password or query");
  // Paths are resolved against it, so a hub behind a prefix works too.
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function trust(caFile: string): { readonly ca?: Buffer } {
  if (caFile === "") return {};
  try {
    return { ca: readFileSync(caFile) };
  } catch (error) {
    throw unreadable(`the CA file ${caFile}`, error);
  }
}

function withQuery(path: string, query: Query): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) asked.set(name, String(value));
  }
  const words = asked.toString();
  return words === "" ? path : `${path}?${words}`;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parseAnswer(received: string, origin: string): Answer {
  try {
    const value: unknown = JSON.parse(received);
    if (isAnswer(value)) return value;
  } catch {
    // Said below.
  }
  throw new CliFailure(exitCodes.unreachable, `${origin} does not answer like a hub`, {
    hint: "is something else listening there, or a proxy in between?",
  });
}

/** A problem document as a failure with the exit code that fits it. */
function refusal(response: IncomingMessage, received: string): CliFailure {
  const status = response.statusCode ?? 0;
  const problem = problemIn(received);
  const detail = text(problem, "detail");
  const title = text(problem, "title");
  const fields = parts(problem, "errors").map(
    (field) => `\n  ${text(field, "in")} ${text(field, "pointer")}: ${text(field, "detail")}`,
  );
  const said = detail === "" ? `the hub answered ${status}` : detail;
  const message = fields.length > 1 ? `${title}:${fields.join("")}` : said;
  return new CliFailure(exitCodeFor(status), message, {
    hint: text(problem, "hint"),
    problemCode: text(problem, "code"),
  });
}

function problemIn(received: string): Answer {
  try {
    const value: unknown = JSON.parse(received);
    return isAnswer(value) ? value : {};
  } catch {
    return { detail: oneLine(received).slice(0, 200) };
  }
}

function exitCodeFor(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.forbidden;
  if (status === 404) return exitCodes.notFound;
  if (status === 409 || status === 412) return exitCodes.conflict;
  if (status === 504) return exitCodes.timeout;
  if (status === 502 || status === 503 || status === 429) return exitCodes.unreachable;
  return status >= 500 ? exitCodes.bug : exitCodes.usage;
}

/** Node hides the reason in `code` and, for several addresses, in the errors of an AggregateError. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return describeError(error);
}
