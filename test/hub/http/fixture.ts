import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiTokenBytes, makeApiToken } from "../../../hub/domain/api-token.ts";
import type { CommandRecord } from "../../../hub/domain/command-record.ts";
import { problem } from "../../../hub/domain/problem.ts";
import { generationFault } from "../../../hub/domain/set-fault.ts";
import { setConditions } from "../../../hub/domain/set-status.ts";
import type { TokenScope } from "../../../hub/domain/token-record.ts";
import { createApp, type HttpApp } from "../../../hub/http/app.ts";
import {
  defaultHttpLimits,
  type ClustersChange,
  type HttpNeeds,
  type HttpSettings,
} from "../../../hub/http/needs.ts";
import { openStore, type Store } from "../../../hub/store/store.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { blobOf, bundleBlob } from "../../../proto/words/bundle.ts";
import type { Digest, Json } from "../../../proto/words/digest.ts";
import { makeObjectKey, type ObjectKey } from "../../../proto/words/object-key.ts";
import {
  addCluster,
  atMs,
  clusterId,
  configMap,
  deployment,
  draft,
  openSession,
  plainOrigin,
  publish,
  report,
  setRecord,
  signal,
  write,
} from "../../contract/store/builders.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";

/** The API over a real store with a small fleet in it, at a time that stands still. */
export type Fixture = {
  readonly app: HttpApp;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly settings: HttpSettings;
  /** What the API set going, in order. */
  readonly woken: string[];
  readonly changes: ClustersChange[];
  readonly tokens: { readonly read: string; readonly write: string };
  /** Ends the event streams. */
  readonly life: AbortController;
  readonly ask: (method: string, path: string, more?: Ask) => Promise<Answer>;
  readonly close: () => void;
};

