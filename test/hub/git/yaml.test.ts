import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  describeYamlProblem,
  parseDocuments,
  parseOne,
  yamlLimits,
} from "../../../hub/git/yaml.ts";

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
    ["{y: 1, 2: b, on: c, 1.5: d}", { true: "c", 2: "b", 1.5: "d" }],
    ["{n: 1}", { false: 1 }],
    ["a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }],
    ["a: &x {b: 1}\nd: {<<: [*x, {b: 2, e: 3}]}", { a: { b: 1 }, d: { b: 1, e: 3 } }],
    ['{"a": 12345678901234567890,\n\t"b": "\\u00e9\\/"}', { a: 12345678901234567890n, b: "é/" }],
    ["\uFEFFa: 1", { a: 1 }],
    ['{"a": "\\ud83d\\ude00 \\U0001F600 \\\\udc80"}', { a: "\u{1F600} \u{1F600} \\udc80" }],
    ["a: 1\r\nb: 2\r\n", { a: 1, b: 2 }],
    ["text: |\n  one\n  two\n", { text: "one\ntwo\n" }],
    ["{constructor: 1, toString: 2}", { constructor: 1, toString: 2 }],
  ];
  for (const [text, value] of rows)
    if (text === "{y: 1, 2: b, on: c, 1.5: d}")
      test("two spellings of one boolean key are a duplicate", () =>
        assert.match(problemOf(text), /duplicated mapping key/));
    else test(JSON.stringify(text), () => assert.deepEqual(valueOf(text), value));
});

suite("parseDocuments refuses", () => {
  const rows: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
    [
      "a duplicate key",
      "a: 1\nb: 2\na: 3",
      /^WH-YAML-3301 line 3, column 1: duplicated mapping key/,
    ],
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
    ["an unknown tag", "a: !Ref x", /unknown scalar tag/],
    ["infinity", "a: .inf", /no place in JSON/],
    ["not a number", "a: .NaN", /no place in JSON/],
    ["an alias without an anchor", "a: *nobody", /unidentified alias "nobody"/],
    ["an alias inside what it names", "a: &x [*x]", /^WH-YAML-3302 .*alias inside/],
    ["deep nesting", "[".repeat(5_000) + "]".repeat(5_000), /^WH-YAML-3302 .*maxDepth/],
    ["too many aliases", `a: &x 1\nb: [${"*x, ".repeat(1_001)}]`, /^WH-YAML-3302 .*maxAliases/],
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
    const startedMs = performance.now();
    assert.match(problemOf(levels.join("\n")), /^WH-YAML-3302 .*aliases are written out/);
    assert.ok(performance.now() - startedMs < 2_000);
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

suite("parseOne", () => {
  test("reads the first document only", () =>
    assert.deepEqual(parseOne("- a: 1\n---\nb"), { ok: true, value: [{ a: 1 }] }));
  test("nothing is null", () => assert.deepEqual(parseOne(""), { ok: true, value: null }));
  test("fails with a sentence", () => {
    const parsed = parseOne("a: [");
    assert.ok(!parsed.ok);
    assert.match(parsed.problem, /^line \d+, column \d+: /);
  });
});
