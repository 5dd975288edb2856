import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { decodeFirstJson, decodeJson, encodeJson } from "../../../../hub/domain/template/json.ts";
import { goValueOf, type GoValue } from "../../../../hub/domain/template/value.ts";
import type { Json } from "../../../../proto/words/digest.ts";

const compact = { escapesHtml: false, indented: false };

suite("JSON as Go has it", () => {
  test("what is written reads back, and as JSON.parse reads it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const go = goValueOf(JSON.parse(JSON.stringify(value)) as Json);
        const text = encodeJson(go, compact);
        assert.ok(text.ok);
        assert.deepEqual(decodeJson(text.value), { ok: true, value: go });
        assert.deepEqual(goValueOf(JSON.parse(text.value) as Json), go);
      }),
    );
  });

  const rows: readonly (readonly [text: string, says: string])[] = [
    ["bad", "invalid character 'b' looking for beginning of value"],
    ["", "unexpected end of JSON input"],
    ["[1,", "unexpected end of JSON input"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ["[1 2]", "invalid character '2' after array element"],
    ["1 2", "invalid character '2' after top-level value"],
    ["trux", "invalid character 'x' in literal true (expecting 'e')"],
    ["-a", "invalid character 'a' in numeric literal"],
    ["1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"],
    ["[".repeat(5000), "exceeded max depth"],
  ];
  for (const [text, says] of rows) {
    test(`${text.slice(0, 20)} is refused: ${says}`, () =>
      assert.deepEqual(decodeJson(text), { ok: false, problem: says }));
  }

  const streams: readonly (readonly [text: string, value: GoValue | Error])[] = [
    ["[1] and more", [1]],
    ['{"a":2}{', new Map([["a", 2]])],
    [" null", null],
    [" \n", undefined],
    ["[1,", new Error("unexpected EOF")],
    ["and", new Error("invalid character 'a' looking for beginning of value")],
  ];
  for (const [text, value] of streams) {
    test(`the first value of ${JSON.stringify(text)}`, () =>
      assert.deepEqual(
        decodeFirstJson(text),
        value instanceof Error ? { ok: false, problem: value.message } : { ok: true, value },
      ));
  }

  test("keys are sorted, and HTML is escaped on request", () => {
    const value = goValueOf({ b: "<&>", a: [1e21, 1e-7, null] });
    assert.deepEqual(encodeJson(value, { escapesHtml: true, indented: false }), {
      ok: true,
      value: '{"a":[1e+21,1e-7,null],"b":"\\u003c\\u0026\\u003e"}',
    });
    assert.deepEqual(encodeJson(value, { escapesHtml: false, indented: true }), {
      ok: true,
      value: '{\n  "a": [\n    1e+21,\n    1e-7,\n    null\n  ],\n  "b": "<&>"\n}',
    });
  });
});
