import assert from "node:assert/strict";
import test, { suite } from "node:test";
import type { Json } from "../../../../proto/words/digest.ts";
import { failureOf, generatedParams, list, matrix, type Given } from "./generated-params.ts";

const first = list({ team: "x" });
const second = "failed to get params for second generator in the matrix generator";
const child = "child generator returned an error on parameter generation";
const words = `${second}: ${child}: failed to replace parameters in generator`;

const directories = (values: Json): Json => ({
  git: { repoURL: "r", revision: "HEAD", directories: [{ path: "*" }], values },
});
const plugin = (parameters: Json): Json => ({
  plugin: { configMapRef: { name: "c" }, input: { parameters } },
});

suite("values of a second child's own children", () => {
  const valuesOf = (values: Json, given: Given, nest: (leaf: Json) => Json): Json | string => {
    const made = generatedParams([matrix(first, nest(directories(values)))], given);
    return typeof made === "string" ? made : made.map((set) => (set as { values: Json }).values);
  };
  const nests: readonly (readonly [name: string, nest: (leaf: Json) => Json])[] = [
    ["in no other", (leaf) => leaf],
    ["first of a matrix", (leaf) => matrix(leaf, list({ other: "1" }))],
    ["second of a matrix", (leaf) => matrix(list({ other: "1" }), leaf)],
    [
      "first of a merge",
      (leaf) => ({ merge: { mergeKeys: ["path"], generators: [leaf, list({ path: "" })] } }),
    ],
  ];
  const rows: readonly (readonly [name: string, text: string, made: string])[] = [
    ["know what the first child gave", "{{.team}}", "x"],
    ["know what their own generator gives", "{{.path.basename}}", "apps"],
    ["see only their own where they need both", "{{.path.path}}{{.team}}", "apps<no value>"],
  ];
  for (const [nested, nest] of nests)
    for (const [name, text, made] of rows)
      test(`${nested}: ${name}`, () =>
        assert.deepEqual(valuesOf({ v: text }, {}, nest), [{ v: made }]));

  test("wait for their own generator though a missing name is an error", () => {
    for (const [, nest] of nests)
      assert.deepEqual(
        valuesOf({ own: "{{.path.basename}}", given: "{{.team}}" }, { missingKey: "error" }, nest),
        [{ own: "apps", given: "x" }],
      );
  });

  test("that no one can make fail with the name of the value", () => {
    const failing = '{{fail "no"}}';
    for (const [, nest] of nests) {
      const says = failureOf([matrix(first, nest(directories({ v: failing })))]);
      const start = `${words}: failed to pre-resolve Values key "v": failed to execute go template ${failing}`;
      assert.ok(says.startsWith(start), says);
    }
  });
});

suite("JSON of any form in a second child", () => {
  const holed = { "a{{.team}}": null, b: { c: null, d: "{{.team}}" }, l: [null, { e: null }] };
  const rows: readonly (readonly [name: string, generators: Json, made: Json])[] = [
    [
      "elements lose the null entries of their mappings, at any depth",
      matrix(first, list(holed)),
      { team: "x", b: { d: "x" }, l: [null, {}] },
    ],
    [
      "so do those of its own children",
      matrix(first, matrix(list({ other: "1" }), list(holed))),
      { team: "x", other: "1", b: { d: "x" }, l: [null, {}] },
    ],
    [
      "they keep them where the first child gave nothing to put in",
      matrix(list({}), list({ a: null, b: { c: null } })),
      { a: null, b: { c: null } },
    ],
    [
      "so do those of the first child",
      matrix(list({ a: null, b: { c: null } }), list({ d: "1" })),
      { a: null, b: { c: null }, d: "1" },
    ],
    [
      "parameters of a plugin keep their own and lose those below",
      matrix(first, plugin(holed)),
      {
        team: "x",
        made: "yes",
        generator: { input: { parameters: { ax: null, b: { d: "x" }, l: [null, {}] } } },
      },
    ],
  ];
  for (const [name, generators, made] of rows)
    test(name, () => assert.deepEqual(generatedParams([generators]), [made]));
});

suite("a second child that cannot be made says where", () => {
  const bad = "{{.team";
  const reason = "failed to parse template {{.team: template: base:1: unclosed action";
  const inJson = `failed to deeply replace JSON field contents: ${reason}`;
  const rows: readonly (readonly [name: string, child: Json, says: string])[] = [
    ["a field", { list: { elementsYaml: bad } }, reason],
    ["an element", list({ a: bad }), inJson],
    ["a key of an element", list({ [bad]: "a" }), inJson],
    ["an element of its own child", matrix(list({ a: "1" }), list({ a: bad })), inJson],
    ["a parameter of a plugin", plugin({ a: bad }), inJson],
    ["the name of a parameter of a plugin", plugin({ [bad]: "a" }), reason],
    ["a value", directories({ v: bad }), `failed to pre-resolve Values key "v": ${reason}`],
    [
      "two names that become one",
      plugin({ "{{.team}}": "1", x: "2" }),
      'two keys of one mapping are rendered to "x"',
    ],
  ];
  for (const [name, generator, says] of rows)
    test(name, () =>
      assert.equal(generatedParams([matrix(first, generator)]), `${words}: ${says}`),
    );
});

test("the template of a second child is read by nobody, so nothing in it can fail", () =>
  assert.deepEqual(
    generatedParams([
      matrix(first, { list: { elements: [{ a: "1" }], template: { metadata: { name: "{{" } } } }),
    ]),
    [{ team: "x", a: "1" }],
  ));
