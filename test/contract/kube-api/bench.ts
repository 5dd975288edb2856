/** What every contract case works with: a connection, a namespace of its own, and a few manifests. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import {
  at,
  isList,
  mapAt,
  mapsAt,
  textAt,
  type Json,
  type JsonMap,
} from "../../support/cluster/json.ts";
import { KubeClient, type Query, type Reply } from "./client.ts";

/** An API server to hold against the contract. The token must be allowed everything; RBAC must be on. */
export type ApiServer = {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
  /** Whether controllers run and pods become ready; cases that need them are skipped otherwise. */
  readonly controllers: boolean;
  readonly stop: () => Promise<void>;
};

export type CustomKind = {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly path: (namespace: string) => string;
  readonly apiVersion: string;
  readonly name: string;
};

export class Bench {
  readonly server: ApiServer;
  readonly api: KubeClient;
  readonly #others: KubeClient[] = [];
  readonly #kinds = new Map<string, Promise<CustomKind>>();

  constructor(server: ApiServer) {
    this.server = server;
    this.api = new KubeClient(server);
  }

  /** Somebody else: another token, or none. */
  as(token: string | undefined): KubeClient {
    const client = new KubeClient({
      url: this.server.url,
      caPem: this.server.caPem,
      ...(token === undefined ? {} : { token }),
    });
    this.#others.push(client);
    return client;
  }

  /** A namespace that no other case uses. */
  async namespace(): Promise<string> {
    const name = unique("contract");
    const reply = await this.api.create("/api/v1/namespaces", { metadata: { name } });
    assert.equal(reply.code, 201, reply.text);
    return name;
  }

  /** A custom kind as every case gets it that leaves the definition alone: each takes the server a while. */
  sharedKind(schema: JsonMap = preserving, changes: JsonMap = {}): Promise<CustomKind> {
    const key = JSON.stringify([schema, changes]);
    let kind = this.#kinds.get(key);
    if (kind === undefined) this.#kinds.set(key, (kind = this.customKind(schema, changes)));
    return kind;
  }

  /** A custom kind that no other case uses, once it is served. */
  async customKind(schema: JsonMap = preserving, changes: JsonMap = {}): Promise<CustomKind> {
    const suffix = randomBytes(4).toString("hex");
    const group = `g${suffix}.example.com`;
    const plural = `widget${suffix}s`;
    const kind = `Widget${suffix}`;
    const name = `${plural}.${group}`;
    const reply = await this.api.create(definitionsPath, {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural, kind },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            ...changes,
          },
        ],
      },
    });
    assert.equal(reply.code, 201, reply.text);
    await this.until(`${definitionsPath}/${name}`, (found) => {
      const established = conditionStatus(found, "Established");
      assert.equal(established, "True");
    });
    const path = (namespace: string): string =>
      `/apis/${group}/v1/namespaces/${namespace}/${plural}`;
    await eventually(
      async () => {
        const list = await this.api.get(path("default"));
        assert.equal(list.code, 200, list.text);
      },
      { what: `${name} being served` },
    );
    return { group, plural, kind, path, apiVersion: `${group}/v1`, name };
  }

  /** Reads until what is there passes the check. */
  until(
    path: string,
    check: (found: JsonMap, reply: Reply) => void,
    withinMs = 30_000,
  ): Promise<JsonMap> {
    return eventually(
      async () => {
        const reply = await this.api.get(path);
        check(reply.body, reply);
        return reply.body;
      },
      { withinMs, what: path },
    );
  }

  close(): void {
    this.api.close();
    for (const client of this.#others) client.close();
  }
}

export const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const preserving: JsonMap = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

export const unique = (prefix: string): string => `${prefix}-${randomBytes(4).toString("hex")}`;

export const conditionStatus = (object: JsonMap, type: string): string =>
  textAt(
    mapsAt(object, "status", "conditions").find((one) => textAt(one, "type") === type),
    "status",
  );

