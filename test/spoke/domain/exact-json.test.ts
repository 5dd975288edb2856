import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { parseExactJson } from "../../../spoke/domain/exact-json.ts";
import { ownedFingerprint } from "../../../spoke/domain/fingerprint.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";

suite("parseExactJson", () => {
  const rows: readonly (readonly [text: string, expect: unknown])[] = [
    ["9007199254740991", 9007199254740991],
    ["[9007199254740993]", [9007199254740993n]],
    ['{"a": -9223372036854775808}', { a: -9223372036854775808n }],
    ['{"a":1234567890123456}', { a: 1234567890123456 }],
    ['{"a":"9007199254740993"}', { a: "9007199254740993" }],
    ['{"a":1234567890123456.5}', { a: 1234567890123456.5 }],
    ['{"a":1e+20}', { a: 1e20 }],
    ['{"a":"b:9007199254740993","c":1}', { a: "b:9007199254740993", c: 1 }],
  ];
  for (const [text, expect] of rows)
    test(`reads ${text}`, () => assert.deepEqual(parseExactJson(text), expect));

  test("what it reads is spelled as it was", () => {
    const values = fc.dictionary(
      fc.string(),
      fc.oneof(fc.maxSafeInteger(), fc.string(), fc.boolean(), fc.bigInt({ min: 2n ** 53n })),
    );
    const law = fc.property(values, (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(parseExactJson(text) as Json), text);
    });
    fc.assert(law, { numRuns: 300 });
  });

  test("an edit by one of a large number is seen", () => {
    const live = (size: string): string =>
      ownedFingerprint(
        parseExactJson(`{"apiVersion":"example.dev/v1","kind":"Disk","metadata":{"name":"a",
          "managedFields":[{"manager":"wheelhouse-spoke","operation":"Apply","apiVersion":"example.dev/v1",
          "fieldsV1":{"f:spec":{"f:size":{}}}}]},"spec":{"size":${size}}}`) as KubeObject,
      );
    assert.notEqual(live("9007199254740993"), live("9007199254740992"));
    assert.equal(live("9007199254740993"), live("9007199254740993"));
  });
});
