/** A Kubernetes cluster in this process: the API over HTTPS, and controllers that act in simulated time. */
import { randomBytes } from "node:crypto";
import { createCertificateAuthority, type CertifiedKey } from "../certificates.ts";
import { serviceAccountUser, Tokens, user, type User } from "./access.ts";
import type { Answer } from "./answers.ts";
import { Api } from "./api.ts";
import { bootstrap } from "./bootstrap.ts";
import { startControllers, type Failure } from "./controllers/controllers.ts";
import { RequestCounters, type RequestRecord, type RequestSnapshot } from "./counters.ts";
import { Faults, type FaultMatch, type Rejection } from "./faults.ts";
import type { Json, JsonMap } from "./json.ts";
import { Kinds } from "./kinds.ts";
import { listen } from "./listen.ts";
import { uidOf, type KubeObject } from "./object.ts";
import type { ApiRequest } from "./request.ts";
import { Resources } from "./resources.ts";
import { SimulatedTime, type TimeOptions } from "./simulated-time.ts";
import { Store } from "./store.ts";
import { Watches } from "./watch.ts";

export type SimulatedClusterOptions = {
  /** In the kubeconfig. Default `simulated`. */
  readonly name?: string;
  /** Exist from the start, beside `default` and the system's own. */
  readonly namespaces?: readonly string[];
  /** Default: a thousand times as fast as life, so that a Deployment is ready within milliseconds. */
  readonly time?: TimeOptions;
  /** Without them nothing becomes ready, collected or finalized. Default true. */
  readonly controllers?: boolean;
  /** Whether roles decide what users may do; otherwise whoever has a token may do everything. Default false. */
  readonly rbac?: boolean;
  /** Names of the nodes. Default one. */
  readonly nodes?: readonly string[];
  /** How many changes watches may lag behind before they get 410. Default 1000. */
  readonly historyMost?: number;
  /** Fate of a pod; `undefined` for a healthy one. Asked after the annotation and the image. */
  readonly failureOf?: (pod: KubeObject) => Failure | undefined;
  /** Default 0: any free port. */
  readonly port?: number;
  /** In [0, 1). */
  readonly random?: () => number;
};

export type CallResult = { readonly status: number; readonly body: Json };

export type SimulatedCluster = {
  readonly name: string;
  readonly url: string;
  readonly caPem: string;
  /** Of a member of `system:masters`. */
  readonly adminToken: string;
  /** A new token for a user; `token` to choose it. */
  readonly addToken: (who: {
    readonly user: string;
    readonly groups?: readonly string[];
    readonly token?: string;
  }) => string;
  /** A new token of a service account, which need not exist yet. */
  readonly serviceAccountToken: (namespace: string, name: string) => string;
  readonly revokeToken: (token: string) => void;
  /** Kubeconfig as YAML: token, and the CA inline. The admin's token unless another is given. */
  readonly kubeconfig: (token?: string) => string;
  /** Requests that came in over HTTPS since the start or the last reset. */
  readonly requests: {
    readonly snapshot: () => RequestSnapshot;
    readonly recent: () => readonly RequestRecord[];
    readonly reset: () => void;
  };
  readonly faults: {
    readonly reject: (rejection: Rejection) => void;
    readonly drop: (options?: { readonly match?: FaultMatch; readonly times?: number }) => void;
    readonly delay: (options: {
      readonly match?: FaultMatch;
      readonly times?: number;
      readonly delayMs: number;
    }) => void;
    /** Ends every open watch and returns how many there were. */
    readonly closeWatches: () => number;
    /** Sends every open watch a 410 and ends it. */
    readonly expireWatches: () => number;
    /** Forgets history: watches and continue tokens from before now get 410. */
    readonly compact: () => void;
    /** Cuts every connection, as a restarting API server does. */
    readonly cutConnections: () => void;
    readonly clear: () => void;
  };
  readonly time: {
    readonly nowMs: () => number;
    /** Moves a manual clock; what becomes due happens in order. Throws when the clock runs by itself. */
    readonly advance: (byMs: number) => Promise<void>;
  };
  /** The admin's request without network, counting or faults: for looking and poking from a test. */
  readonly call: (
    method: string,
    pathAndQuery: string,
    body?: Json,
    headers?: { readonly [name: string]: string },
  ) => Promise<CallResult>;
  /** Objects as they are now, by `group/plural` (`apps/deployments`, `/configmaps`). */
  readonly list: (kind: string, namespace?: string) => readonly KubeObject[];
  readonly get: (kind: string, namespace: string, name: string) => KubeObject | undefined;
  readonly openWatches: () => number;
  readonly stop: () => Promise<void>;
};

/** All clusters of a process share one authority and one certificate: making them is most of a start. */
let sharedIdentity:
  | Promise<{ readonly caPem: string; readonly certificate: CertifiedKey }>
  | undefined;

