import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { parseApplicationSet } from "../../../hub/domain/application-set.ts";

const document = (spec: Readonly<Record<string, unknown>>): unknown => ({
  metadata: { name: "web" },
  spec: { generators: [{ list: {} }], template: { metadata: { name: "x" } }, ...spec },
});

suite("parseApplicationSet", () => {
  test("reads its modes and keeps the whole document", () => {
    const read = parseApplicationSet(
      document({
        goTemplate: true,
        goTemplateOptions: ["missingkey=error"],
        template: { spec: { project: "team" } },
        syncPolicy: { preserveResourcesOnDeletion: true },
        strategy: { type: "RollingSync" },
      }),
    );
    assert.ok(read.ok);
    const { name, namespace, project, goTemplate, missingKey, preserveResourcesOnDeletion } =
      read.value;
    assert.deepEqual(
      { name, namespace, project, goTemplate, missingKey, preserveResourcesOnDeletion },
      {
        name: "web",
        namespace: "argocd",
        project: "team",
        goTemplate: true,
        missingKey: "error",
        preserveResourcesOnDeletion: true,
      },
    );
    assert.match(JSON.stringify(read.value.document), /RollingSync/);
  });

  const refused: readonly (readonly [
    spec: Readonly<Record<string, unknown>>,
    code: string,
    says: string,
  ])[] = [
    [
      { generators: [{ lists: {} }, { clusters: {}, gitt: {} }] },
      "WH-GEN-3102",
      "ApplicationSet web contains unrecognized generators: gitt, lists",
    ],
    [
      { generators: [{ matrix: { generators: [{ list: {} }, { clustres: {} }] } }] },
      "WH-GEN-3102",
      "unrecognized generators: clustres",
    ],
    [{ generators: [{}] }, "WH-GEN-3101", "spec.generators[0] names no generator"],
    [{ generators: undefined }, "WH-GEN-3101", "spec.generators"],
    [{ generators: ["list"] }, "WH-GEN-3101", "spec.generators[0] must be a mapping"],
    [{ generators: [{ list: [] }] }, "WH-GEN-3101", "spec.generators[0].list must be a mapping"],
    [{ goTemplate: "yes" }, "WH-GEN-3101", 'spec.goTemplate must be true or false, got "yes"'],
    [
      { goTemplateOptions: ["missingkey=eror"] },
      "WH-GEN-3101",
      'spec.goTemplateOptions holds "missingkey=eror", expected one of',
    ],
    [{ template: "x" }, "WH-GEN-3101", "spec.template must be a mapping"],
  ];
  for (const [spec, code, says] of refused) {
    test(`refuses ${JSON.stringify(spec)}`, () => {
      const read = parseApplicationSet(JSON.parse(JSON.stringify(document(spec))));
      assert.ok(!read.ok);
      assert.equal(read.problem.code, code);
      assert.ok(read.problem.message.includes(says), read.problem.message);
    });
  }
});
