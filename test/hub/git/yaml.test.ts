import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  describeYamlProblem,
  parseDocuments,
  parseOne,
  yamlLimits,
} from "../../../hub/git/yaml.ts";
import { processorMs, quickMs } from "../../support/processor-time.ts";

const valueOf = (text: string): unknown => {
  const parsed = parseDocuments(text);
  assert.ok(parsed.ok, parsed.ok ? "" : describeYamlProblem(parsed.problem));
  assert.equal(parsed.value.length, 1);
  return parsed.value[0]?.value;
};

const problemOf = (text: string): string => {
  const parsed = parseDocuments(text);
  assert.ok(!parsed.ok, "expected a problem");
  return `${parsed.problem.code} ${describeYamlProblem(parsed.problem)}`;
};

suite("parseDocuments reads scalars as Go does", () => {
  const rows: readonly (readonly [text: string, value: unknown])[] = [
    ["y", true],
    ["Yes", true],
    ["ON", true],
    ["n", false],
    ["off", false],
    ["yEs", "yEs"],
    ["'yes'", "yes"],
    ["~", null],
    ["null", null],
    ["012", 10],
    ["0o17", 15],
    ["-017", -15],
    ["0x1F", 31],
    ["0b101", 5],
    ["1_000", 1000],
    ["0755", 493],
    ["08", 8],
    ["09.5", 9.5],
    ["+12", 12],
    ["-0", 0],
    ["12:30", "12:30"],
    ["2024-01-02", "2024-01-02"],
    ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"],
    ["1e3", 1000],
    ["1.", 1],
    [".5", 0.5],
    ["1.5_0", 1.5],
    ["_1", "_1"],
    ["1.2.3", "1.2.3"],
    ["0x", "0x"],
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["12345678901234567890", 12345678901234567890n],
    ["-9223372036854775808", -9223372036854775808n],
    ["123456789012345678901234567890", 1.2345678901234568e29],
    ["!!str 12", "12"],
    ["!!int '12'", 12],
    ["{y: 1, 2: b, 1.5: d}", { true: 1, 2: "b", 1.5: "d" }],
    ["0b-1", -1],
    ["!!float 012", 10],
    ["!!float '7'", 7],
    ["{n: 1}", { false: 1 }],
    ["a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }],
    ["a: &x {b: 1}\nd: {<<: [*x, {b: 2, e: 3}]}", { a: { b: 1 }, d: { b: 1, e: 3 } }],
    ["a: &x {n: 1}\nd: {<<: *x, n: 2}", { a: { false: 1 }, d: { false: 2 } }],
    ["a: &x {1: 1}\nd: {<<: *x, 1: 2}", { a: { 1: 1 }, d: { 1: 2 } }],
    ["a: &x {b: 1}\nd: {b: 2, <<: *x}", { a: { b: 1 }, d: { b: 1 } }],
    ["{!!merge <<: {a: 1}, b: <<, '<<': 2}", { a: 1, b: "<<", "<<": 2 }],
    ['!!merge "\\x3c<": {a: 1}', { a: 1 }],
    ['%TAG !m! tag:yaml.org,2002:mer\n---\n!m!ge "\\x3c<": {a: 1}', { a: 1 }],
    ["{<<: {<<: {a: 1, b: 1}, a: 2}}", { a: 2, b: 1 }],
    [
      "{1e10: a, 1000000.0: b, 0.1: c, 1.23456789: d}",
      { "1e+10": "a", "1e+06": "b", 0.1: "c", 1.2345679: "d" },
    ],
    ["{.inf: a, -.Inf: b, .NaN: c}", { ".inf": "a", "-.inf": "b", ".nan": "c" }],
    ["[!Ref x, !Sub [y], !If {z: 1}]", ["x", [true], { z: 1 }]],
    ["[!!set {a, b}, !!omap [a: 1]]", [{ a: null, b: null }, [{ a: 1 }]]],
    ["[!!timestamp 2001-01-01, !!binary aGk=]", ["2001-01-01", "hi"]],
    ["a: !!str [1]", { a: [1] }],
    ["a: |\n  x", { a: "x" }],
    ["a: >\n  x\n  y", { a: "x y" }],
    ["a: |+\n  x", { a: "x" }],
    ["a: |+\n  x\n\n ", { a: "x\n\n" }],
    ["a: |\n  x\n   ", { a: "x\n " }],
    ['{"a": 12345678901234567890,\n\t"b": "\\u00e9\\/"}', { a: 12345678901234567890n, b: "é/" }],
    ["\uFEFFa: 1", { a: 1 }],
    ['{"a": "\\ud83d\\ude00 \\U0001F600 \\\\udc80"}', { a: "\u{1F600} \u{1F600} \\udc80" }],
    ["a: 1\r\nb: 2\r\n", { a: 1, b: 2 }],
    ["text: |\n  one\n  two\n", { text: "one\ntwo\n" }],
    ["{constructor: 1, toString: 2}", { constructor: 1, toString: 2 }],
  ];
  for (const [text, value] of rows)
    test(JSON.stringify(text), () => assert.deepEqual(valueOf(text), value));
});

suite("parseDocuments refuses", () => {
  const rows: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
    [
      "a duplicate key",
      "a: 1\nb: 2\na: 3",
      /^WH-YAML-3301 line 3, column 1: duplicated mapping key/,
    ],
    ["two spellings of one boolean key", "{y: 1, on: c}", /duplicated mapping key/],
    ["a key written twice beside a merge", "{<<: {a: 1}, a: 2, a: 3}", /duplicated mapping key/],
    [
      "text behind a closing bracket",
      '{"a": 1}\n{"b": 2}',
      /^WH-YAML-3301 line 2, column 1: end of/,
    ],
    ["a merge with a number that has a fraction", "a: 1\n<<: 1.5", /2, column 1: cannot merge/],
    ["a merge with a number beyond 64 bits", "<<: 18446744073709551616", /cannot merge mappings/],
    ["a merge with what is no mapping", "a: 1\n<<: [x]", /line 2, column 1: cannot merge mappings/],
    ["a duplicate key in JSON", '{"a": 1, "a": 2}', /duplicated mapping key/],
    [
      "the key __proto__",
      '{"__proto__": {"x": 1}}',
      /line 1, column 3: the key "__proto__" is refused/,
    ],
    ["the key __proto__ by merge", "a: {<<: {__proto__: 1}}", /__proto__/],
    ["a null key", "~: 1", /a key must be text/],
    ["a list as key", "? [a]\n: 1", /a key must be text/],
    ["a tab for indentation", "a:\n\tb: 1", /^WH-YAML-3301 line 2, column 1: /],
    ["an unclosed list", "a: [1, 2\nb: 3", /^WH-YAML-3301 line 2/],
    ["what is not of its tag", "a: !!int x", /cannot resolve a node/],
    ["bytes that are not base64", "a: !!binary x", /cannot resolve a node/],
    ["infinity", "b: 1\na: .inf", /^WH-YAML-3301 line 2, column 1: .*no place in JSON/],
    ["infinity in a list", "[1, -.Inf]", /no place in JSON/],
    ["infinity alone", "---\n.inf", /line 2, column 1: .*no place in JSON/],
    ["not a number", "a: .NaN", /no place in JSON/],
    ["an alias without an anchor", "a: *nobody", /unidentified alias "nobody"/],
    ["an alias inside what it names", "a: &x [*x]", /^WH-YAML-3302 .*alias inside/],
    ["deep nesting", "[".repeat(5_000) + "]".repeat(5_000), /^WH-YAML-3302 .*maxDepth/],
    ["too many aliases", `a: &x 1\nb: [${"*x, ".repeat(1_001)}]`, /^WH-YAML-3302 .*maxAliases/],
    [
      "too many merges",
      `a: &x {${Array.from({ length: 500 }, (_, key) => `k${key}: 1`).join(", ")}}\nb: {<<: [${"*x, ".repeat(21)}]}`,
      /^WH-YAML-3302 .*merge keys/,
    ],
    ["a control character", "a: \u0001", /^WH-YAML-3301/],
    ["half a character", 'a: 1\n---\na: ["\\udc80"]', /^WH-YAML-3301 line 3.*half a character/],
    ["half a character in eight digits", 'a: "\\U0000DC80"', /half a character/],
    ["half a character of a larger number", 'a: "\\UffffdC80"', /half a character/],
    ["half a character in a key", '{"\\uD83d": 1}', /half a character/],
    ["half a character as it is", "a: \udc80", /^WH-YAML-3301/],
  ];
  for (const [name, text, problem] of rows)
    test(name, () => assert.match(problemOf(text), problem));

  test("an alias bomb, quickly", () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? "l0: &l0 [a, a, a, a, a, a, a, a, a]"
        : `l${level}: &l${level} [${Array.from({ length: 9 }, () => `*l${level - 1}`).join(", ")}]`,
    );
    const startedMs = processorMs();
    assert.match(problemOf(levels.join("\n")), /^WH-YAML-3302 .*aliases are written out/);
    assert.ok(processorMs() - startedMs < quickMs);
  });

  test("an alias bomb made of text", () => {
    const text = `a: &x ${"x".repeat(100_000)}\nb: [${"*x, ".repeat(900)}]`;
    assert.match(problemOf(text), /characters once aliases are written out/);
  });

  test("more text than the limit", () => {
    const parsed = parseDocuments("a: 1", { ...yamlLimits, textCharsMost: 3 });
    assert.ok(!parsed.ok && parsed.problem.code === "WH-YAML-3302");
  });
});

