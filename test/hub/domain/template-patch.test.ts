import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { isObject, readDocument, type JsonObject } from "../../../hub/domain/document.ts";
import { patchedApplication } from "../../../hub/domain/template-patch.ts";
import { canonicalJson } from "../../../proto/words/digest.ts";
import { processorMs, quickMs } from "../../support/processor-time.ts";
import { generateNeeds } from "./builders.ts";

const object = (value: unknown): JsonObject => {
  const read = readDocument(value);
  assert.ok(read.ok && isObject(read.value));
  return read.value;
};

const application = {
  metadata: { name: "web", labels: { tier: "front" }, finalizers: ["f1", "f2"] },
  spec: {
    project: "default",
    source: {
      repoURL: "r",
      path: "p",
      helm: {
        valueFiles: ["v1", "v2"],
        parameters: [{ name: "p", value: "1" }],
        valuesObject: { a: 1, deep: { x: 1 } },
      },
    },
    destination: { server: "s", namespace: "ns" },
    syncPolicy: { automated: { prune: true }, syncOptions: ["A=true"] },
  },
};

const patched = (text: string, base: unknown = application) =>
  patchedApplication(object(base), text, generateNeeds);

/** What a patch makes of the whole Application, parsed again. */
function made(text: string, base: unknown = application): typeof application {
  const result = patched(text, base);
  assert.ok(result.ok, result.ok ? "" : result.problem.message);
  return JSON.parse(canonicalJson(result.value)) as typeof application;
}

const finalizers = (text: string) => made(`metadata: ${text}`).metadata.finalizers;
const helm = (text: string) => made(`spec: {source: {helm: ${text}}}`).spec.source.helm;

