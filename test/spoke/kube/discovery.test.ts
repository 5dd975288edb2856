import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { openDiscovery } from "../../../spoke/kube/discovery.ts";
import { ApiServerUnavailable } from "../../../spoke/kube/trouble.ts";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-api-server.ts";
import { openScripted } from "./open-scripted.ts";

const { signal } = new AbortController();

suite("discovery in one document", () => {
  test("one request tells of all groups, and it is remembered", async () => {
    await using scripted = await openScripted(aggregatedServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    assert.deepEqual(await discovery.find("apps", "Deployment", "", signal), {
      group: "apps",
      version: "v1",
      kind: "Deployment",
      plural: "deployments",
      namespaced: true,
      verbs: ["get", "list"],
    });
    assert.equal((await discovery.find("apps", "Scale", "", signal))?.kind, undefined);
    assert.equal((await discovery.find("batch", "Job", "", signal))?.plural, "jobs");
    assert.equal((await discovery.find("", "Namespace", "", signal))?.namespaced, false);
    assert.deepEqual(
      scripted.server.requests.map(({ path }) => path),
      ["/apis", "/api"],
    );
  });

  test("a kind is served where its group prefers it, or where it is asked for", async () => {
    await using scripted = await openScripted(aggregatedServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    assert.equal((await discovery.find("batch", "CronJob", "", signal))?.version, "v1");
    assert.equal((await discovery.find("batch", "CronJob", "v1beta1", signal))?.version, "v1beta1");
    assert.equal(await discovery.find("batch", "Job", "v1beta1", signal), undefined);
  });

  test("many who ask at once cost one request", async () => {
    await using scripted = await openScripted(aggregatedServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    const kinds = [
      ["apps", "Deployment"],
      ["batch", "Job"],
      ["nobody.example.dev", "X"],
    ] as const;
    await Promise.all(
      [...kinds, ...kinds].map(
        async ([group, kind]) => await discovery.find(group, kind, "", signal),
      ),
    );
    assert.equal(scripted.server.requests.length, 1);
  });

  test("one who leaves does not take the answer from the others", async () => {
    const gate = Promise.withResolvers<void>();
    await using scripted = await openScripted(async (request) => {
      await gate.promise;
      return aggregatedServer(request);
    });
    const discovery = openDiscovery(scripted.api, clockAt());
    const leaving = new AbortController();
    const left = discovery.find("apps", "Deployment", "", leaving.signal);
    const staying = discovery.find("apps", "Deployment", "", signal);
    leaving.abort(new Error("left"));
    gate.resolve();
    await assert.rejects(left, /left/);
    assert.equal((await staying)?.plural, "deployments");
  });

  test("a miss is asked again after two seconds, and at once when the group was forgotten", async () => {
    await using scripted = await openScripted(aggregatedServer);
    const clock = clockAt();
    const discovery = openDiscovery(scripted.api, clock);
    const ask = async () => await discovery.find("example.dev", "Widget", "", signal);
    assert.equal(await ask(), undefined);
    assert.equal(await ask(), undefined);
    assert.equal(scripted.server.requests.length, 1);
    clock.pass(2_000);
    assert.equal(await ask(), undefined);
    assert.equal(scripted.server.requests.length, 2);
    discovery.forget("example.dev");
    assert.equal(await ask(), undefined);
    assert.equal(scripted.server.requests.length, 3);
  });

  test("a stale group is trouble for that group only, never a kind that is gone", async () => {
    await using scripted = await openScripted(aggregatedServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    await assert.rejects(
      discovery.find("metrics.k8s.io", "PodMetrics", "", signal),
      (error) => error instanceof ApiServerUnavailable && /metrics\.k8s\.io/.test(error.message),
    );
    assert.equal((await discovery.find("apps", "Deployment", "", signal))?.version, "v1");
  });

  test("what is remembered of a group stays in use when it goes stale", async () => {
    let healthy = true;
    await using scripted = await openScripted((request) =>
      aggregatedServer(request, healthy ? [metrics("Current")] : [metrics("Stale")]),
    );
    const clock = clockAt();
    const discovery = openDiscovery(scripted.api, clock);
    const ask = async (kind: string) => await discovery.find("metrics.k8s.io", kind, "", signal);
    assert.equal((await ask("PodMetrics"))?.plural, "pods");
    healthy = false;
    clock.pass(2_000);
    await assert.rejects(ask("NodeMetrics"), ApiServerUnavailable);
    assert.equal((await ask("PodMetrics"))?.plural, "pods");
  });

  test("a server that cannot tell anything is trouble for everything", async () => {
    await using scripted = await openScripted(() => ({ status: 503 }));
    const discovery = openDiscovery(scripted.api, clockAt());
    await assert.rejects(discovery.find("apps", "Deployment", "", signal), ApiServerUnavailable);
  });
});

suite("discovery group by group, as older servers have it", () => {
  test("only groups somebody wants are asked for", async () => {
    await using scripted = await openScripted(oldServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    assert.equal((await discovery.find("apps", "Deployment", "", signal))?.plural, "deployments");
    assert.equal(await discovery.find("apps", "Scale", "", signal), undefined);
    assert.equal((await discovery.find("", "Pod", "", signal))?.namespaced, true);
    assert.equal(await discovery.find("no.such", "Pod", "", signal), undefined);
    assert.deepEqual(
      scripted.server.requests.map(({ path }) => path),
      ["/apis", "/apis/apps/v1", "/api", "/api/v1", "/apis"],
    );
  });

  test("a group whose server is away is trouble, never a kind that is gone", async () => {
    await using scripted = await openScripted(oldServer);
    const discovery = openDiscovery(scripted.api, clockAt());
    await assert.rejects(
      discovery.find("metrics.k8s.io", "PodMetrics", "", signal),
      ApiServerUnavailable,
    );
  });
});

const resource = (name: string, kind: string, scope = "Namespaced") => ({
  resource: name,
  responseKind: { group: "", version: "v1", kind },
  scope,
  verbs: ["get", "list"],
  subresources: [{ subresource: "scale", responseKind: { kind: "Scale" }, verbs: ["get"] }],
});

const metrics = (freshness: string) => ({
  metadata: { name: "metrics.k8s.io" },
  versions: [
    {
      version: "v1beta1",
      freshness,
      resources: freshness === "Stale" ? undefined : [resource("pods", "PodMetrics")],
    },
  ],
});

function aggregatedServer(
  { path, headers }: ScriptedRequest,
  more: readonly unknown[] = [metrics("Stale")],
): ScriptedReply {
  if (!String(headers.accept).includes("as=APIGroupDiscoveryList")) return { status: 406 };
  const groups =
    path === "/api"
      ? [
          {
            metadata: { name: "" },
            versions: [
              {
                version: "v1",
                freshness: "Current",
                resources: [resource("namespaces", "Namespace", "Cluster")],
              },
            ],
          },
        ]
      : [
          {
            metadata: { name: "apps" },
            versions: [
              {
                version: "v1",
                freshness: "Current",
                resources: [resource("deployments", "Deployment")],
              },
            ],
          },
          {
            metadata: { name: "batch" },
            versions: [
              {
                version: "v1",
                freshness: "Current",
                resources: [resource("jobs", "Job"), resource("cronjobs", "CronJob")],
              },
              {
                version: "v1beta1",
                freshness: "Current",
                resources: [resource("cronjobs", "CronJob")],
              },
            ],
          },
          ...more,
        ];
  return {
    status: 200,
    body: { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", items: groups },
  };
}

function oldServer({ path }: ScriptedRequest): ScriptedReply {
  const bodies: { readonly [path: string]: unknown } = {
    "/api": { kind: "APIVersions", versions: ["v1"] },
    "/api/v1": {
      kind: "APIResourceList",
      resources: [{ name: "pods", kind: "Pod", namespaced: true, verbs: ["get"] }],
    },
    "/apis": {
      kind: "APIGroupList",
      groups: [
        {
          name: "apps",
          versions: [{ version: "v1", groupVersion: "apps/v1" }],
          preferredVersion: { version: "v1" },
        },
        { name: "metrics.k8s.io", versions: [{ version: "v1beta1" }] },
      ],
    },
    "/apis/apps/v1": {
      kind: "APIResourceList",
      resources: [
        { name: "deployments", kind: "Deployment", namespaced: true, verbs: ["get"] },
        { name: "deployments/scale", kind: "Scale", namespaced: true, verbs: ["get"] },
      ],
    },
  };
  const body = bodies[path];
  return body === undefined
    ? { status: 503, headers: { "retry-after": "600" } }
    : { status: 200, body };
}

function clockAt(): { readonly nowMs: () => number; readonly pass: (forMs: number) => void } {
  let nowMs = 1_000;
  return {
    nowMs: () => nowMs,
    pass: (forMs) => {
      nowMs += forMs;
    },
  };
}
