import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  combinedTexts,
  deepMerged,
  flattened,
  OpaqueMap,
  textsOf,
  type Params,
} from "../../../hub/domain/params.ts";
import {
  goValueOf,
  isGoMap,
  nilList,
  stringList,
  StringMap,
  type GoMap,
  type GoValue,
} from "../../../hub/domain/template/value.ts";

/** Few names and few texts, so that two maps often share some and sometimes agree. */
const texts = fc
  .array(fc.tuple(fc.constantFrom("a", "b", "__proto__", "size", ""), fc.constantFrom("1", "2")))
  .map((entries): Params => new Map(entries));

suite("two sets of flat params as one", () => {
  test("say what a map of both would say, in every way a map can be asked", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const disputed = [...a.keys()].filter((key) => b.has(key) && a.get(key) !== b.get(key));
        const combined = combinedTexts(textsOf(a), textsOf(b), ["c", ...a.keys()]);
        if (!combined.ok) {
          assert.ok(disputed.includes(combined.key));
          assert.deepEqual([combined.a, combined.b], [a.get(combined.key), b.get(combined.key)]);
          return;
        }
        assert.deepEqual(disputed, []);
        const whole = new Map([...a, ...b]);
        const { params } = combined;
        assert.equal(params.size, whole.size);
        assert.deepEqual([...params], [...whole]);
        assert.deepEqual(new Map(params), whole);
        assert.deepEqual([...params.entries()], [...whole]);
        assert.deepEqual([...params.keys()], [...whole.keys()]);
        assert.deepEqual([...params.values()], [...whole.values()]);
        const seen: [string, GoValue][] = [];
        params.forEach((value, key, map) => {
          assert.equal(map, params);
          seen.push([key, value]);
        });
        assert.deepEqual(seen, [...whole]);
        for (const key of ["a", "b", "__proto__", "size", "", "c"]) {
          assert.equal(params.get(key), whole.get(key));
          assert.equal(params.has(key), whole.has(key));
        }
      }),
    );
  });

  test("can be combined again", () => {
    const of = (key: string) => new Map([[key, key]]);
    const inner = combinedTexts(of("a"), of("b"), []);
    assert.ok(inner.ok);
    const outer = combinedTexts(textsOf(inner.params), of("c"), []);
    assert.ok(outer.ok);
    assert.deepEqual([...outer.params.keys()], ["a", "b", "c"]);
  });
});

suite("nested params, one over the other", () => {
  const texts = new StringMap([["a", "b"]]);
  const opaque = new OpaqueMap([["a", "b"]]);
  const plain = new Map([["a", "b"]]);
  const rows: readonly (readonly [name: string, base: GoMap, over: GoMap, type: unknown])[] = [
    ["two maps of texts are a map of texts", texts, new StringMap([["c", "d"]]), StringMap],
    ["two opaque maps are an opaque map", opaque, new OpaqueMap([["c", "d"]]), OpaqueMap],
    ["two plain maps are a plain map", plain, new Map([["c", "d"]]), Map],
    ["a plain map over one of texts is a plain map", texts, new Map([["c", "d"]]), Map],
    ["an opaque map over a plain one is a plain map", plain, new OpaqueMap([["c", "d"]]), Map],
  ];
  for (const [name, base, over, type] of rows)
    test(name, () => {
      const merged = deepMerged(new Map([["p", base]]), new Map([["p", over]])).get("p");
      assert.ok(isGoMap(merged));
      assert.deepEqual(
        [...merged],
        [
          ["a", "b"],
          ["c", "d"],
        ],
      );
      assert.equal(merged.constructor, type);
      assert.deepEqual([...base], [["a", "b"]]);
    });

  test("keep what only one has, and of the rest what is over the other, null and empty texts too", () => {
    const base = goValueOf({ kept: 1, text: "a", list: [1, 2], map: { a: 1, b: 2 }, none: {} });
    const over = goValueOf({ text: "", list: [3], map: { b: null, c: 3 }, none: null });
    assert.ok(isGoMap(base) && isGoMap(over));
    assert.deepEqual(
      deepMerged(base, over),
      goValueOf({ kept: 1, text: "", list: [3], map: { a: 1, b: null, c: 3 }, none: null }),
    );
  });
});

suite("values of flat params as text", () => {
  test("are printed as Go prints them, and what is text already is not copied", () => {
    const mixed: Params = new Map<string, GoValue>([
      ["text", "yes"],
      ["none", null],
      ["number", 1.5],
      ["list", ["a", true]],
    ]);
    assert.deepEqual(
      [...textsOf(mixed)],
      [
        ["text", "yes"],
        ["none", "<nil>"],
        ["number", "1.5"],
        ["list", "[a true]"],
      ],
    );
    const plain: Params = new Map([["a", "b"]]);
    assert.equal(textsOf(plain), plain);
  });
});

suite("params that are made flat", () => {
  const rows: readonly (readonly [
    name: string,
    value: GoValue,
    flat: Readonly<Record<string, string>>,
  ])[] = [
    [
      "maps and lists by their names and numbers",
      goValueOf({ a: [{ b: "c" }, [1]] }),
      { "p.a.0.b": "c", "p.a.1.0": "1" },
    ],
    ["null as Go prints it", null, { p: "<nil>" }],
    ["nothing of what is empty", goValueOf({ a: {}, b: [] }), {}],
    ["names that are empty, each behind a dot", goValueOf({ "": { "": 1 } }), { "p..": "1" }],
    ["a map of texts", new StringMap([["a", "b"]]), { "p.a": "b" }],
    ["a list of texts as one text", stringList(["a", "b"]), { p: "[a b]" }],
    ["a list of texts that was never made", nilList("string"), { p: "[]" }],
    ["an opaque map as one text", new OpaqueMap([["a", 1]]), { p: "map[a:1]" }],
  ];
  for (const [name, value, flat] of rows)
    test(name, () =>
      assert.deepEqual(Object.fromEntries(flattened(new Map([["p", value]]))), flat),
    );

  test("an empty name of the top has nothing before its dot", () =>
    assert.deepEqual([...flattened(new Map([["", new Map([["a", "b"]])]]))], [[".a", "b"]]));
});