suite("parseDocuments and several documents", () => {
  test("each comes with the line its content begins on", () => {
    const parsed = parseDocuments("# head\na: 1\n---\n# note\nb: 2\n---\n- 3\n");
    assert.deepEqual(parsed, {
      ok: true,
      value: [
        { value: { a: 1 }, line: 2 },
        { value: { b: 2 }, line: 5 },
        { value: [3], line: 7 },
      ],
    });
  });

  test("an empty document is null, an empty text has none", () => {
    const parsed = parseDocuments("---\n---\na: 1\n");
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.value.map(({ value }) => value),
      [null, { a: 1 }],
    );
    assert.deepEqual(parseDocuments(""), { ok: true, value: [] });
    assert.deepEqual(parseDocuments("# only a comment\n"), { ok: true, value: [] });
  });

  test("a later document that cannot be read fails the text and says where", () =>
    assert.match(problemOf("a: 1\n---\nb: [\n"), /^WH-YAML-3301 line [34]/));
});

suite("parseOne reads what Go lets pass", () => {
  const rows: readonly (readonly [text: string, value: unknown])[] = [
    ["", null],
    ["# only a comment", null],
    ["- a: 1\n---\nb", [{ a: 1 }]],
    ["# head\n--- # first\na: 1\n...\nb: [", { a: 1 }],
    ["%YAML 1.1\n---\na: 1\n---\nb: [", { a: 1 }],
    ["a: |\n  x\n  ---\n---\n]", { a: "x\n---\n" }],
    ["a: 1\na: 2", { a: 2 }],
    ["{y: 1, on: 2, true: 3}", { true: 3 }],
    ["1: a\n'1': b", { 1: "b" }],
    ["<<: {a: 1}\na: 2\na: 3", { a: 3 }],
    ['{"a": 1}\n{"b": 2}', { a: 1 }],
    ['[{"a": 1}] x', [{ a: 1 }]],
    ['{"a": 1},', { a: 1 }],
    ["'a' b", "a"],
    ["  - a: 1\n- b: 2", [{ a: 1 }]],
  ];
  for (const [text, value] of rows)
    test(JSON.stringify(text), () => assert.deepEqual(parseOne(text), { ok: true, value }));
});

suite("parseOne fails with a sentence", () => {
  const rows: readonly (readonly [text: string, problem: RegExp])[] = [
    ["a: [", /^line \d+, column \d+: /],
    ['{"a": 1} @', /^line 1, column 10: end of the stream/],
    ["- a: 1\nb: 2", /^line 2, column 1: /],
    ["a: 1\n]", /^line 2, column 1: /],
    ["# head\n---\na: .inf", /^line 3, column 1: .*no place in JSON/],
  ];
  for (const [text, problem] of rows)
    test(JSON.stringify(text), () => {
      const parsed = parseOne(text);
      assert.match(parsed.ok ? "it was read" : parsed.problem, problem);
    });
});
