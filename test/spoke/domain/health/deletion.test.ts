import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { explainHealth } from "../../../../spoke/domain/health/index.ts";
import type { KubeObject } from "../../../../spoke/domain/kube-object.ts";

const deletedAtMs = Date.parse("2026-01-01T00:00:00Z");

const going = (
  kind: string,
  more: {
    readonly finalizers?: readonly string[];
    readonly spec?: object;
    readonly status?: object;
  },
): KubeObject => {
  const { finalizers, ...body } = more;
  return {
    apiVersion: "v1",
    kind,
    metadata: {
      name: "shop",
      deletionTimestamp: "2026-01-01T00:00:00Z",
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    ...body,
  };
};

const condition = (type: string, message: string, status = "True") => ({ type, status, message });

const stuck = going("Namespace", {
  spec: { finalizers: ["kubernetes"] },
  status: {
    phase: "Terminating",
    conditions: [
      condition("NamespaceDeletionContentFailure", "fine", "False"),
      condition("NamespaceContentRemaining", "pods. has 1 resource instances"),
      condition("NamespaceFinalizersRemaining", "a.io/x in 1 resource instances"),
    ],
  },
});
const inTheWay = "pods. has 1 resource instances; a.io/x in 1 resource instances";

const rows: readonly (readonly [
  name: string,
  object: KubeObject,
  afterMs: number,
  expect: readonly [state: string, message: string, reviewAfterMs?: number],
])[] = [
  ["nothing in the way", going("ConfigMap", {}), 900_000, ["Progressing", "Pending deletion"]],
  [
    "a finalizer is given time",
    going("ConfigMap", { finalizers: ["a.io/x"] }),
    299_999,
    ["Progressing", "Pending deletion", 300_000],
  ],
  [
    "a finalizer that takes too long is named",
    going("ConfigMap", { finalizers: ["a.io/x", "b.io/y"] }),
    300_000,
    ["Degraded", "Pending deletion: waits for finalizers a.io/x, b.io/y"],
  ],
  [
    "a namespace says at once what is in it",
    stuck,
    59_999,
    ["Progressing", `Pending deletion: ${inTheWay}`, 60_000],
  ],
  [
    "a namespace that takes too long is Degraded",
    stuck,
    60_000,
    ["Degraded", `Pending deletion: ${inTheWay}`],
  ],
  [
    "a namespace with a finalizer of its own",
    going("Namespace", { spec: { finalizers: ["kubernetes", "c.io/z"] } }),
    0,
    ["Progressing", "Pending deletion: the namespace itself has finalizers c.io/z", 60_000],
  ],
  [
    "a namespace that is being emptied",
    going("Namespace", { spec: { finalizers: ["kubernetes"] }, status: { phase: "Terminating" } }),
    900_000,
    ["Progressing", "Pending deletion"],
  ],
];

suite("health of what is being deleted", () => {
  for (const [name, object, afterMs, [state, message, reviewAfterMs]] of rows)
    test(name, () =>
      assert.deepEqual(explainHealth(object, [], deletedAtMs + afterMs), {
        state,
        message,
        ...(reviewAfterMs === undefined ? {} : { reviewAtMs: deletedAtMs + reviewAfterMs }),
      }),
    );
});

suite("what somebody else has to bring", () => {
  const live = (apiVersion: string, kind: string, spec: object, status: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: "web", namespace: "shop" },
    spec,
    status,
  });
  const waiting: readonly (readonly [KubeObject, string])[] = [
    [
      live("v1", "PersistentVolumeClaim", { storageClassName: "fast" }, { phase: "Pending" }),
      "waits for a volume of storage class fast",
    ],
    [live("v1", "PersistentVolumeClaim", {}, { phase: "Pending" }), "waits for a volume"],
    [
      live("v1", "Service", { type: "LoadBalancer" }, { loadBalancer: {} }),
      "waits for the address of a load balancer",
    ],
    [
      live("networking.k8s.io/v1", "Ingress", { ingressClassName: "nginx" }, { loadBalancer: {} }),
      "waits for an address from the controller of ingress class nginx",
    ],
  ];
  for (const [object, message] of waiting)
    test(`${object.kind} ${message}`, () =>
      assert.deepEqual(explainHealth(object, [], 0), { state: "Progressing", message }));

  test("what is there waits for nothing", () =>
    assert.deepEqual(explainHealth(live("v1", "Service", { type: "ClusterIP" }, {}), [], 0), {
      state: "Healthy",
      message: "",
    }));
});
