import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import {
  FieldReader,
  documentDepthMost,
  field,
  isObject,
  objectOf,
  readDocument,
} from "../../../hub/domain/document.ts";

suite("readDocument", () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

  const refused: readonly {
    readonly name: string;
    readonly input: unknown;
    readonly says: string;
  }[] = [
    { name: "undefined", input: undefined, says: "the document is undefined" },
    { name: "a function inside", input: { a: [() => 1] }, says: "a[0] is function" },
    { name: "NaN", input: { a: Number.NaN }, says: "a is NaN" },
    { name: "keys that are no text", input: new Map([[1, 2]]), says: "has a key that is number" },
    { name: "endless nesting", input: nested(documentDepthMost + 1), says: "nests deeper than" },
  ];
  for (const { name, input, says } of refused) {
    test(`refuses ${name}`, () => {
      const read = readDocument(input);
      assert.ok(!read.ok);
      assert.ok(read.problem.includes(says), read.problem);
    });
  }

  test("keeps every JSON value as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read = readDocument(value);
        assert.ok(read.ok);
        assert.equal(canonicalJson(read.value), canonicalJson(value as Json));
      }),
    );
  });

  test("keeps integers that a double cannot hold", () => {
    const read = readDocument({ id: 9007199254740993n });
    assert.ok(read.ok);
    assert.equal(canonicalJson(read.value), '{"id":9007199254740993}');
  });

  test("takes __proto__ and constructor for names like any other", () => {
    const read = readDocument(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'));
    assert.ok(read.ok && isObject(read.value));
    assert.deepEqual(Object.keys(read.value), ["__proto__", "constructor"]);
    assert.equal(field(read.value, "polluted"), undefined);
    assert.equal(field(read.value, "toString"), undefined);
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });
});

suite("FieldReader", () => {
  test("tells every wrong field with its path, and takes null for absence", () => {
    const fields = new FieldReader(
      objectOf([
        ["a", 1],
        ["b", "yes"],
        ["c", { d: [true] }],
        ["e", null],
        ["labels", { x: 1, y: "z" }],
      ]),
      "spec",
    );
    assert.equal(fields.text("a"), "");
    assert.equal(fields.flag("b"), undefined);
    assert.deepEqual(fields.inside("c").texts("d"), []);
    assert.equal(fields.text("e"), "");
    assert.deepEqual({ ...fields.textMap("labels") }, { y: "z" });
    assert.deepEqual(fields.problems, [
      "spec.a must be text, got 1",
      'spec.b must be true or false, got "yes"',
      "spec.c.d[0] must be text, got true",
      "spec.labels.x must be text, got 1",
    ]);
  });
});
