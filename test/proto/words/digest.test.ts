import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  canonicalJson,
  digestOf,
  digestOfBytes,
  digestOfText,
  parseDigest,
  type Json,
} from "../../../proto/words/digest.ts";

suite("canonical JSON", () => {
  const rows: readonly { readonly name: string; readonly value: Json; readonly expect: string }[] =
    [
      {
        name: "sorts keys at every depth",
        value: { b: 1, a: { d: 1, c: 2 } },
        expect: '{"a":{"c":2,"d":1},"b":1}',
      },
      { name: "keeps the order of lists", value: [3, 1, 2], expect: "[3,1,2]" },
      {
        name: "keeps integers beyond 2^53 exact",
        value: 12345678901234567890n,
        expect: "12345678901234567890",
      },
      {
        name: "writes numbers as ECMAScript does",
        value: [1e21, 0.1, -0],
        expect: "[1e+21,0.1,0]",
      },
      { name: "escapes as JSON does", value: 'a"\n\u0001', expect: '"a\\"\\n\\u0001"' },
      {
        name: "sorts by UTF-16 code units, not by locale",
        value: { é: 1, z: 2, Z: 3 },
        expect: '{"Z":3,"z":2,"é":1}',
      },
      { name: "null and empties", value: [null, {}, []], expect: "[null,{},[]]" },
    ];
  for (const { name, value, expect } of rows)
    test(name, () => assert.equal(canonicalJson(value), expect));

  test("refuses what JSON cannot hold", () => {
    assert.throws(() => canonicalJson(Number.NaN), TypeError);
    assert.throws(() => canonicalJson(undefined as unknown as Json), TypeError);
  });

  test("reading it back and writing it again gives the same bytes, whatever the order of keys", () => {
    const law = fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value as Json);
      assert.equal(canonicalJson(JSON.parse(text) as Json), text);
      assert.equal(canonicalJson(reversed(value as Json)), text);
    });
    fc.assert(law, { numRuns: 500 });
  });

  test("text and its bytes have one digest", () => {
    const text = canonicalJson({ a: "ä" });
    assert.equal(digestOf({ a: "ä" }), digestOfBytes(new TextEncoder().encode(text)));
    assert.equal(digestOf({ a: "ä" }), digestOfText(text));
    assert.equal(digestOf({}), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  });

  test("only 64 lower-case hexadecimal digits are a digest", () => {
    assert.ok(parseDigest("a".repeat(64)).ok);
    for (const bad of ["A".repeat(64), "a".repeat(63), "", 7, null])
      assert.ok(!parseDigest(bad).ok);
  });
});

/** The same value with every object's keys in the opposite order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Readonly<Record<string, Json>>).toReversed();
  // A key `__proto__` must stay a key.
  const copy: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [key, inner] of entries) copy[key] = reversed(inner);
  return copy;
}
