import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { payloadOf } from "../../../spoke/kube/payload.ts";

suite("payloadOf", () => {
  const object = (kind: string, rest: object, apiVersion = "v1"): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: "x" },
    ...rest,
  });
  const podSpec = (ports: unknown) => ({ containers: [{ name: "c", ports }] });
  const bare = [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }];
  const full = [
    { containerPort: 80, protocol: "TCP" },
    { containerPort: 53, protocol: "UDP" },
  ];
  const certificate = Buffer.from("-----BEGIN CERTIFICATE-----\nx\n").toString("base64");
  const conversion = (clientConfig: unknown) => ({
    spec: { conversion: { webhook: { clientConfig } } },
  });
  const crd = "CustomResourceDefinition";

  const rows: readonly {
    readonly name: string;
    readonly given: KubeObject;
    readonly expect: KubeObject;
  }[] = [
    {
      name: "status goes",
      given: object("Pod", { spec: { a: 1 }, status: { phase: "Running" } }),
      expect: object("Pod", { spec: { a: 1 } }),
    },
    {
      name: "status of a definition stays",
      given: object(crd, { status: { a: 1 } }),
      expect: object(crd, { status: { a: 1 } }),
    },
    {
      name: "bookkeeping in metadata goes, the rest of it stays",
      given: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "x",
          labels: { a: "b" },
          finalizers: ["f"],
          uid: "u",
          resourceVersion: "1",
          generation: 2,
          creationTimestamp: "2026-01-01T00:00:00Z",
          managedFields: [],
        },
      },
      expect: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "x", labels: { a: "b" }, finalizers: ["f"] },
      },
    },
    {
      name: "a Secret's texts move into its data and win there",
      given: object("Secret", { data: { a: "b2xk", b: "Yg==" }, stringData: { a: "nëw" } }),
      expect: object("Secret", { data: { a: "bsOrdw==", b: "Yg==" } }),
    },
    {
      name: "ports of a Service get their protocol",
      given: object("Service", { spec: { ports: [{ port: 80 }, { port: 53, protocol: "UDP" }] } }),
      expect: object("Service", {
        spec: {
          ports: [
            { port: 80, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
        },
      }),
    },
    {
      name: "ports of a Deployment's containers get their protocol",
      given: object("Deployment", { spec: { template: { spec: podSpec(bare) } } }, "apps/v1"),
      expect: object("Deployment", { spec: { template: { spec: podSpec(full) } } }, "apps/v1"),
    },
    {
      name: "ports of a CronJob's containers get their protocol",
      given: object(
        "CronJob",
        { spec: { jobTemplate: { spec: { template: { spec: podSpec(bare) } } } } },
        "batch/v1",
      ),
      expect: object(
        "CronJob",
        { spec: { jobTemplate: { spec: { template: { spec: podSpec(full) } } } } },
        "batch/v1",
      ),
    },
    {
      name: "a kind of somebody else with the same fields is left alone",
      given: object(
        "Deployment",
        { spec: { template: { spec: podSpec(bare) } } },
        "example.dev/v1",
      ),
      expect: object(
        "Deployment",
        { spec: { template: { spec: podSpec(bare) } } },
        "example.dev/v1",
      ),
    },
    {
      name: "an unreadable conversion bundle goes",
      given: object(crd, conversion({ caBundle: "Cg==", url: "u" })),
      expect: object(crd, conversion({ url: "u" })),
    },
    {
      name: "a readable conversion bundle stays",
      given: object(crd, conversion({ caBundle: certificate })),
      expect: object(crd, conversion({ caBundle: certificate })),
    },
    {
      name: "empty rules stay",
      given: object("ClusterRole", { rules: [] }, "rbac.authorization.k8s.io/v1"),
      expect: object("ClusterRole", { rules: [] }, "rbac.authorization.k8s.io/v1"),
    },
  ];
  for (const { name, given, expect } of rows) {
    test(name, () => {
      const before = structuredClone(given);
      assert.deepEqual(payloadOf(given), expect);
      assert.deepEqual(given, before, "what was given is not touched");
      assert.deepEqual(payloadOf(expect), expect, "a payload is its own payload");
    });
  }
});
