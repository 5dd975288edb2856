import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { combinedTexts, textsOf, type Params } from "../../../hub/domain/params.ts";
import type { GoValue } from "../../../hub/domain/template/value.ts";

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
