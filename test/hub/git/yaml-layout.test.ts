import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  describeYamlProblem,
  parseDocuments,
  parseOne,
  yamlLimits,
} from "../../../hub/git/yaml.ts";

suite("between brackets and quotes indentation means nothing", () => {
  const rows: readonly (readonly [text: string, value: unknown])[] = [
    ["a: [\n  x\n]", { a: ["x"] }],
    ["a: {\n x: 1\n}\nb: 2", { a: { x: 1 }, b: 2 }],
    ["a: [x,\nz]", { a: ["x", "z"] }],
    ["a: [\n]\nb: {\n}", { a: [], b: {} }],
    ['a: "x\nz"', { a: "x z" }],
    ["a: 'it''s\n\nz'", { a: "it's\nz" }],
    ['a: "x \\\nz\\" ]"', { a: 'x z" ]' }],
    ["a: [foo\nbar, it's\n'b']", { a: ["foo bar", "it's 'b'"] }],
    ["a:\n- b: {\n  c: 1\n}\n- d", { a: [{ b: { c: 1 } }, "d"] }],
    ["- - [\n1]\n- x: {\n}\n  z: [\n]", [[[1]], { x: {}, z: [] }]],
    ["- a: [\n  1\n  ]", [{ a: [1] }]],
    ["a: [ # it's\n# [\nx ]", { a: ["x"] }],
    ["a: &b [\n1]\nc: *b\nd: !t {\n}", { a: [1], c: [1], d: {} }],
    ["? x\n: [\n]", { x: [] }],
    ["'q': [\n]", { q: [] }],
    ["  [\n1\n]", [1]],
    ["a: [\r\n1\r\n]\r\nb: 2", { a: [1], b: 2 }],
    ["a:\t[x,\tz]", { a: ["x", "z"] }],
    ["a: {b:\t1,\n\tc: '\t'}", { a: { b: 1, c: "\t" } }],
    // What looks like a bracket or a quote elsewhere stays what it is.
    ["a: |\n  [\n   x\n\n  '\nb: [\n]", { a: "[\n x\n\n'\n", b: [] }],
    ["a: |2\n    [\nb: [\n]", { a: "  [\n", b: [] }],
    ["- |\n [\n- [\n]", ["[\n", []]],
    ["a: >-\n  {\n  x\nb: [\n]", { a: "{ x", b: [] }],
    ["a: foo\n  [bar\nb: [\n]", { a: "foo [bar", b: [] }],
    ["a: it's {\nb: [\n]", { a: "it's {", b: [] }],
    ["a: b # '[\nc: [\n]", { a: "b", c: [] }],
  ];
  for (const [text, value] of rows)
    test(JSON.stringify(text), () => {
      assert.deepEqual(parseOne(text), { ok: true, value });
      const parsed = parseDocuments(text);
      assert.deepEqual(parsed.ok && parsed.value.map((document) => document.value), [value]);
    });

  test("any JSON, its lines indented at random, below a list in a mapping", () =>
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4, stringUnit: "grapheme-ascii" }),
        fc.infiniteStream(fc.constantFrom("", " ", "     ")),
        (json, indents) => {
          const lines = JSON.stringify(json, undefined, 1).split("\n");
          fc.pre(!lines.some((line) => line.includes('"__proto__":')));
          const [first = "", ...more] = lines.map((line) => line.trim());
          const laid = [first, ...more.map((line) => `${indents.next().value}${line}`)].join("\n");
          const read = (value: string) => parseOne(`a:\n  - b: ${value}\n  - c: 'it\n''s'\n`);
          const expected = read(JSON.stringify(json));
          assert.ok(expected.ok);
          assert.deepEqual(read(laid), expected);
        },
      ),
      { numRuns: 200 },
    ));

  test("also in a document that is not the first", () =>
    assert.deepEqual(parseDocuments("a: [\n]\n---\nb: {\n}\n"), {
      ok: true,
      value: [
        { value: { a: [] }, line: 1 },
        { value: { b: {} }, line: 4 },
      ],
    }));
});

suite("a problem stands where it stands in the text as it is written", () => {
  const rows: readonly (readonly [text: string, problem: RegExp])[] = [
    ["a:\n    b: [\n1, x: 2, x: 3,\n  {x: 1, x: 2}]", /^line 4, column 10: duplicated/],
    ["a: {\n__proto__: 1}", /^line 2, column 1: the key "__proto__"/],
    ["a: [\n]\nb: *c", /^line 3, column 5: unidentified alias/],
    ["a: {\nb: 1}\n\tc", /^line 3, column \d: /],
    ["a: [1, 2\nb: 3", /^line 2, column 1: deficient indentation/],
    ["a: [\n--- ]", /^line 2, column 1: deficient indentation/],
    ['a: "x\n... z"', /^line 2, column 1: deficient indentation/],
  ];
  for (const [text, problem] of rows)
    test(JSON.stringify(text), () => {
      const parsed = parseDocuments(text);
      assert.match(parsed.ok ? "it was read" : describeYamlProblem(parsed.problem), problem);
    });

  test("no more is added than a text may be long", () => {
    const deep = `${" ".repeat(200)}a: [${"\n1,".repeat(100)}]`;
    assert.ok(parseDocuments(deep).ok);
    const refused = parseDocuments(deep, { ...yamlLimits, textCharsMost: 1_000 });
    assert.ok(!refused.ok && refused.problem.reason === "deficient indentation");
  });
});
