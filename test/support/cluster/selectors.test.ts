import assert from "node:assert/strict";
import test, { suite } from "node:test";
import {
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  requirementsOf,
  type Labels,
} from "./selectors.ts";

suite("selectors", () => {
  const rows: readonly (readonly [selector: string, labels: Labels, matches: boolean])[] = [
    ["", {}, true],
    ["a=1", { a: "1" }, true],
    ["a = 1", { a: "1" }, true],
    ["a==1", { a: "2" }, false],
    ["a!=1", {}, true],
    ["a in (1, 2)", { a: "2" }, true],
    ["a notin (1,2)", { a: "2" }, false],
    ["a notin (1,2)", {}, true],
    ["a", { a: "" }, true],
    ["!a", { a: "" }, false],
    ["a=,b", { a: "", b: "1" }, true],
    ["a>3", { a: "4" }, true],
    ["a<3", { a: "4" }, false],
    ["example.com/a=1,b in (x)", { "example.com/a": "1", b: "x" }, true],
  ];
  for (const [selector, labels, matches] of rows)
    test(`${JSON.stringify(selector)} ${matches ? "means" : "does not mean"} ${JSON.stringify(labels)}`, () => {
      const parsed = parseLabelSelector(selector);
      assert.ok(parsed.ok);
      assert.equal(matchesLabels(parsed.value, labels), matches);
    });

  for (const selector of ["a in b", "a in (b", "=x", "a b", "a=b c", "a=(x)"])
    test(`${JSON.stringify(selector)} makes no sense`, () =>
      assert.equal(parseLabelSelector(selector).ok, false));

  test("a field selector is a list of equalities", () => {
    assert.deepEqual(parseFieldSelector("metadata.name=a,status.phase!=Running"), {
      ok: true,
      value: [
        { field: "metadata.name", equals: true, value: "a" },
        { field: "status.phase", equals: false, value: "Running" },
      ],
    });
  });

  test("an object's selector means the same as the text", () => {
    const requirements = requirementsOf({
      matchLabels: { a: "1" },
      matchExpressions: [{ key: "b", operator: "NotIn", values: ["x"] }],
    });
    assert.equal(matchesLabels(requirements, { a: "1", b: "y" }), true);
    assert.equal(matchesLabels(requirements, { a: "1", b: "x" }), false);
    assert.deepEqual(requirementsOf({ a: "1" }), [{ key: "a", operator: "In", values: ["1"] }]);
  });
});
