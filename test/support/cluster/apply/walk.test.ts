import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { isMap, type Json } from "../json.ts";
import {
  any,
  atomicList,
  atomicMapOf,
  bool,
  int32,
  listMap,
  setOf,
  struct,
  text,
  textMap,
  type Schema,
} from "../schema/schema.ts";
import { isEmptySet, isSubset, sameSet } from "./field-set.ts";
import { compare, fieldSetOf, merge, removeItems, schemaProblems } from "./walk.ts";

const schema: Schema = struct({
  name: text,
  count: int32,
  labels: textMap,
  selector: atomicMapOf(text),
  tags: setOf(text),
  args: atomicList(text),
  items: listMap(["name"], struct({ name: text, value: text, inner: struct({ on: bool }) })),
  ports: listMap(["port", "protocol"], struct({ port: int32, protocol: text }), {
    protocol: "TCP",
  }),
  free: any,
});

const some = fc.constantFrom("a", "b", "c");
const optional = { requiredKeys: [], noNullPrototype: true };

const someValues: fc.Arbitrary<Json> = fc.record(
  {
    name: some,
    count: fc.integer({ min: 0, max: 3 }),
    labels: fc.dictionary(some, some, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    selector: fc.dictionary(some, some, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    tags: fc.uniqueArray(some, { minLength: 1 }),
    args: fc.array(some, { minLength: 1, maxLength: 3 }),
    items: fc.uniqueArray(
      fc
        .record(
          { value: some, inner: fc.record({ on: fc.boolean() }, { noNullPrototype: true }) },
          optional,
        )
        .chain((rest) => some.map((name) => ({ name, ...rest }))),
      { selector: (item) => item.name, minLength: 1 },
    ),
    free: fc.dictionary(some, fc.oneof(some, fc.array(some, { minLength: 1 })), {
      minKeys: 1,
      noNullPrototype: true,
    }),
  },
  optional,
);

suite("walking values and their schema", () => {
  test("merging a value into itself changes nothing", () => {
    const law = fc.property(someValues, (value) =>
      assert.deepEqual(merge(value, structuredClone(value), schema), value),
    );
    fc.assert(law);
  });

  test("everything that was applied is in the merged value", () => {
    const law = fc.property(someValues, someValues, (live, applied) => {
      const merged = merge(live, applied, schema);
      assert.ok(isSubset(fieldSetOf(applied, schema), fieldSetOf(merged, schema)));
      assert.deepEqual(merge(merged, applied, schema), merged);
    });
    fc.assert(law);
  });

  test("merging keeps every path that either side had", () => {
    const law = fc.property(someValues, someValues, (live, applied) => {
      const merged = fieldSetOf(merge(live, applied, schema), schema);
      assert.ok(isSubset(fieldSetOf(live, schema), merged));
    });
    fc.assert(law);
  });

  test("removing all that a value sets leaves nothing but where it was", () => {
    const law = fc.property(someValues, (value) => {
      const left = removeItems(value, fieldSetOf(value, schema), schema);
      assert.ok(isMap(left) && Object.values(left).every((inner) => inner === null));
    });
    fc.assert(law);
  });

  test("removing nothing leaves everything", () => {
    const law = fc.property(someValues, (value) =>
      assert.deepEqual(removeItems(value, {}, schema), value),
    );
    fc.assert(law);
  });

  test("a value does not differ from its copy", () => {
    const law = fc.property(someValues, (value) => {
      const { added, modified, removed } = compare(value, structuredClone(value), schema);
      assert.ok(isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed));
    });
    fc.assert(law);
  });

  test("what one direction adds, the other removes", () => {
    const law = fc.property(someValues, someValues, (a, b) => {
      const there = compare(a, b, schema);
      const back = compare(b, a, schema);
      assert.ok(sameSet(there.added, back.removed));
      assert.ok(sameSet(there.removed, back.added));
      assert.ok(sameSet(there.modified, back.modified));
    });
    fc.assert(law);
  });

  test("merging adds and modifies, and never removes", () => {
    const law = fc.property(someValues, someValues, (live, applied) => {
      const { removed } = compare(live, merge(live, applied, schema), schema);
      assert.ok(isEmptySet(removed));
    });
    fc.assert(law);
  });

  const orders: readonly (readonly [live: string, applied: string, merged: string])[] = [
    ["a b c", "a b c", "a b c"],
    ["a b", "b a", "b a"],
    ["a b", "a c", "a b c"],
    ["a", "x a", "x a"],
    ["x a", "y a", "x y a"],
    ["a b c", "c", "a b c"],
    ["a b c d", "d a", "b c d a"],
    ["", "a", "a"],
  ];
  const words = (line: string): readonly string[] => (line === "" ? [] : line.split(" "));
  for (const [live, applied, merged] of orders)
    test(`items [${live}] with [${applied}] applied are [${merged}]`, () =>
      assert.deepEqual(merge({ tags: words(live) }, { tags: words(applied) }, schema), {
        tags: words(merged),
      }));

  const sets: readonly (readonly [title: string, value: Json, set: Json])[] = [
    ["a scalar", { name: "a" }, { "f:name": {} }],
    ["a granular map", { labels: { l: "1" } }, { "f:labels": { "f:l": {} } }],
    ["an empty map", { labels: {} }, { "f:labels": {} }],
    ["an atomic map", { selector: { s: "1" } }, { "f:selector": {} }],
    ["an atomic list", { args: ["a"] }, { "f:args": {} }],
    ["an empty list with keys", { items: [] }, {}],
    ["null", { name: null }, { "f:name": {} }],
    [
      "a list with keys",
      { items: [{ name: "a", inner: { on: true } }] },
      {
        "f:items": {
          'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:inner": { "f:on": {} } },
        },
      },
    ],
    [
      "a key with a default",
      { ports: [{ port: 80 }] },
      { "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } } },
    ],
    [
      "anything",
      { free: { a: { b: 1 }, c: [1] } },
      { "f:free": { "f:a": { ".": {}, "f:b": {} }, "f:c": {} } },
    ],
  ];
  for (const [title, value, set] of sets)
    test(`the fields of ${title}`, () => assert.deepEqual(fieldSetOf(value, schema), set));

  const problems: readonly (readonly [value: Json, problem: string])[] = [
    [{ other: 1 }, ".other: field not declared in schema"],
    [{ count: "1" }, ".count: expected numeric (int or float), got string"],
    [{ labels: ["a"] }, ".labels: expected map, got &{[a]}"],
    [{ items: {} }, ".items: expected list, got &{map[]}"],
    [
      { items: [{ name: "a", inner: { off: true } }] },
      '.items[name="a"].inner.off: field not declared in schema',
    ],
    [{ tags: ["a", "a"] }, '.tags: duplicate entries for key [="a"]'],
    [{ items: [{ name: "a" }, { name: "a" }] }, '.items: duplicate entries for key [name="a"]'],
  ];
  for (const [value, problem] of problems)
    test(problem, () => assert.deepEqual(schemaProblems(value, schema), [problem]));

  test("what fits the schema has no problems", () => {
    const law = fc.property(someValues, (value) => {
      assert.ok(isMap(value));
      assert.deepEqual(schemaProblems(value, schema), []);
    });
    fc.assert(law);
  });
});
