import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { managedLabel, trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { liveFrom } from "../../../spoke/domain/live.ts";
import { markerOf, markerText, otherToolOf } from "../../../spoke/domain/marker.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";

const secret: KubeObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    name: "password",
    namespace: "shop",
    uid: "u1",
    annotations: { "example.com/note": "hunter2", "helm.sh/resource-policy": "keep" },
    managedFields: [
      {
        manager: "wheelhouse-spoke",
        operation: "Apply",
        apiVersion: "v1",
        time: "2026-01-03T00:00:00Z",
      },
      {
        manager: "kubectl-edit",
        operation: "Update",
        apiVersion: "v1",
        time: "2026-01-02T00:00:00Z",
      },
      { manager: "old", operation: "Update", apiVersion: "v1", time: "2026-01-01T00:00:00Z" },
      {
        manager: "controller",
        operation: "Update",
        apiVersion: "v1",
        subresource: "status",
        time: "2026-01-04T00:00:00Z",
      },
    ],
  },
  data: { password: "aHVudGVyMg==" },
};

suite("liveFrom", () => {
  test("keeps no value of a Secret, and no annotation it does not read", () => {
    const text = JSON.stringify(liveFrom(secret));
    assert.ok(!text.includes("aHVudGVyMg") && !text.includes("hunter2"), text);
    assert.ok(text.includes("resource-policy"));
  });

  test("tells who else changed the object last, status aside", () =>
    assert.equal(liveFrom(secret).lastChangedBy, "kubectl-edit at 2026-01-02T00:00:00Z"));

  test("keeps of a workload what its health needs, and not its pods' template", () => {
    const { object, images } = liveFrom({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { replicas: 2, template: { spec: { containers: [{ name: "a", image: "web:1" }] } } },
      status: { replicas: 2 },
    });
    assert.deepEqual(object["spec"], { replicas: 2 });
    assert.deepEqual(object["status"], { replicas: 2 });
    assert.deepEqual(images, ["web:1"]);
  });
});

suite("markerOf", () => {
  const key = makeObjectKey({ group: "", kind: "Secret", namespace: "shop", name: "password" });
  const marked = (text: string): KubeObject => ({
    ...secret,
    metadata: {
      ...secret.metadata,
      labels: { [managedLabel]: "hub" },
      annotations: { [trackingAnnotation]: text },
    },
  });
  const rows = [
    {
      name: "its own marker",
      text: markerText("hub", "shop.eu", key),
      expect: { hubId: "hub", application: "shop.eu" },
    },
    {
      name: "a marker that names what can be no application",
      text: `hub/Shop_EU/${key}`,
      expect: { hubId: "hub", application: undefined },
    },
    {
      name: "a marker copied from another object",
      text: "hub/shop//Secret/shop/other",
      expect: undefined,
    },
    { name: "a marker without a hub", text: `/shop/${key}`, expect: undefined },
    { name: "a marker without an application", text: `hub//${key}`, expect: undefined },
    { name: "text", text: "hello", expect: undefined },
    { name: "nothing", text: "", expect: undefined },
  ];
  for (const { name, text, expect } of rows)
    test(`reads ${name}`, () => assert.deepEqual(markerOf(marked(text)), expect));
});

test("otherToolOf names the tool whose marks are on an object", () => {
  const withLabel = {
    ...secret,
    metadata: { name: "a", labels: { "helm.toolkit.fluxcd.io/name": "x" } },
  };
  assert.equal(otherToolOf(withLabel), "Flux");
  assert.equal(otherToolOf(secret), undefined);
});
