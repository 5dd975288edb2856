import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import type { Json } from "./json.ts";
import { jsonPatch, mergePatch, strategicMergePatch } from "./patch.ts";
import { atomicList, listMap, setOf, struct, text } from "./schema/schema.ts";

suite("merge patches", () => {
  const rows: readonly (readonly [target: Json, patch: Json, result: Json])[] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ a: "b" }, ["c"], ["c"]],
  ];
  for (const [target, patch, result] of rows)
    test(`${JSON.stringify(target)} with ${JSON.stringify(patch)}`, () =>
      assert.deepEqual(mergePatch(target, patch), result));

  test("patching leaves the target as it was", () => {
    const law = fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const before = JSON.stringify(target);
      mergePatch(target as Json, patch as Json);
      assert.equal(JSON.stringify(target), before);
    });
    fc.assert(law);
  });
});

suite("JSON patches", () => {
  const rows: readonly (readonly [title: string, target: Json, patch: Json, result: Json])[] = [
    ["adds a field", {}, [{ op: "add", path: "/a", value: 1 }], { a: 1 }],
    ["adds into a list", [1, 3], [{ op: "add", path: "/1", value: 2 }], [1, 2, 3]],
    ["adds at the end", [1], [{ op: "add", path: "/-", value: 2 }], [1, 2]],
    ["removes", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
    ["replaces everything", { a: 1 }, [{ op: "replace", path: "", value: 2 }], 2],
    ["moves", { a: 1 }, [{ op: "move", from: "/a", path: "/b" }], { b: 1 }],
    ["copies", { a: [1] }, [{ op: "copy", from: "/a/0", path: "/b" }], { a: [1], b: 1 }],
    ["tests", { a: { b: 1 } }, [{ op: "test", path: "/a", value: { b: 1 } }], { a: { b: 1 } }],
    [
      "unescapes",
      { "a/b": 1, "c~d": 2 },
      [
        { op: "remove", path: "/a~1b" },
        { op: "remove", path: "/c~0d" },
      ],
      {},
    ],
  ];
  for (const [title, target, patch, result] of rows)
    test(title, () => assert.deepEqual(jsonPatch(target, patch), { ok: true, value: result }));

  const refused: readonly (readonly [patch: Json, kind: string])[] = [
    [{}, "malformed"],
    [[1], "malformed"],
    [[{ op: "turn", path: "/a" }], "unfit"],
    [[{ op: "add", path: "/a" }], "malformed"],
    [[{ op: "remove", path: "/none" }], "unfit"],
    [[{ op: "replace", path: "/none/deep", value: 1 }], "unfit"],
    [[{ op: "test", path: "/none", value: null }], "unfit"],
    [[{ op: "add", path: "/none/deep", value: 1 }], "unfit"],
    [[{ op: "test", path: "/a", value: 2 }], "unfit"],
  ];
  for (const [patch, kind] of refused)
    test(`${JSON.stringify(patch)} is ${kind}`, () => {
      const result = jsonPatch({ a: 1 }, patch);
      assert.equal(result.ok ? "applied" : result.problem.kind, kind);
    });
});

suite("strategic merge patches", () => {
  const schema = struct({
    items: listMap(["name"], struct({ name: text, value: text, args: atomicList(text) })),
    tags: setOf(text),
    args: atomicList(text),
  });
  const patch = (target: Json, change: Json): Json => strategicMergePatch(target, change, schema);
  const two = { items: [{ name: "a", value: "1" }, { name: "b" }] };

  test("items merge by name, new ones come first", () =>
    assert.deepEqual(patch(two, { items: [{ name: "c" }, { name: "a", value: "2" }] }), {
      items: [{ name: "c" }, { name: "a", value: "2" }, { name: "b" }],
    }));

  test("an item is deleted on demand", () =>
    assert.deepEqual(patch(two, { items: [{ name: "a", $patch: "delete" }] }), {
      items: [{ name: "b" }],
    }));

  test("a list is replaced on demand", () =>
    assert.deepEqual(patch(two, { items: [{ $patch: "replace" }, { name: "x" }] }), {
      items: [{ name: "x" }],
    }));

  test("sets add up, plain lists are replaced", () =>
    assert.deepEqual(patch({ tags: ["a"], args: ["a"] }, { tags: ["a", "b"], args: ["b"] }), {
      tags: ["a", "b"],
      args: ["b"],
    }));

  test("values leave a set on demand", () =>
    assert.deepEqual(patch({ tags: ["a", "b"] }, { "$deleteFromPrimitiveList/tags": ["a"] }), {
      tags: ["b"],
    }));
});
