import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  manifestBytesMost,
  readManifests,
  type Manifest,
  type SourceDocument,
} from "../../../hub/domain/manifest.ts";

const configMap = (name: string, extra: Readonly<Record<string, unknown>> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  ...extra,
});

const inFile = (file: string, ...values: readonly unknown[]): readonly SourceDocument[] =>
  values.map((value, index) => ({ file, number: index + 1, value }));

function read(documents: readonly SourceDocument[]): readonly Manifest[] {
  const manifests = readManifests(documents);
  assert.ok(manifests.ok, manifests.ok ? "" : manifests.problem.message);
  return manifests.value;
}

suite("readManifests", () => {
  test("takes lists apart and skips empty documents", () => {
    const manifests = read(
      inFile(
        "all.yaml",
        null,
        { apiVersion: "v1", kind: "List", items: [configMap("a")] },
        undefined,
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "web", namespace: "shop" },
        },
      ),
    );
    assert.deepEqual(
      manifests.map(({ key }) => key),
      ["/ConfigMap//a", "apps/Deployment/shop/web"],
    );
  });

  const refused: readonly {
    readonly name: string;
    readonly documents: readonly SourceDocument[];
    readonly says: string;
  }[] = [
    {
      name: "text",
      documents: inFile("a.yaml", "hello"),
      says: 'WH-RND-3402 a.yaml (document 1): a manifest must be a mapping, got "hello"',
    },
    {
      name: "no kind",
      documents: inFile("a.yaml", { apiVersion: "v1" }),
      says: "WH-RND-3402 a.yaml (document 1): kind is missing",
    },
    {
      name: "no apiVersion",
      documents: inFile("a.yaml", { kind: "Pod", metadata: { name: "a" } }),
      says: "WH-RND-3402 a.yaml (document 1): apiVersion of the Pod is missing",
    },
    {
      name: "no name",
      documents: inFile("a.yaml", configMap("a"), { apiVersion: "v1", kind: "Pod" }),
      says: "WH-RND-3402 a.yaml (document 2): metadata.name of the Pod is missing",
    },
    {
      name: "a generated name",
      documents: inFile("a.yaml", {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { generateName: "a-" },
      }),
      says: "WH-RND-3402 a.yaml (document 1): metadata.name of the Pod is missing (generateName",
    },
    {
      name: "one object in two files",
      documents: [...inFile("a.yaml", configMap("x")), ...inFile("b.yaml", configMap("x"))],
      says: "WH-RND-3403 ConfigMap x is declared twice: in a.yaml (document 1) and in b.yaml (document 1)",
    },
    {
      name: "a hook of Argo CD",
      documents: inFile("a.yaml", {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "m", annotations: { "argocd.argoproj.io/hook": "PreSync" } },
      }),
      says: "WH-RND-3404 a.yaml (document 1): Job m has the annotation argocd.argoproj.io/hook: hooks are not supported yet",
    },
    {
      name: "a hook of Helm inside a list",
      documents: inFile("a.yaml", {
        kind: "List",
        items: [
          configMap("a", { metadata: { name: "a", annotations: { "helm.sh/hook": "test" } } }),
        ],
      }),
      says: "WH-RND-3404 a.yaml (document 1), item 1: ConfigMap a has the annotation helm.sh/hook",
    },
    {
      name: "an object too large",
      documents: inFile("a.yaml", configMap("a", { data: { x: "y".repeat(manifestBytesMost) } })),
      says: "WH-RND-3405 a.yaml (document 1): ConfigMap a has ",
    },
    {
      name: "what JSON cannot hold",
      documents: inFile("a.yaml", configMap("a", { data: Number.POSITIVE_INFINITY })),
      says: "WH-RND-3402 a.yaml (document 1): data is Infinity",
    },
  ];
  for (const { name, documents, says } of refused) {
    test(`refuses ${name}, and says where`, () => {
      const manifests = readManifests(documents);
      assert.ok(!manifests.ok);
      const { code, message } = manifests.problem;
      assert.ok(`${code} ${message}`.startsWith(says), message);
    });
  }
});