export type Ask = {
  readonly body?: unknown;
  /** As it travels, for bodies that are no good JSON. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: "read" | "write" | "nobody";
};

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers of every shape, and say what they expect to find.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
};

export const webhookSecret = "a shared secret";

const commitNew = "9f3c1a7be0d2446f8a5b7c6d1e2f3a4b5c6d7e8f";
const commitOld = "1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4";

/** Every test's now: five minutes after everything happened. */
export const nowMs = atMs + 300_000;

export async function openFixture(
  more: { readonly needs?: Partial<HttpNeeds>; readonly settings?: Partial<HttpSettings> } = {},
): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-http-"));
  const clock = fakeClock(nowMs);
  const store = await openStore({ folder, nowMs: clock.nowMs });
  await fillFleet(store);
  const tokens = {
    read: await addToken(store, "reader", "read", 1),
    write: await addToken(store, "admin", "write", 2),
  };
  const woken: string[] = [];
  const changes: ClustersChange[] = [];
  const life = new AbortController();
  const settings: HttpSettings = {
    ...defaultHttpLimits,
    version: "0.1.0-test",
    join: {
      hubAddress: "hub.example:7443",
      hubFingerprint: `sha256:${"5f".repeat(32)}`,
      spokeImage: "registry.example/wheelhouse:0.1.0-test",
      spokeChart: { reference: "oci://registry.example/wheelhouse-spoke", version: "0.1.0-test" },
      tokenLifeMs: 3_600_000,
    },
    webhookSecret,
    ...more.settings,
  };
  const app = createApp(
    { ...needsOver(store, clock, woken, changes), ...more.needs },
    settings,
    life.signal,
  );
  const fixture: Fixture = {
    app,
    store,
    clock,
    settings,
    woken,
    changes,
    tokens,
    life,
    ask: (method, path, asked = {}) => askApp(app, tokens, method, path, asked),
    close: () => {
      life.abort();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return fixture;
}

async function askApp(
  app: HttpApp,
  tokens: Fixture["tokens"],
  method: string,
  path: string,
  { body, text, headers = {}, as = "write" }: Ask,
): Promise<Answer> {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await app.fetch(
    new Request(`http://hub.example${path}`, {
      method,
      headers: {
        ...(as === "nobody" ? {} : { authorization: `Bearer ${tokens[as]}` }),
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    }),
  );
  const received = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  return {
    status: response.status,
    headers: response.headers,
    json: isJson ? JSON.parse(received) : received,
  };
}

/** Answers as expected, or fails with the whole answer in sight. */
export function assertProblem(answer: Answer, status: number, code: string): void {
  assert.deepEqual([answer.status, answer.json.code], [status, code], JSON.stringify(answer.json));
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  for (const field of ["type", "title", "detail", "hint", "requestId"])
    assert.notEqual(answer.json[field] ?? "", "", `${field} of ${code}`);
  assert.equal(answer.json.status, status);
}

async function addToken(
  store: Store,
  name: string,
  scope: TokenScope,
  seed: number,
): Promise<string> {
  const { id, secretHash, text } = makeApiToken(new Uint8Array(apiTokenBytes).fill(seed));
  await store.tokens.create(
    {
      id,
      secretHash,
      name,
      scope,
      createdAtMs: atMs,
      expiresAtMs: undefined,
      revokedAtMs: undefined,
    },
    signal,
  );
  return text;
}

function needsOver(
  store: Store,
  clock: FakeClock,
  woken: string[],
  changes: ClustersChange[],
): HttpNeeds {
  let made = 0;
  const order = async (
    kind: CommandRecord["order"],
    application: { readonly name: CommandRecord["application"]; readonly generation: number },
    cluster: string,
    prune: boolean,
    actor: string,
  ): Promise<CommandRecord> => {
    made += 1;
    const id = `01JCOMMAND${String(made).padStart(16, "0")}`;
    const createdAtMs = clock.nowMs();
    await store.commands.create(
      {
        id,
        order: kind,
        application: application.name,
        cluster: clusterId(cluster),
        generation: application.generation,
        prune,
        actor,
        createdAtMs,
        expiresAtMs: createdAtMs + 60_000,
      },
      signal,
    );
    const command = await store.commands.find(id, signal);
    assert.ok(command);
    return command;
  };
  return {
    store,
    requestSync: ({ application, cluster, prune, actor }) =>
      order("sync", application, cluster, prune, actor),
    refreshApplication: async ({ application, cluster, actor }) => {
      woken.push(application.source.repoURL);
      return cluster === undefined
        ? undefined
        : order("refresh", application, cluster, false, actor);
    },
    wakeRepository: (url) => void woken.push(url),
    issueJoinToken: async (_, lifeMs) => ({
      token: "whj_aaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      expiresAtMs: clock.nowMs() + lifeMs,
    }),
    clustersChanged: (change) => void changes.push(change),
    metricsExposition: async () => ({
      contentType: "text/plain; version=0.0.4",
      text: "wheelhouse_hub_spokes 2\n",
    }),
    published: () => ({ commit: "c".repeat(40), atMs: 1_750_000_240_000 }),
    requestSeconds: { observe: () => {} },
    randomBytes: (count) => new Uint8Array(count).fill(7),
    newClusterId: () => clusterId("new"),
    clock,
    log: silentLog,
  };
}

/** A bundle of whole manifests. */
export async function putManifests(
  store: Store,
  manifests: Readonly<Record<string, Json>>,
): Promise<Digest> {
  const objects = Object.entries(manifests)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, manifest]) => ({ key: key as ObjectKey, blob: blobOf(manifest) }));
  const bundle = { entries: objects.map(({ key, blob }) => ({ key, blob: blob.digest })) };
  const { digest } = bundleBlob(bundle);
  await store.blobs.putBundle(
    digest,
    objects.map(({ blob }) => blob),
    bundle,
    atMs,
    signal,
  );
  return digest;
}

