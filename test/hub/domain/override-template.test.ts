import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { canonicalJson, type Json } from "../../../proto/words/digest.ts";
import { isObject, readDocument, type JsonObject } from "../../../hub/domain/document.ts";
import { overriddenTemplate } from "../../../hub/domain/override-template.ts";

function document(value: Json): JsonObject {
  const read = readDocument(value);
  assert.ok(read.ok && isObject(read.value));
  return read.value;
}

suite("a generator's template over the set's", () => {
  const rows: readonly (readonly [name: string, over: Json, base: Json, made: Json])[] = [
    ["wins with what it says", { a: "1", b: 2 }, { a: "0", c: 3 }, { a: "1", b: 2, c: 3 }],
    [
      "says nothing with what is empty",
      { t: "", n: 0, f: false, l: [], x: null },
      { t: "a", n: 1, f: true, l: [1], x: "b" },
      { t: "a", n: 1, f: true, l: [1], x: "b" },
    ],
    [
      "says something with it where the set's is not there",
      { t: "", n: 0, f: false, l: [] },
      {},
      { t: "", n: 0, f: false, l: [] },
    ],
    [
      "says something with it where the set's is null",
      { t: "", n: 0, f: false, l: [] },
      { t: null, n: null, f: null, l: null },
      { t: "", n: 0, f: false, l: [] },
    ],
    [
      "says something with what is empty of another type",
      { t: false, n: "", f: 0, l: "", b: [], k: 0 },
      { t: "a", n: 1, f: true, l: [1], b: "x", k: 7 },
      { t: false, n: "", f: 0, l: "", b: [], k: 7 },
    ],
    [
      "has its mappings merged by key",
      { m: { a: "1", n: { b: "" } } },
      { m: { a: "0", n: { b: "2", c: "3" } } },
      { m: { a: "1", n: { b: "2", c: "3" } } },
    ],
    ["replaces lists whole", { l: [{ a: "1" }] }, { l: [{ b: "2" }] }, { l: [{ a: "1" }] }],
    [
      "replaces valuesObject whole",
      { helm: { valuesObject: { a: { b: "1" } } } },
      { helm: { valuesObject: { a: { c: "2" }, d: "3" }, releaseName: "x" } },
      { helm: { valuesObject: { a: { b: "1" } }, releaseName: "x" } },
    ],
    [
      "clears valuesObject with an empty one",
      { valuesObject: {} },
      { valuesObject: { a: "1" } },
      { valuesObject: {} },
    ],
    [
      "leaves valuesObject with null",
      { valuesObject: null },
      { valuesObject: { a: "1" } },
      { valuesObject: { a: "1" } },
    ],
  ];
  for (const [name, over, base, made] of rows)
    test(name, () =>
      assert.equal(
        canonicalJson(overriddenTemplate(document(over), document(base))),
        canonicalJson(made),
      ),
    );
});
