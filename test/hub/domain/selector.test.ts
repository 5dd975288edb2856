import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { labelsMatch, parseLabelSelector, type Requirement } from "../../../hub/domain/selector.ts";

suite("parseLabelSelector", () => {
  const rows: readonly {
    readonly name: string;
    readonly selector: Parameters<typeof parseLabelSelector>[0];
    readonly admits: readonly Readonly<Record<string, string>>[];
    readonly refuses?: readonly Readonly<Record<string, string>>[];
  }[] = [
    { name: "nothing", selector: undefined, admits: [{}, { a: "1" }] },
    { name: "an empty selector", selector: {}, admits: [{}, { a: "1" }] },
    {
      name: "matchLabels",
      selector: { matchLabels: { env: "prod", tier: "1" } },
      admits: [{ env: "prod", tier: "1", x: "y" }],
      refuses: [{ env: "prod" }, { env: "dev", tier: "1" }],
    },
    {
      name: "In",
      selector: { matchExpressions: [{ key: "env", operator: "In", values: ["a", "b"] }] },
      admits: [{ env: "a" }, { env: "b" }],
      refuses: [{}, { env: "c" }],
    },
    {
      name: "NotIn",
      selector: { matchExpressions: [{ key: "env", operator: "NotIn", values: ["a"] }] },
      admits: [{}, { env: "b" }],
      refuses: [{ env: "a" }],
    },
    {
      name: "Exists and DoesNotExist",
      selector: {
        matchExpressions: [
          { key: "env", operator: "Exists" },
          { key: "old", operator: "DoesNotExist" },
        ],
      },
      admits: [{ env: "" }],
      refuses: [{}, { env: "a", old: "" }],
    },
    {
      name: "names of Object's prototype",
      selector: { matchExpressions: [{ key: "constructor", operator: "DoesNotExist" }] },
      admits: [{}],
      refuses: [{ constructor: "x" }],
    },
  ];
  for (const { name, selector, admits, refuses = [] } of rows) {
    test(`${name} admits and refuses as Kubernetes does`, () => {
      const read = parseLabelSelector(selector, "label-values");
      assert.ok(read.ok);
      for (const labels of admits)
        assert.ok(labelsMatch(read.value, labels), JSON.stringify(labels));
      for (const labels of refuses)
        assert.ok(!labelsMatch(read.value, labels), JSON.stringify(labels));
    });
  }

  const bad: readonly {
    readonly selector: Parameters<typeof parseLabelSelector>[0];
    readonly says: RegExp;
  }[] = [
    { selector: "env=prod", says: /must be a mapping/ },
    { selector: { matchLabels: { "a b": "c" } }, says: /a b/ },
    { selector: { matchLabels: { env: "no spaces allowed" } }, says: /the value/ },
    {
      selector: { matchExpressions: [{ key: "a", operator: "In", values: [] }] },
      says: /values set can't be empty/,
    },
    {
      selector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["x"] }] },
      says: /must be empty/,
    },
    {
      selector: { matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] },
      says: /"Gt" is not a valid label selector operator/,
    },
    { selector: { matchLabels: { env: 1 } }, says: /must be text, got 1/ },
  ];
  for (const { selector, says } of bad) {
    test(`refuses ${JSON.stringify(selector)}`, () => {
      const read = parseLabelSelector(selector, "label-values");
      assert.ok(!read.ok);
      assert.match(read.problem, says);
    });
  }

  test("params may have any value, clusters only label values", () => {
    const selector = { matchLabels: { url: "https://example.com/a b" } };
    assert.equal(parseLabelSelector(selector, "any-text").ok, true);
    assert.equal(parseLabelSelector(selector, "label-values").ok, false);
  });
});

suite("labelsMatch", () => {
  const someRequirement: fc.Arbitrary<Requirement> = fc.record({
    key: fc.constantFrom("a", "b"),
    operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    values: fc.array(fc.constantFrom("1", "2", "x"), { minLength: 1, maxLength: 2 }),
  });
  const someLabels = fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("1", "2", "x"));

  test("a term and its opposite never agree, but for numbers that are none", () => {
    const opposites = { In: "NotIn", NotIn: "In", Exists: "DoesNotExist", DoesNotExist: "Exists" };
    fc.assert(
      fc.property(someRequirement, someLabels, (requirement, labels) => {
        if (requirement.operator === "Gt" || requirement.operator === "Lt") return;
        const operator = opposites[requirement.operator] as Requirement["operator"];
        assert.notEqual(
          labelsMatch([requirement], labels),
          labelsMatch([{ ...requirement, operator }], labels),
        );
      }),
    );
  });

  test("all terms together hold exactly when each of them does", () => {
    fc.assert(
      fc.property(fc.array(someRequirement), someLabels, (requirements, labels) =>
        assert.equal(
          labelsMatch(requirements, labels),
          requirements.every((requirement) => labelsMatch([requirement], labels)),
        ),
      ),
    );
  });
});
