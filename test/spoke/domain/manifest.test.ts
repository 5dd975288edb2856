import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { managedLabel, trackingAnnotation } from "../../../spoke/domain/cluster.ts";
import type { KubeObject, ResourceType } from "../../../spoke/domain/kube-object.ts";
import {
  imagesOf,
  kindDefinedBy,
  prepareManifest,
  readManifest,
} from "../../../spoke/domain/manifest.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

suite("readManifest", () => {
  const rows = [
    { name: "text that is not JSON", text: "{", expect: "manifest is not JSON: SyntaxError" },
    { name: "a list", text: "[]", expect: "manifest is not an object" },
    { name: "no apiVersion", text: "{}", expect: "manifest has no apiVersion" },
    { name: "no kind", text: '{"apiVersion":"v1"}', expect: "manifest has no kind" },
    {
      name: "no name",
      text: '{"apiVersion":"v1","kind":"Pod","metadata":{}}',
      expect: "manifest of kind Pod has no metadata.name",
    },
    {
      name: "a namespace that is a number",
      text: '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":1}}',
      expect: "metadata.namespace of Pod a is not text",
    },
    {
      name: "a label that is a number",
      text: '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"x":1}}}',
      expect: "metadata.labels of Pod a must map text to text",
    },
  ];
  for (const { name, text, expect } of rows) {
    test(`refuses ${name}`, () =>
      assert.deepEqual(readManifest(bytes(text)), { ok: false, problem: expect }));
  }

  test("keeps whole numbers exact that a double cannot hold", () => {
    const text =
      '{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"spec":{"big":9007199254740993,"small":2}}';
    const read = readManifest(bytes(text));
    assert.ok(read.ok);
    assert.deepEqual(read.value["spec"], { big: 9007199254740993n, small: 2 });
  });
});

suite("prepareManifest", () => {
  const type = (namespaced: boolean): ResourceType => ({
    group: "",
    version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
    namespaced,
    verbs: [],
  });
  const manifest = (namespace?: string): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "a",
      ...(namespace === undefined ? {} : { namespace }),
      labels: { own: "label" },
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", own: "note" },
    },
  });
  const rows = [
    {
      name: "fills in the destination",
      own: undefined,
      to: "shop",
      namespaced: true,
      expect: "shop",
    },
    { name: "keeps its own namespace", own: "mine", to: "shop", namespaced: true, expect: "mine" },
    { name: "falls back to default", own: undefined, to: "", namespaced: true, expect: "default" },
    { name: "takes it from cluster scope", own: "mine", to: "shop", namespaced: false, expect: "" },
  ];
  for (const { name, own, to, namespaced, expect } of rows) {
    test(`${name}, and adds the marker`, () => {
      const { key, object } = prepareManifest(manifest(own), {
        resourceType: type(namespaced),
        destinationNamespace: to,
        hubId: "hub",
        application: "shop",
      });
      assert.equal(key, `/ConfigMap/${expect}/a`);
      assert.deepEqual(object.metadata, {
        name: "a",
        ...(expect === "" ? {} : { namespace: expect }),
        labels: { own: "label", [managedLabel]: "hub" },
        annotations: { own: "note", [trackingAnnotation]: `hub/shop/${key}` },
      });
    });
  }

  test("gives another digest for another application, namespace or content, and the same for the same", () => {
    const prepare = (application: string, namespace: string, own?: string) =>
      prepareManifest(manifest(own), {
        resourceType: type(true),
        destinationNamespace: namespace,
        hubId: "hub",
        application,
      }).digest;
    assert.equal(prepare("a", "x"), prepare("a", "x"));
    assert.equal(new Set([prepare("a", "x"), prepare("b", "x"), prepare("a", "y")]).size, 3);
  });
});

suite("imagesOf", () => {
  const pod = {
    initContainers: [{ name: "i", image: "init:1" }],
    containers: [
      { name: "b", image: "web:2" },
      { name: "a", image: "web:1" },
      { name: "c", image: "web:2" },
      { name: "none" },
    ],
  };
  const expect = ["init:1", "web:1", "web:2"];
  const named = { metadata: { name: "a" } };
  const rows: readonly (readonly [string, KubeObject, readonly string[]])[] = [
    ["a Pod", { apiVersion: "v1", kind: "Pod", ...named, spec: pod }, expect],
    [
      "a Deployment",
      { apiVersion: "apps/v1", kind: "Deployment", ...named, spec: { template: { spec: pod } } },
      expect,
    ],
    [
      "a CronJob",
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        ...named,
        spec: { jobTemplate: { spec: { template: { spec: pod } } } },
      },
      expect,
    ],
    [
      "any kind with a pod template",
      { apiVersion: "x.dev/v1", kind: "Rollout", ...named, spec: { template: { spec: pod } } },
      expect,
    ],
    ["a Secret", { apiVersion: "v1", kind: "Secret", ...named, data: { image: "c2VjcmV0" } }, []],
    [
      "a kind that only looks like a Pod",
      { apiVersion: "x.dev/v1", kind: "Thing", ...named, spec: pod },
      [],
    ],
  ];
  for (const [name, object, images] of rows)
    test(`finds the images of ${name}`, () => assert.deepEqual(imagesOf(object), images));
});

test("kindDefinedBy tells what a CustomResourceDefinition brings, and nothing of other objects", () => {
  const spec = { group: "example.com", names: { kind: "Widget" } };
  const metadata = { name: "widgets.example.com" };
  const kind = "CustomResourceDefinition";
  assert.deepEqual(kindDefinedBy({ apiVersion: "apiextensions.k8s.io/v1", kind, metadata, spec }), {
    group: "example.com",
    kind: "Widget",
  });
  assert.equal(kindDefinedBy({ apiVersion: "example.com/v1", kind, metadata, spec }), undefined);
});
