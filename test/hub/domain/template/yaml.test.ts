import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../../../proto/words/digest.ts";
import { encodeYaml, naturallySorted } from "../../../../hub/domain/template/yaml.ts";
import { goValueOf } from "../../../../hub/domain/template/value.ts";
import { generateNeeds } from "../builders.ts";

const free = (): void => {};

suite("encodeYaml", () => {
  const rows: readonly (readonly [value: Json, text: string])[] = [
    ["yes", '"yes"'],
    ["1", '"1"'],
    ["1_000", '"1_000"'],
    ["1:30", '"1:30"'],
    ["2024-01-01", '"2024-01-01"'],
    ["2024-13-01", "2024-13-01"],
    ["a: b", "'a: b'"],
    ["a #b", "'a #b'"],
    ["it's", "it's"],
    ["- x", "'- x'"],
    ["", '""'],
    [" x", "' x'"],
    ["a\tb", '"a\\tb"'],
    ["null", '"null"'],
    ["<<", "<<"],
    ["a😀", '"a\\U0001F600"'],
    ["\n", "|2+\n"],
    ["line1\nline2", "|-\n  line1\n  line2"],
    ["line1\n", "|\n  line1"],
    [1000000, "1000000"],
    [1e21, "1e+21"],
    [1e20, "1e+20"],
    [64036272409252808, "64036272409252810"],
    [1.5, "1.5"],
    [true, "true"],
    [null, "null"],
    [{}, "{}"],
    [[], "[]"],
    [{ b: [1, { c: 2, d: [] }], a: { n: "x" } }, 'a:\n  "n": x\nb:\n- 1\n- c: 2\n  d: []'],
    [[[1, 2], [3]], "- - 1\n  - 2\n- - 3"],
    [{ a: "x\ny" }, "a: |-\n  x\n  y"],
    [{ "x\ny": { a: 1 } }, "? |-\n  x\n  y\n: a: 1"],
    [
      { key: `${"word ".repeat(20)}end` },
      `key: ${"word ".repeat(16).trimEnd()}\n  ${"word ".repeat(4)}end`,
    ],
  ];
  for (const [value, text] of rows) {
    test(`${JSON.stringify(value).slice(0, 50)} is ${JSON.stringify(text).slice(0, 60)}`, () =>
      assert.equal(encodeYaml(goValueOf(value), free).replace(/\n$/, ""), text));
  }

  test("reads back as the value it was", () => {
    const some = fc.jsonValue({ maxDepth: 3, stringUnit: "grapheme" });
    fc.assert(
      fc.property(some, (value) => {
        // A key that is __proto__ is refused by the reader.
        if (JSON.stringify(value).includes("__proto__")) return;
        const wanted = JSON.parse(JSON.stringify(value)) as Json;
        const read = generateNeeds.decodeYaml(encodeYaml(goValueOf(wanted), free));
        assert.ok(
          read.ok,
          read.ok ? "" : `${read.problem}\n${encodeYaml(goValueOf(wanted), free)}`,
        );
        assert.equal(canonicalJson(read.value), canonicalJson(wanted));
      }),
      { numRuns: 1000 },
    );
  });

  test("words that look like something else read back as words", () => {
    const words = fc.constantFrom(
      ..."y Y yes no on off true null ~ 012 0x1F 0o17 1e3 .5 . .. - -- --- ... ? : # & * ! | > % @ ` 1.2.3 +1 -1 1_ _1 1__0 0b1 .inf .nan +.inf 12:30:45 2024-1-1 = ,a [a {a a] a} a,b 'x \"x a:b a: :a #a a#b".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(words, words, (a, b) => {
        const wanted = { [`k${a}`]: b, list: [a, { [b]: a }] };
        const text = encodeYaml(goValueOf(wanted), free);
        const read = generateNeeds.decodeYaml(text);
        assert.ok(read.ok, read.ok ? "" : `${read.problem}\n${text}`);
        assert.equal(canonicalJson(read.value), canonicalJson(wanted), text);
      }),
      { numRuns: 1000 },
    );
  });
});

test("each text is paid for as often as it is written", () => {
  const shared = "ab".repeat(100);
  let paid = 0;
  const text = encodeYaml([shared, [shared], new Map([["k", shared]])], (units) => (paid += units));
  assert.equal(text, `- ${shared}\n- - ${shared}\n- k: ${shared}\n`);
  assert.ok(paid >= 3 * shared.length, `${paid}`);
});

test("keys are sorted as people count", () =>
  assert.deepEqual(naturallySorted(["a10", "a2", "b", "1", "10", "2", "_", "a"]), [
    "_",
    "1",
    "2",
    "10",
    "a",
    "a2",
    "a10",
    "b",
  ]));
