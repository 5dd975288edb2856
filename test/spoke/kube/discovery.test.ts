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
      ["/apis", "/apis/apps", "/apis/apps/v1", "/api"],
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
    assert.deepEqual(
      scripted.server.requests.map(({ path }) => path),
      ["/apis", "/apis/nobody.example.dev"],
    );
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
    assert.equal(scripted.server.requests.length, 2);
    clock.pass(2_000);
    assert.equal(await ask(), undefined);
    assert.equal(scripted.server.requests.length, 4);
    discovery.forget("example.dev");
    assert.equal(await ask(), undefined);
    assert.equal(scripted.server.requests.length, 6);
  });

  const youngServers: readonly {
    readonly name: string;
    readonly group: readonly unknown[];
  }[] = [
    { name: "does not list a group yet", group: [] },
    {
      name: "lists a group without the kind yet",
      group: [
        {
          metadata: { name: "example.dev" },
          versions: [{ version: "v1", freshness: "Current", resources: [] }],
        },
      ],
    },
  ];
  for (const { name, group } of youngServers) {
    test(`a server that ${name} does not make its kinds gone`, async () => {
      let isYoung = true;
      await using scripted = await openScripted((request) => {
        if (request.path === "/apis/example.dev" && isYoung)
          return { status: 503, headers: { "retry-after": "600" } };
        return request.path.startsWith("/apis/example.dev")
          ? oldGroup(request.path)
          : aggregatedServer(request, group);
      });
      const discovery = openDiscovery(scripted.api, clockAt());
      const ask = async () => await discovery.find("example.dev", "Widget", "", signal);
      await assert.rejects(ask(), ApiServerUnavailable);
      // The miss is fresh, and still nobody has said that it is one.
      await assert.rejects(ask(), ApiServerUnavailable);
      assert.equal((await discovery.find("apps", "Deployment", "", signal))?.version, "v1");
      isYoung = false;
      assert.equal((await ask())?.plural, "widgets");
      assert.equal(await discovery.find("example.dev", "Gadget", "", signal), undefined);
    });
  }

  test("what one group's question brought along counts as no answer about another's kind", async () => {
    await using scripted = await openScripted((request) =>
      request.path === "/apis/batch"
        ? { status: 503, headers: { "retry-after": "600" } }
        : aggregatedServer(request),
    );
    const discovery = openDiscovery(scripted.api, clockAt());
    await discovery.find("apps", "Deployment", "", signal);
    await assert.rejects(discovery.find("batch", "Widget", "", signal), ApiServerUnavailable);
  });

  test("a group that vanishes from the list while its server is restarted keeps its kinds", async () => {
    let isListed = true;
    await using scripted = await openScripted((request) => {
      if (request.path.startsWith("/apis/example.dev"))
        return { status: 503, headers: { "retry-after": "600" } };
      return aggregatedServer(request, isListed ? [widgets] : []);
    });
    const clock = clockAt();
    const discovery = openDiscovery(scripted.api, clock);
    const ask = async (kind: string) => await discovery.find("example.dev", kind, "", signal);
    assert.equal((await ask("Widget"))?.plural, "widgets");
    isListed = false;
    discovery.forget("example.dev");
    clock.pass(2_000);
    await assert.rejects(ask("Widget"), ApiServerUnavailable);
    isListed = true;
    clock.pass(2_000);
    assert.equal((await ask("Widget"))?.plural, "widgets");
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
      ["/apis", "/apis/apps/v1", "/api", "/api/v1", "/apis", "/apis/no.such"],
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

const widgets = {
  metadata: { name: "example.dev" },
  versions: [{ version: "v1", freshness: "Current", resources: [resource("widgets", "Widget")] }],
};

/** One group as a server tells of it when asked alone. */
function oldGroup(path: string): ScriptedReply {
  if (path === "/apis/example.dev")
    return { status: 200, body: { kind: "APIGroup", versions: [{ version: "v1" }] } };
  return {
    status: 200,
    body: {
      kind: "APIResourceList",
      resources: [{ name: "widgets", kind: "Widget", namespaced: true, verbs: ["get"] }],
    },
  };
}

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
  const body = servedAlone[path];
  if (body !== undefined) return { status: 200, body };
  if (path.startsWith("/apis/")) return { status: 404, body: "404 page not found" };
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

/** What a server that lists everything at once says of its groups one by one. */
const servedAlone: { readonly [path: string]: unknown } = {
  "/apis/apps": { kind: "APIGroup", versions: [{ version: "v1" }] },
  "/apis/apps/v1": {
    kind: "APIResourceList",
    resources: [
      { name: "deployments", kind: "Deployment", namespaced: true, verbs: ["get", "list"] },
    ],
  },
  "/apis/batch": {
    kind: "APIGroup",
    versions: [{ version: "v1" }, { version: "v1beta1" }],
    preferredVersion: { version: "v1" },
  },
  "/apis/batch/v1": {
    kind: "APIResourceList",
    resources: [
      { name: "jobs", kind: "Job", namespaced: true, verbs: ["get", "list"] },
      { name: "cronjobs", kind: "CronJob", namespaced: true, verbs: ["get", "list"] },
    ],
  },
  "/apis/batch/v1beta1": {
    kind: "APIResourceList",
    resources: [{ name: "cronjobs", kind: "CronJob", namespaced: true, verbs: ["get", "list"] }],
  },
};

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
  if (path === "/apis/no.such") return { status: 404 };
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
