import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { runGit } from "./fleet-repository.ts";

/** What the server does to every request, for tests of bad days. */
export type GitFault =
  | { readonly kind: "none" }
  /** Closes the connection without an answer. */
  | { readonly kind: "down" }
  | { readonly kind: "slow"; readonly delayMs: number }
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "redirect"; readonly to: string }
  /** Answers, and breaks the connection once so many bytes of the body have gone. */
  | { readonly kind: "cut"; readonly afterBytes: number };

export type GitServer = {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Creates an empty bare repository and returns its folder; it is served at `urlOf(name)`. */
  readonly addRepository: (name: string, signal: AbortSignal) => Promise<string>;
  readonly urlOf: (name: string) => string;
  readonly setFault: (fault: GitFault) => void;
  /** Requests answered since the start or the last `resetCounts`, by what they asked for. */
  readonly counts: () => GitRequestCounts;
  readonly resetCounts: () => void;
  /** Header of the last request, for tests of what was sent. */
  readonly lastAuthorization: () => string | undefined;
  readonly stop: () => Promise<void>;
};

export type GitRequestCounts = {
  readonly advertisements: number;
  readonly uploads: number;
  readonly receives: number;
  readonly refused: number;
};

export type GitServerSettings = {
  /** Where the bare repositories lie. */
  readonly folder: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Everyone is let in when absent. */
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly bearerToken?: string;
  /** Told of each push that arrived, after it was taken in; for webhooks. */
  readonly onPush?: (name: string) => void;
};

/**
 * A real smart-HTTP Git server on loopback: `git http-backend` behind a small CGI bridge.
 *
 * Fetching and pushing work as on any Git host. It stops when the signal aborts or `stop` is called.
 */
export async function startGitServer(
  settings: GitServerSettings,
  signal: AbortSignal,
): Promise<GitServer> {
  await mkdir(settings.folder, { recursive: true });
  let fault: GitFault = { kind: "none" };
  let counts: GitRequestCounts = noRequests;
  let lastAuthorization: string | undefined;
  const stopping = new AbortController();

  const count = (what: keyof GitRequestCounts): void => {
    counts = { ...counts, [what]: counts[what] + 1 };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, search } = new URL(request.url ?? "/", "http://git.invalid");
    lastAuthorization = request.headers.authorization;
    if (fault.kind === "down") {
      request.socket.destroy();
      return;
    }
    if (fault.kind === "slow") await pause(fault.delayMs, undefined, { signal: stopping.signal });
    if (fault.kind === "status") {
      response.writeHead(fault.status).end("fault");
      return;
    }
    if (fault.kind === "redirect") {
      response.writeHead(302, { location: `${fault.to}${pathname}${search}` }).end();
      return;
    }
    if (!admits(settings, lastAuthorization)) {
      count("refused");
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    if (pathname.endsWith("/info/refs")) count("advertisements");
    else if (pathname.endsWith("/git-upload-pack")) count("uploads");
    else if (pathname.endsWith("/git-receive-pack")) count("receives");
    await bridge(settings.folder, pathname, search.slice(1), request, response, () =>
      fault.kind === "cut" ? fault.afterBytes : Infinity,
    );
    if (pathname.endsWith("/git-receive-pack"))
      settings.onPush?.(pathname.slice(1, -"/git-receive-pack".length).replace(/\.git$/, ""));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(settings.port ?? 0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const stop = async (): Promise<void> => {
    stopping.abort();
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
  };
  signal.addEventListener("abort", () => void stop(), { once: true });

  return {
    url,
    addRepository: async (name, addSignal) => {
      const folder = join(settings.folder, `${name}.git`);
      await mkdir(folder, { recursive: true });
      await runGit(
        folder,
        ["init", "--quiet", "--bare", "--initial-branch=main", "."],
        "",
        addSignal,
      );
      await runGit(folder, ["config", "http.receivepack", "true"], "", addSignal);
      // Tidying up after a push would outlive the server.
      await runGit(folder, ["config", "receive.autogc", "false"], "", addSignal);
      return folder;
    },
    urlOf: (name) => `${url}/${name}.git`,
    setFault: (next) => {
      fault = next;
    },
    counts: () => counts,
    resetCounts: () => {
      counts = noRequests;
    },
    lastAuthorization: () => lastAuthorization,
    stop,
  };
}

const noRequests: GitRequestCounts = { advertisements: 0, uploads: 0, receives: 0, refused: 0 };

function admits(settings: GitServerSettings, authorization: string | undefined): boolean {
  const { basicAuth, bearerToken } = settings;
  if (basicAuth === undefined && bearerToken === undefined) return true;
  if (bearerToken !== undefined && authorization === `Bearer ${bearerToken}`) return true;
  if (basicAuth === undefined) return false;
  const pair = Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString("base64");
  return authorization === `Basic ${pair}`;
}

/** One request through `git http-backend`: CGI variables in, headers and body out. */
async function bridge(
  folder: string,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
  cutAfterBytes: () => number,
): Promise<void> {
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = Promise.withResolvers<void>();
  child.once("error", ended.reject);
  child.once("close", () => ended.resolve());
  // A client that leaves early must not leave a child behind.
  response.once("close", () => child.kill());
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);

  let head: Buffer | undefined = Buffer.alloc(0);
  let sentBytes = 0;
  for await (const chunk of child.stdout) {
    let body = chunk as Buffer;
    if (head !== undefined) {
      head = Buffer.concat([head, body]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) continue;
      writeCgiHead(head.subarray(0, end).toString("latin1"), response);
      body = head.subarray(end + 4);
      head = undefined;
    }
    sentBytes += body.length;
    if (sentBytes > cutAfterBytes()) {
      response.write(body.subarray(0, Math.max(0, body.length - (sentBytes - cutAfterBytes()))));
      await pause(5);
      request.socket.destroy();
      break;
    }
    if (!response.write(body)) {
      const drained = Promise.withResolvers<void>();
      response.once("drain", drained.resolve);
      response.once("close", drained.resolve);
      await drained.promise;
    }
  }
  response.end();
  await ended.promise;
}

function writeCgiHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