async function makeIdentity(): Promise<{
  readonly caPem: string;
  readonly certificate: CertifiedKey;
}> {
  const authority = await createCertificateAuthority("simulated-kubernetes-ca");
  const certificate = await authority.issue({
    commonName: "kube-apiserver",
    use: "server",
    hosts: ["127.0.0.1", "::1", "localhost", "kubernetes.default.svc"],
  });
  return { caPem: authority.certificatePem, certificate };
}

/** Listens on loopback. `stop` ends everything it started. */
export async function startSimulatedCluster(
  options: SimulatedClusterOptions = {},
): Promise<SimulatedCluster> {
  const name = options.name ?? "simulated";
  const random = options.random ?? Math.random;
  const { caPem, certificate } = await (sharedIdentity ??= makeIdentity());
  const store = new Store(options.historyMost ?? 1000);
  const kinds = new Kinds();
  const time = new SimulatedTime(options.time ?? { kind: "speed", factor: 1000 });
  const resources = new Resources({ store, kinds, time, random });
  const watches = new Watches(store);
  const tokens = new Tokens();
  const counters = new RequestCounters();
  const faults = new Faults();
  const api = new Api({
    store,
    kinds,
    resources,
    watches,
    tokens,
    counters,
    faults,
    time,
    rbac: options.rbac ?? false,
    random,
  });

  const admin = user("admin", ["system:masters"]);
  const addToken = (who: User, token = randomBytes(24).toString("base64url")): string => {
    tokens.add(token, who);
    return token;
  };
  const adminToken = addToken(admin);

  const controllers = startControllers({
    store,
    kinds,
    resources,
    watches,
    time,
    random,
    caPem,
    isWhole: options.controllers ?? true,
    failureOf: options.failureOf ?? (() => undefined),
  });
  bootstrap(resources, options.namespaces ?? []);
  if (options.controllers ?? true) controllers.furnish(options.nodes ?? ["node-1"]);

  const server = await listen((request) => api.handle(request), {
    certificate,
    port: options.port ?? 0,
  });

  return {
    name,
    url: server.url,
    caPem,
    adminToken,
    addToken: (who) => addToken(user(who.user, who.groups), who.token),
    serviceAccountToken: (namespace, account) => {
      const found = store.get("/serviceaccounts", namespace, account);
      const uid = found === undefined ? "" : uidOf(found);
      return addToken(serviceAccountUser(namespace, account, uid));
    },
    revokeToken: (token) => tokens.revoke(token),
    kubeconfig: (token = adminToken) => kubeconfigText(name, server.url, caPem, token),
    requests: {
      snapshot: () => counters.snapshot(),
      recent: () => counters.recent(),
      reset: () => counters.reset(),
    },
    faults: {
      reject: (rejection) => faults.reject(rejection),
      drop: (rule) => faults.drop(rule),
      delay: (rule) => faults.delay(rule),
      closeWatches: () => watches.closeAll(),
      expireWatches: () => watches.expireAll(),
      compact: () => store.compact(),
      cutConnections: () => server.cutConnections(),
      clear: () => faults.clear(),
    },
    time: { nowMs: () => time.nowMs(), advance: (byMs) => time.advance(byMs) },
    call: async (method, pathAndQuery, body, headers = {}) =>
      resultOf(api.call(requestOf(method, pathAndQuery, body, headers), admin)),
    list: (kind, namespace) => store.list(kind, namespace),
    get: (kind, namespace, object) => store.get(kind, namespace, object),
    openWatches: () => watches.count,
    stop: async () => {
      controllers.stop();
      time.stop();
      watches.closeAll();
      await server.stop();
    },
  };
}

const contentTypes: { readonly [method: string]: string } = {
  PATCH: "application/merge-patch+json",
};

function requestOf(
  method: string,
  pathAndQuery: string,
  body: Json | undefined,
  headers: { readonly [name: string]: string },
): ApiRequest {
  const url = new URL(pathAndQuery, "https://cluster");
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers: {
      "user-agent": "kubectl/simulated",
      "content-type": contentTypes[method] ?? "application/json",
      ...headers,
    },
    body: body === undefined ? "" : JSON.stringify(body),
  };
}

function resultOf(answer: Answer): CallResult {
  if (answer.kind !== "whole") throw new TypeError("a watch needs a connection");
  const text = answer.body;
  return { status: answer.code, body: text.startsWith("{") ? (JSON.parse(text) as JsonMap) : text };
}

function kubeconfigText(name: string, url: string, caPem: string, token: string): string {
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    `- name: ${name}`,
    "  cluster:",
    `    server: ${url}`,
    `    certificate-authority-data: ${Buffer.from(caPem).toString("base64")}`,
    "users:",
    "- name: admin",
    "  user:",
    `    token: ${token}`,
    "contexts:",
    `- name: ${name}`,
    "  context:",
    `    cluster: ${name}`,
    "    user: admin",
    `current-context: ${name}`,
    "",
  ].join("\n");
}
