import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { parseApplicationSet } from "../../../../hub/domain/application-set.ts";
import { repositoryFactKey, type Facts } from "../../../../hub/domain/facts.ts";
import { generate } from "../../../../hub/domain/generate.ts";
import { fail, ok, type Result } from "../../../../proto/kit/result.ts";
import type { Json } from "../../../../proto/words/digest.ts";
import { generateNeeds } from "../builders.ts";

function problemOf(generator: Json, documents: ReadonlyMap<string, Result<Json, string>>): string {
  const set = parseApplicationSet({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "ApplicationSet",
    metadata: { name: "web", namespace: "argocd" },
    spec: {
      goTemplate: true,
      generators: [generator],
      template: {
        metadata: { name: "{{.name}}" },
        spec: { project: "default", source: { repoURL: "r" }, destination: { name: "one" } },
      },
    },
  });
  assert.ok(set.ok, "expected a set");
  const repository = {
    repoURL: "r",
    revision: "HEAD",
    commit: "c",
    directories: [],
    files: [...documents.keys()],
    documents,
  };
  const facts: Facts = {
    clusters: [],
    repositories: new Map([[repositoryFactKey("r", "HEAD"), repository]]),
  };
  const made = generate(set.value, facts, generateNeeds);
  return made.ok
    ? made.value.flaws.map(({ problem }) => problem.message).join("; ")
    : made.problem.message;
}

suite("what a generator cannot read is told in Argo CD's words", () => {
  const cannot = "json: cannot unmarshal";
  const rows: readonly (readonly [name: string, list: Json, problem: string])[] = [
    [
      "an element that is text",
      { elements: ["a"] },
      `error unmarshling list element ${cannot} string into Go value of type map[string]interface {}`,
    ],
    [
      "an element that is a list",
      { elements: [[1]] },
      `error unmarshling list element ${cannot} array into Go value of type map[string]interface {}`,
    ],
    [
      "elementsYaml that is a mapping",
      { elementsYaml: "a: 1" },
      `error unmarshling decoded ElementsYaml error unmarshaling JSON: while decoding JSON: ${cannot} object into Go value of type []map[string]interface {}`,
    ],
    [
      "elementsYaml with a number in it",
      { elementsYaml: "- {a: 1}\n- 2" },
      `error unmarshling decoded ElementsYaml error unmarshaling JSON: while decoding JSON: ${cannot} number into Go value of type map[string]interface {}`,
    ],
    [
      "elementsYaml that is no YAML",
      { elementsYaml: "- a\nb: 1" },
      "error unmarshling decoded ElementsYaml error converting YAML to JSON: yaml: line 2: end of the stream or a document separator is expected",
    ],
  ];
  for (const [name, list, problem] of rows)
    test(name, () => assert.ok(problemOf({ list }, new Map()).endsWith(problem)));

  const inFile =
    "error generating params from git: unable to process file 'a.yaml' from repository 'r': unable to parse file: ";
  const files: readonly (readonly [name: string, file: Result<Json, string>, problem: string])[] = [
    [
      "a file that is no YAML",
      fail("line 3, column 1: duplicated mapping key"),
      "error converting YAML to JSON: yaml: line 3, column 1: duplicated mapping key",
    ],
    ["a file that cannot be read", fail("is not UTF-8 text"), "is not UTF-8 text"],
    [
      "a file that is a truth",
      ok(true),
      `error unmarshaling JSON: while decoding JSON: ${cannot} bool into Go value of type []map[string]interface {}`,
    ],
    [
      "a file with a text in its list",
      ok([{ a: 1 }, null, "b"]),
      `error unmarshaling JSON: while decoding JSON: ${cannot} string into Go value of type map[string]interface {}`,
    ],
  ];
  for (const [name, file, problem] of files)
    test(name, () => {
      const git = { repoURL: "r", revision: "HEAD", files: [{ path: "*.yaml" }] };
      const told = problemOf({ git }, new Map([["a.yaml", file]]));
      assert.ok(told.endsWith(`${inFile}${problem}`), told);
    });
});

suite("a field of a wrong type is the generator's failure", () => {
  const git: Json = { repoURL: "r", revision: "HEAD", files: [{ path: "*.yaml" }] };
  const clusters: Json = { clusters: {} };
  const path = "spec.generators[0]";
  const rows: readonly (readonly [name: string, generator: Json, problem: string])[] = [
    [
      "a template that is a number",
      { list: { elements: [{ name: "a" }], template: 5 } },
      `${path}.list.template must be a mapping, got 5`,
    ],
    [
      "a template of no",
      { clusters: { template: false } },
      `${path}.clusters.template must be a mapping, got false`,
    ],
    [
      "a child's template that is a list",
      { matrix: { generators: [{ clusters: { template: [] } }, clusters] } },
      `${path}.matrix.generators[0].clusters.template must be a mapping, got a list`,
    ],
    [
      "requeueAfterSeconds that are text",
      { git: { ...git, requeueAfterSeconds: "60" } },
      `${path}.git.requeueAfterSeconds must be a whole number, got "60"`,
    ],
    [
      "requeueAfterSeconds with a fraction, and a template of text",
      { plugin: { requeueAfterSeconds: 1.5, template: "x" } },
      `${path}.plugin.template must be a mapping, got "x"; ${path}.plugin.requeueAfterSeconds must be a whole number, got 1.5`,
    ],
  ];
  for (const [name, generator, problem] of rows)
    test(name, () => {
      const told = problemOf(generator, new Map());
      assert.ok(told.endsWith(problem), told);
    });

  test("null is no template, and no wish to be looked at again", () => {
    const template = null;
    const generator = { git: { ...git, template, requeueAfterSeconds: null } };
    assert.equal(problemOf(generator, new Map()), "");
  });
});
