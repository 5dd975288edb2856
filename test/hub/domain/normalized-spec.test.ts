import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { isObject, readDocument } from "../../../hub/domain/document.ts";
import { normalizedSpec } from "../../../hub/domain/normalized-spec.ts";

function normalized(fields: object): unknown {
  const read = readDocument({ project: "p", destination: {}, ...fields });
  assert.ok(read.ok && isObject(read.value));
  const { project, destination, ...rest } = JSON.parse(
    JSON.stringify(normalizedSpec(read.value)),
  ) as { project: string; destination: object };
  assert.deepEqual(destination, {});
  return project === "p" ? rest : { project, ...rest };
}

suite("the normal form of a spec", () => {
  test("has a project and a destination", () =>
    assert.deepEqual(normalized({ project: "" }), { project: "default" }));

  const gone: readonly object[] = [
    { kustomize: {} },
    { kustomize: null },
    { kustomize: { commonLabels: {}, images: [], namePrefix: "" } },
    { kustomize: { forceCommonLabels: true } },
    { kustomize: { forceCommonAnnotations: true } },
    { kustomize: { labelWithoutSelector: true } },
    { kustomize: { labelIncludeTemplates: true } },
    { kustomize: { commonAnnotationsEnvsubst: true } },
    { helm: {} },
    { helm: { valuesObject: null, values: "", passCredentials: false } },
    { directory: {} },
    { directory: { recurse: false, jsonnet: { libs: [] } } },
  ];
  for (const tool of gone)
    test(`has no ${JSON.stringify(tool)} in a source`, () => {
      const source = { repoURL: "r", ...tool };
      assert.deepEqual(normalized({ source }), { source: { repoURL: "r" } });
      assert.deepEqual(normalized({ sources: [source] }), { sources: [{ repoURL: "r" }] });
    });

  const kept: readonly object[] = [
    { kustomize: { commonLabels: { k: "" } } },
    { kustomize: { commonAnnotations: { k: "" } } },
    { kustomize: { forceCommonLabels: true, namePrefix: "x" } },
    { kustomize: { ignoreMissingComponents: true } },
    { kustomize: { patches: [{}] } },
    { helm: { valuesObject: {} } },
    { helm: { parameters: [{}] } },
    { helm: { skipTests: true } },
    { directory: { recurse: true } },
    { directory: { jsonnet: { libs: ["a"] } } },
    { directory: { include: "a", exclude: "b" } },
    { directory: { include: false } },
    { directory: { recurse: "" } },
    { plugin: {} },
  ];
  for (const tool of kept)
    test(`keeps ${JSON.stringify(tool)} of a source`, () => {
      const source = { repoURL: "r", ...tool };
      assert.deepEqual(normalized({ source }), { source });
    });

  test("reduces a directory that neither recurses nor has Jsonnet to what it includes", () =>
    assert.deepEqual(
      normalized({ source: { directory: { include: "a", exclude: "", jsonnet: {} } } }),
      { source: { directory: { include: "a" } } },
    ));

  test("leaves the source alone beside sources", () => {
    const source = { repoURL: "r", helm: {} };
    assert.deepEqual(normalized({ source, sources: [{ repoURL: "q", helm: {} }] }), {
      source,
      sources: [{ repoURL: "q" }],
    });
  });

  const policies: readonly (readonly [policy: object | null, stays: boolean])[] = [
    [null, false],
    [{}, false],
    [{ syncOptions: [] }, false],
    [{ automated: null }, false],
    [{ syncOptions: ["A=true"] }, true],
    [{ syncOptions: false }, true],
    [{ automated: {} }, true],
    [{ retry: {} }, true],
    [{ managedNamespaceMetadata: {} }, true],
  ];
  for (const [syncPolicy, stays] of policies)
    test(`${stays ? "keeps" : "has no"} sync policy ${JSON.stringify(syncPolicy)}`, () =>
      assert.deepEqual(normalized({ syncPolicy }), stays ? { syncPolicy } : {}));
});
