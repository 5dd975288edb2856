import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  FieldReader,
  readDocument,
  isObject,
  type JsonObject,
} from "../../../hub/domain/document.ts";
import { compileJqPath } from "../../../hub/domain/jq/path.ts";
import { reconciledApplication } from "../../../hub/domain/reconciled-application.ts";
import { consultsLive, readSetPolicy, type SetPolicy } from "../../../hub/domain/set-policy.ts";

const object = (value: unknown): JsonObject => {
  const read = readDocument(value);
  assert.ok(read.ok && isObject(read.value));
  return read.value;
};

const policy = (spec: unknown): SetPolicy => {
  const fields = new FieldReader(object(spec), "spec");
  const made = readSetPolicy(fields);
  assert.deepEqual(fields.problems, []);
  return made;
};

const application = (spec: unknown, metadata: object = {}): JsonObject =>
  object({ metadata: { name: "web", ...metadata }, spec });

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

suite("an Application generated anew", () => {
  const live = application(
    { project: "p", source: { repoURL: "r", targetRevision: "v1" }, destination: {} },
    {
      labels: { mine: "1", theirs: "1" },
      annotations: { note: "x", "argocd.argoproj.io/refresh": "normal" },
      finalizers: ["pre-delete-finalizer.argocd.argoproj.io", "other"],
    },
  );
  const generated = application(
    { project: "p", source: { repoURL: "r", targetRevision: "v2" }, destination: {} },
    { labels: { mine: "2" } },
  );

  test("is what is generated, but for what is never ours to remove", () =>
    assert.deepEqual(plain(reconciledApplication(live, generated, policy({}))), {
      metadata: {
        name: "web",
        labels: { mine: "2" },
        annotations: { "argocd.argoproj.io/refresh": "normal" },
        finalizers: ["pre-delete-finalizer.argocd.argoproj.io"],
      },
      spec: { project: "p", source: { repoURL: "r", targetRevision: "v2" }, destination: {} },
    }));

  test("keeps the labels and annotations its set preserves", () => {
    const kept = policy({ preservedFields: { labels: ["theirs"], annotations: ["note"] } });
    const { metadata } = reconciledApplication(live, generated, kept);
    assert.deepEqual(plain(metadata), {
      name: "web",
      labels: { mine: "2", theirs: "1" },
      annotations: { "argocd.argoproj.io/refresh": "normal", note: "x" },
      finalizers: ["pre-delete-finalizer.argocd.argoproj.io"],
    });
  });

  for (const applicationsSync of ["create-only", "create-delete"])
    test(`stays as it was under ${applicationsSync}`, () => {
      const frozen = policy({ syncPolicy: { applicationsSync } });
      assert.equal(reconciledApplication(live, generated, frozen), live);
      assert.ok(consultsLive(frozen));
    });

  test("keeps a place that is ignored, by pointer, expression and name", () => {
    const revision = (rule: object): unknown => {
      const made = reconciledApplication(
        live,
        generated,
        policy({ ignoreApplicationDifferences: [rule] }),
      );
      return object(object(made["spec"])["source"])["targetRevision"];
    };
    assert.equal(revision({ jsonPointers: ["/spec/source/targetRevision"] }), "v1");
    assert.equal(revision({ jqPathExpressions: [".spec.source.targetRevision"] }), "v1");
    assert.equal(revision({ name: "other", jsonPointers: ["/spec/source/targetRevision"] }), "v2");
  });

  test("is left alone when only what says nothing differs", () => {
    const written = application({
      project: "p",
      source: { repoURL: "r", helm: {} },
      destination: {},
      syncPolicy: {},
    });
    const again = application({ project: "p", source: { repoURL: "r" }, destination: {} });
    assert.equal(reconciledApplication(written, again, policy({})), written);
  });

  test("a rule that cannot be understood is a problem of the set", () => {
    const fields = new FieldReader(
      object({
        syncPolicy: { applicationsSync: "never" },
        ignoreApplicationDifferences: [
          { jqPathExpressions: [".a | nonsense"], jsonPointers: ["a"] },
        ],
      }),
      "spec",
    );
    readSetPolicy(fields);
    assert.deepEqual(fields.problems, [
      'spec.syncPolicy.applicationsSync must be one of sync, create-update, create-delete, create-only, got "never"',
      "spec.ignoreApplicationDifferences[0].jqPathExpressions[0] is not a jq path expression that is understood: nonsense at column 6 is not a function that is known",
      'spec.ignoreApplicationDifferences[0].jsonPointers[0] must begin with /, got "a"',
    ]);
  });
});

suite("jq path expressions", () => {
  const document = object({
    spec: {
      list: [
        { name: "a", n: 1 },
        { name: "b", n: 2 },
      ],
      "odd key": { x: null },
      text: "web-1",
    },
  });
  const rows: readonly (readonly [string, readonly (readonly (string | number)[])[]])[] = [
    [".spec.text", [["spec", "text"]]],
    ['.spec["odd key"].x', [["spec", "odd key", "x"]]],
    ['.spec."odd key"', [["spec", "odd key"]]],
    [
      ".spec.list[]",
      [
        ["spec", "list", 0],
        ["spec", "list", 1],
      ],
    ],
    [".spec.list[-1].n", [["spec", "list", 1, "n"]]],
    ['.spec.list[] | select(.name == "b") | .n', [["spec", "list", 1, "n"]]],
    ['.spec.list | select(.name == "b")', [["spec", "list", 1]]],
    ['.spec.list[] | select(.n > 1 and (.name | startswith("b")))', [["spec", "list", 1]]],
    ['.spec | select(.text | test("^web-[0-9]$")) | .text', [["spec", "text"]]],
    ['.spec.list[] | select(has("n") | not)', []],
    [
      "(.spec.text, .spec.missing)",
      [
        ["spec", "text"],
        ["spec", "missing"],
      ],
    ],
    [".spec.text.deeper", []],
    [".spec.text.deeper?, .spec.text", [["spec", "text"]]],
    [".", []],
  ];
  for (const [expression, places] of rows)
    test(expression, () => {
      const compiled = compileJqPath(expression);
      assert.ok(compiled.ok, compiled.ok ? "" : compiled.problem);
      assert.deepEqual(compiled.value(document), places);
    });

  for (const expression of ["", ".a[", "select()", ".a | ", "length(1)", "(".repeat(60), ".a ]"])
    test(`${JSON.stringify(expression.slice(0, 12))} is refused`, () =>
      assert.equal(compileJqPath(expression).ok, false));
});