/** How one case is written down: the sentence it proves, and what it does. */
export type Cases = {
  readonly proves: (sentence: string, run: (bench: Bench) => Promise<void>) => void;
  /** Needs controllers: something must become ready, be collected, or be finalized. */
  readonly provesWithControllers: (sentence: string, run: (bench: Bench) => Promise<void>) => void;
};

export function casesOn(bench: () => Bench): Cases {
  return {
    proves: (sentence, run) => {
      void test(sentence, () => run(bench()));
    },
    provesWithControllers: (sentence, run) => {
      void test(sentence, async (context) => {
        if (bench().server.controllers) await run(bench());
        else context.skip("this API server runs without controllers");
      });
    },
  };
}

export const configMapsPath = (namespace: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps`;

export const deploymentsPath = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments`;

export const servicesPath = (namespace: string): string =>
  `/api/v1/namespaces/${namespace}/services`;

export const configMap = (name: string, data: JsonMap = {}, metadata: JsonMap = {}): JsonMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...(Object.keys(data).length === 0 ? {} : { data }),
});

export const container = (changes: JsonMap = {}): JsonMap => ({
  name: "app",
  image: "registry.example.com/app:1",
  ...changes,
});

export const deployment = (name: string, spec: JsonMap = {}, pod: JsonMap = {}): JsonMap => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [container()], ...pod },
    },
    ...spec,
  },
});

export const service = (name: string, spec: JsonMap = {}): JsonMap => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

export const metadataOf = (object: JsonMap): JsonMap => mapAt(object, "metadata");

export const versionOf = (reply: Reply): string =>
  textAt(reply.body, "metadata", "resourceVersion");

export const uidOf = (reply: Reply): string => textAt(reply.body, "metadata", "uid");

/** What one manager is recorded to own, without times. */
export function claimOf(
  object: JsonMap,
  manager: string,
  operation = "Apply",
  subresource = "",
): Json | undefined {
  const entries = mapsAt(object, "metadata", "managedFields");
  const found = entries.find(
    (entry) =>
      textAt(entry, "manager") === manager &&
      textAt(entry, "operation") === operation &&
      textAt(entry, "subresource") === subresource,
  );
  return at(found, "fieldsV1");
}

export const managersOf = (object: JsonMap): readonly string[] =>
  mapsAt(object, "metadata", "managedFields")
    .map((entry) => {
      const subresource = textAt(entry, "subresource");
      return `${textAt(entry, "manager")} ${textAt(entry, "operation")}${subresource === "" ? "" : ` ${subresource}`}`;
    })
    .toSorted();

/** A refusal in short: code, reason, and where the causes are. */
export function refusalOf(reply: Reply): {
  readonly code: number;
  readonly reason: string;
  readonly fields: readonly string[];
} {
  const causes = at(reply.body, "details", "causes");
  return {
    code: reply.code,
    reason: textAt(reply.body, "reason"),
    fields: (isList(causes) ? causes : []).map((cause) => textAt(cause, "field")),
  };
}

export const messageOf = (reply: Reply): string => textAt(reply.body, "message");

/** Reads a scale and writes it back changed, again when a controller was faster. */
export const rescaled = (
  { api }: Bench,
  path: string,
  replicas: number,
  query: Query = {},
): Promise<JsonMap> =>
  eventually(
    async () => {
      const scale = accepted(await api.get(`${path}/scale`), 200);
      return accepted(
        await api.update(`${path}/scale`, { ...scale, spec: { replicas } }, query),
        200,
      );
    },
    { what: `${replicas} replicas of ${path}` },
  );

/** Asserts success and hands the object on. */
export function accepted(reply: Reply, code?: number): JsonMap {
  if (code === undefined) assert.ok(reply.code >= 200 && reply.code < 300, reply.text);
  else assert.equal(reply.code, code, reply.text);
  return reply.body;
}