async function fillFleet(store: Store): Promise<void> {
  const dev1 = await addCluster(store, "dev-1", { env: "dev" });
  const prod1 = await addCluster(store, "prod-1", { env: "prod", region: "eu" });
  const prod2 = await addCluster(store, "prod-2", { env: "prod", region: "us" });
  await addCluster(store, "lab-1");
  for (const cluster of [dev1, prod1, prod2])
    await openSession(store, cluster, { sessionId: `s-${cluster}` });
  await store.sessions.close(prod2, `s-${prod2}`, atMs + 60_000, signal);

  const bundle = await putManifests(store, {
    [makeObjectKey({ group: "", kind: "Secret", namespace: "web", name: "key" })]: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "key", annotations: { copied: "sesame" } },
      stringData: { password: "sesame" },
    },
    [makeObjectKey({ group: "apps", kind: "Deployment", namespace: "web", name: "web" })]: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "web" },
    },
  });
  const source = {
    repoURL: "https://git.example/fleet.git",
    path: "apps/web",
    targetRevision: "main",
  };
  const web = (cluster: string, id: typeof dev1, revision: string) =>
    write(`web-${cluster}`, id, bundle, {
      draft: {
        labels: { app: "web" },
        source,
        revision,
        objects: 2,
        destination: { name: cluster, server: "", namespace: "web" },
      },
      entry: { revision },
    });
  await publish(
    store,
    [
      web("dev-1", dev1, commitNew),
      web("prod-1", prod1, commitNew),
      web("prod-2", prod2, commitOld),
    ],
    {
      set: setRecord("web", {
        path: "fleet/web.yaml",
        commit: commitNew,
        conditions: setConditions(
          { fault: undefined, ungenerated: undefined, rollout: undefined },
          [],
          atMs,
        ),
      }),
    },
  );
  const broken = problem(
    "WH-TPL-3205",
    'sets/broken.yaml: template: map has no entry for key "region"',
  );
  await publish(store, [], {
    origin: { kind: "application-set", name: "broken" },
    set: setRecord("broken", {
      commit: commitNew,
      problem: { ...broken, sinceMs: atMs + 180_000 },
      conditions: setConditions(
        { fault: generationFault(broken), ungenerated: broken, rollout: undefined },
        [],
        atMs + 180_000,
      ),
    }),
  });
  await publish(
    store,
    [
      write("tools", dev1, bundle, {
        draft: {
          origin: plainOrigin("tools"),
          project: "platform",
          labels: { app: "tools" },
          source,
          revision: commitOld,
          objects: 2,
          destination: { name: "dev-1", server: "", namespace: "tools" },
        },
        entry: { revision: commitOld },
      }),
    ],
    { origin: plainOrigin("tools") },
  );
  await publish(
    store,
    [
      {
        kind: "write",
        record: draft("lost", {
          origin: plainOrigin("lost"),
          revision: "",
          generation: 0,
          destination: { name: "nowhere", server: "", namespace: "web" },
          problem: {
            code: "WH-DST-3501",
            message: 'no cluster is called "nowhere"',
            sinceMs: atMs + 120_000,
          },
        }),
        desired: undefined,
        leaves: undefined,
      },
    ],
    { origin: plainOrigin("lost") },
  );

  await store.reports.record(
    [
      {
        cluster: dev1,
        applications: [
          report("web-dev-1", {
            appliedRevision: commitNew,
            operation: {
              phase: "Succeeded",
              generation: 1,
              message: "2 objects applied",
              startedAtMs: atMs + 10_000,
              finishedAtMs: atMs + 12_000,
            },
            resources: [deployment("web", ["registry.example/shop/web:2"]), configMap("settings")],
          }),
          report("tools", {
            appliedRevision: commitOld,
            syncStatus: "OutOfSync",
            conditions: [{ code: "WH-APP-1017", message: "web/tools is owned by another" }],
            resources: [
              configMap("tools", {
                syncStatus: "OutOfSync",
                message: "data.x was changed by hand",
              }),
            ],
          }),
        ],
        gone: [],
      },
      {
        cluster: prod1,
        applications: [
          report("web-prod-1", {
            appliedRevision: commitNew,
            healthyGeneration: 0,
            health: { state: "Degraded", message: "Deployment web: image cannot be pulled" },
            resources: [
              {
                ...deployment("web", ["registry.example/shop/web:1"]),
                health: "Degraded",
                message: "image cannot be pulled",
              },
            ],
          }),
        ],
        gone: [],
      },
    ],
    atMs + 20_000,
    signal,
  );
  await store.repositories.record(
    {
      url: "https://git.example/fleet.git",
      heads: { main: commitNew },
      fetchedAtMs: atMs,
      checkedAtMs: atMs + 290_000,
      problem: undefined,
    },
    [],
    atMs,
    signal,
  );
  await store.repositories.record(
    {
      url: "https://git.example/other.git",
      heads: {},
      fetchedAtMs: undefined,
      checkedAtMs: atMs + 290_000,
      problem: { code: "WH-GIT-3001", message: "connection refused", sinceMs: atMs },
    },
    [],
    atMs,
    signal,
  );
}
