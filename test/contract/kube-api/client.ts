/** A thin client for contract cases: one request, one reply, nothing retried and nothing interpreted. */
import { Agent, request, type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { isMap, mapAt, textAt, type Json, type JsonMap } from "../../support/cluster/json.ts";

export type Reply = {
  readonly code: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** Empty when the reply is not JSON. */
  readonly body: JsonMap;
};

export type Query = { readonly [name: string]: string };

export type RequestExtras = {
  readonly query?: Query;
  readonly headers?: { readonly [name: string]: string | readonly string[] };
};

export type WatchEvent = { readonly type: string; readonly object: JsonMap };

export type OpenWatch = {
  readonly code: number;
  /** The next event, or `undefined` when the server ends the watch. Throws when neither comes in time. */
  readonly next: (withinMs?: number) => Promise<WatchEvent | undefined>;
  readonly close: () => void;
};

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export class KubeClient {
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #agent: Agent;

  constructor(access: { readonly url: string; readonly caPem: string; readonly token?: string }) {
    this.#url = new URL(access.url);
    this.#token = access.token;
    this.#agent = new Agent({ keepAlive: true, ca: access.caPem, maxSockets: 20 });
  }

  close(): void {
    this.#agent.destroy();
  }

  get(path: string, query: Query = {}): Promise<Reply> {
    return this.send("GET", path, undefined, { query });
  }

  create(path: string, object: Json, query: Query = {}): Promise<Reply> {
    return this.send("POST", path, object, { query });
  }

  update(path: string, object: Json, query: Query = {}): Promise<Reply> {
    return this.send("PUT", path, object, { query });
  }

  patch(type: "merge" | "json" | "strategic", path: string, patch: Json, query: Query = {}) {
    return this.send("PATCH", path, patch, {
      query,
      headers: { "content-type": patchTypes[type] },
    });
  }

  /** Server-side apply to the address of the object. */
  apply(manager: string, path: string, object: Json, query: Query = {}): Promise<Reply> {
    return this.send("PATCH", path, object, {
      query: { fieldManager: manager, ...query },
      headers: { "content-type": patchTypes.apply },
    });
  }

  delete(path: string, options?: Json, query: Query = {}): Promise<Reply> {
    return this.send("DELETE", path, options, { query });
  }

  async send(
    method: string,
    path: string,
    body: Json | string | undefined,
    extras: RequestExtras = {},
  ): Promise<Reply> {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const response = await this.#open(method, path, payload, extras);
    let text = "";
    response.setEncoding("utf8");
    for await (const chunk of response) text += String(chunk);
    return { code: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) };
  }

  async watch(path: string, query: Query = {}): Promise<OpenWatch> {
    const response = await this.#open("GET", path, undefined, { query: { watch: "1", ...query } });
    return new LineWatch(response);
  }

  #open(
    method: string,
    path: string,
    payload: string | undefined,
    { query = {}, headers = {} }: RequestExtras,
  ): Promise<IncomingMessage> {
    const search = new URLSearchParams(query).toString();
    const options: RequestOptions = {
      agent: this.#agent,
      host: this.#url.hostname,
      port: this.#url.port,
      method,
      path: search === "" ? path : `${path}?${search}`,
      headers: {
        accept: "application/json",
        "user-agent": "contract/1.0",
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(payload === undefined
          ? {}
          : {
              "content-type": "application/json",
              "content-length": String(Buffer.byteLength(payload)),
            }),
        ...Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            typeof value === "string" ? value : [...value],
          ]),
        ),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve);
      outgoing.on("error", reject);
      outgoing.end(payload);
    });
  }
}

class LineWatch implements OpenWatch {
  readonly code: number;
  readonly #response: IncomingMessage;
  readonly #events: (WatchEvent | undefined)[] = [];
  #news = Promise.withResolvers<void>();

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.code = response.statusCode ?? 0;
    let partial = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      const lines = (partial + chunk).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) {
        const value = parsed(line);
        if (line !== "") this.#add({ type: textAt(value, "type"), object: mapAt(value, "object") });
      }
    });
    response.on("close", () => this.#add(undefined));
    response.on("error", () => undefined);
  }

  async next(withinMs = 10_000): Promise<WatchEvent | undefined> {
    const timeout = AbortSignal.timeout(withinMs);
    while (this.#events.length === 0) {
      const late = Promise.withResolvers<never>();
      const onLate = (): void => late.reject(new Error(`no watch event within ${withinMs} ms`));
      timeout.addEventListener("abort", onLate, { once: true });
      await Promise.race([this.#news.promise, late.promise]);
      timeout.removeEventListener("abort", onLate);
    }
    return this.#events.shift();
  }

  close(): void {
    this.#response.destroy();
  }

  #add(event: WatchEvent | undefined): void {
    this.#events.push(event);
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}

function parsed(text: string): JsonMap {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : {};
  } catch {
    return {};
  }
}