suite("a templatePatch", () => {
  for (const text of ["", " \n", "null", "# nothing", "{}"])
    test(`that says nothing changes nothing: ${JSON.stringify(text)}`, () =>
      assert.deepEqual(made(text), application));

  const orders: readonly (readonly [patch: string, expected: readonly string[]])[] = [
    ["{finalizers: [f3]}", ["f3", "f1", "f2"]],
    ["{finalizers: [f2]}", ["f1", "f2"]],
    ["{finalizers: [f3, f2]}", ["f3", "f1", "f2"]],
    ["{finalizers: [f2, f3]}", ["f1", "f2", "f3"]],
    ["{finalizers: [f2, f1]}", ["f2", "f1"]],
    ["{finalizers: [f3, f3]}", ["f3", "f1", "f2"]],
    ["{finalizers: []}", ["f1", "f2"]],
    ["{$setElementOrder/finalizers: [f2, f1]}", ["f2", "f1"]],
    ["{$setElementOrder/finalizers: [f2, f3, f1], finalizers: [f3]}", ["f2", "f3", "f1"]],
    ["{$deleteFromPrimitiveList/finalizers: [f1]}", ["f2"]],
  ];
  for (const [patch, expected] of orders)
    test(`keeps the finalizers and their order: ${patch}`, () =>
      assert.deepEqual(finalizers(patch), expected));

  test("gives finalizers to an Application that has none, as they are", () =>
    assert.deepEqual(
      made("metadata: {finalizers: [f3, f3]}", { metadata: { name: "web" }, spec: {} }).metadata
        .finalizers,
      ["f3", "f3"],
    ));

  test("that names what to retain removes the rest", () => {
    const { source } = made("spec: {source: {$retainKeys: [repoURL], repoURL: z}}").spec;
    assert.deepEqual(source, { repoURL: "z" });
    const { spec } = made("spec: {$retainKeys: [source, destination], source: {path: q}}");
    assert.deepEqual(Object.keys(spec), ["destination", "project", "source"]);
    assert.deepEqual(spec.source, { ...application.spec.source, path: "q" });
  });

  const lists: readonly (readonly [says: string, patch: string, expected: object])[] = [
    ["another list replaces it", "{valueFiles: [a]}", { valueFiles: ["a"] }],
    ["an empty one is none", "{valueFiles: []}", { valueFiles: undefined }],
    ["nothing in it is empty text", "{valueFiles: [null]}", { valueFiles: [""] }],
    [
      "an order may be asked for",
      "{$setElementOrder/valueFiles: [v2, v1]}",
      { valueFiles: ["v2", "v1"] },
    ],
    ["some may go", "{$deleteFromPrimitiveList/valueFiles: [v1]}", { valueFiles: ["v2"] }],
    [
      "directives in items are no fields",
      "{parameters: [{$patch: delete, name: p}, {$patch: replace}]}",
      { parameters: [{ name: "p" }, {}] },
    ],
  ];
  for (const [says, patch, expected] of lists)
    test(`of a list: ${says}`, () => {
      const rest = { ...application.spec.source.helm, ...expected };
      assert.deepEqual(helm(patch), JSON.parse(JSON.stringify(rest)));
    });

  test("that brings a new list has no nulls in its mappings, and no items with directives", () => {
    const text = `spec: {sources: [
      {repoURL: a, helm: {valuesObject: {a: null, b: [null, {c: null}]}}},
      {$patch: delete, repoURL: b}, {$patch: replace}]}`;
    const { spec } = made(text);
    assert.deepEqual("sources" in spec && spec.sources, [
      { repoURL: "a", helm: { valuesObject: { b: [null, {}] } } },
    ]);
  });

  test("merges Helm's values to their depth", () =>
    assert.deepEqual(helm("{valuesObject: {deep: {z: 2}, a: null}}"), {
      ...application.spec.source.helm,
      valuesObject: { deep: { x: 1, z: 2 } },
    }));

  test("keeps whole numbers that 64 bits can hold, in YAML and in JSON", () => {
    const big = "9007199254740993";
    for (const number of [big, `-${big}`])
      for (const text of [
        `spec: {source: {helm: {valuesObject: {size: ${number}}}}}`,
        `{"spec":{"source":{"helm":{"valuesObject":{"size":${number}}}}}}`,
      ]) {
        const result = patched(text);
        assert.ok(result.ok);
        assert.ok(canonicalJson(result.value).includes(`"size":${number}`), text);
      }
    const result = patched("spec: {source: {helm: {valuesObject: {size: 12345678901234567890}}}}");
    assert.ok(result.ok);
    assert.ok(canonicalJson(result.value).includes(`"size":12345678901234567000`));
  });

  test("puts no half of a character into an Application", () => {
    const { labels } = made(String.raw`{"metadata":{"labels":{"a\udc80":"b\ud800"}}}`).metadata;
    assert.deepEqual(labels, { tier: "front", "a\ufffd": "b\ufffd" });
  });

  test("of JSON takes the last of two keys", () =>
    assert.equal(made('{"spec":{"source":{"path":"a","path":"b"}}}').spec.source.path, "b"));

  test("may set what else an Application's metadata has, and its operation", () => {
    const text = `
metadata:
  generateName: web-
  uid: u
  resourceVersion: "1"
  creationTimestamp: "2020-01-01T00:00:00Z"
  ownerReferences: [{apiVersion: v1, kind: k, name: owner, uid: u}]
  managedFields: [{manager: m}]
operation: {sync: {revision: ""}}
status: {health: {status: Healthy}}
unknown: 1
`;
    assert.deepEqual(made(text), {
      ...application,
      metadata: {
        ...application.metadata,
        generateName: "web-",
        uid: "u",
        resourceVersion: "1",
        creationTimestamp: "2020-01-01T00:00:00Z",
        ownerReferences: [{ apiVersion: "v1", kind: "k", name: "owner", uid: "u" }],
        managedFields: [{ manager: "m" }],
      },
      operation: { sync: {}, initiatedBy: {}, retry: {} },
    });
  });

  test("that has a directive where there was nothing brings nothing there", () => {
    const bare = { metadata: { name: "web" }, spec: { project: "p" } };
    assert.deepEqual(made("metadata: {labels: {$patch: replace, only: me}}", bare), {
      metadata: { name: "web" },
      spec: { project: "p", destination: {} },
    });
  });

  const refused: readonly (readonly [text: string, says: string])[] = [
    ["[]", `invalid templatePatch "[]": it must be a mapping`],
    ["- <a>", String.raw`invalid templatePatch "[\"\\u003ca\\u003e\"]": it must be a mapping`],
    [
      "{spec: {project: x}}",
      `invalid templatePatch "{spec: {project: x}}": invalid character 's' looking for beginning of object key string`,
    ],
    [
      '{"spec":{},}',
      String.raw`invalid templatePatch "{\"spec\":{},}": invalid character '}' looking for beginning of object key string`,
    ],
    ["{", `invalid templatePatch "{": unexpected end of JSON input`],
    [
      "spec: {source: {$patch: foo}}",
      String.raw`error while applying templatePatch template to json "{\"spec\":{\"source\":{\"$patch\":\"foo\"}}}": unknown patch type: foo in map: map[$patch:foo]`,
    ],
    ["metadata: {ownerReferences: [{name: n}]}", "metadata.ownerReferences[0].name must be text"],
    ["metadata: {uid: 1}", "metadata.uid must be text"],
    ["metadata: {creationTimestamp: x}", "metadata.creationTimestamp must be a time"],
    ["metadata: {labels: {$retainKeys: [a]}}", "metadata.labels.$retainKeys must be text"],
    ["operation: x", "operation must be a mapping"],
    ["operation: {retry: {limit: a}}", "operation.retry.limit must be a whole number"],
    ["status: x", "status must be a mapping"],
    ["spec: {syncPolicy: {retry: {limit: 99999999999999999999}}}", "must be a whole number"],
    [
      "spec: {source: {kustomize: {replicas: [{count: 1.5}]}}}",
      "spec.source.kustomize.replicas[0].count must be a whole number or text",
    ],
    ["spec: {sourceHydrator: {drySource: {path: 1}}}", "drySource.path must be text"],
    ["metadata: {finalizers: [null]}", "types are not identical: [[f1 f2] [<nil>]]"],
    ["spec: {source: {$retainKeys: [path], repoURL: z}}", "invalid patch format of retainKeys"],
    ["spec: {source: {$retainKeys: path}}", "invalid patch format of retainKeys"],
    [
      "metadata: {$setElementOrder/finalizers: [f1], finalizers: [f3]}",
      "doesn't match $setElementOrder list",
    ],
    ["metadata: {$setElementOrder/finalizers: f1}", "invalid patch format of setElementOrder list"],
    ["metadata: {$setElementOrder/labels: [a]}", "invalid patch format of setElementOrder list"],
    [
      "spec: {source: {helm: {$setElementOrder/parameters: []}}}",
      "invalid patch format of setElementOrder list",
    ],
    [
      "spec: {source: {helm: {$deleteFromPrimitiveList/parameters: [{name: p}]}}}",
      "cannot merge lists without merge key for struct",
    ],
    ["metadata: {$deleteFromPrimitiveList: [f1]}", "invalid patch format of primitive list"],
  ];
  for (const [text, says] of refused)
    test(`is refused: ${text}`, () => {
      const result = patched(text);
      assert.ok(!result.ok);
      assert.ok(result.problem.message.includes(says), result.problem.message);
      assert.equal(result.problem.code, "WH-TPL-3205");
    });

  test("with very many finalizers is applied in no time", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `f${index}`);
    const base = { metadata: { name: "web", finalizers: many }, spec: {} };
    const text = JSON.stringify({ metadata: { finalizers: many.toReversed() } });
    const startedMs = processorMs();
    const { finalizers } = made(text, base).metadata;
    assert.ok(processorMs() - startedMs < quickMs);
    assert.deepEqual(finalizers, many.toReversed());
  });
});
