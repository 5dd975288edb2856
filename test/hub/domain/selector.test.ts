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
      const read = parseLabelSelector(selector, "label-values", "it");
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
    { selector: "env=prod", says: /^it must be a mapping$/ },
    {
      selector: { matchExpressions: ["env"] },
      says: /^it\.matchExpressions\[0\] must be a mapping$/,
    },
    { selector: { matchLabels: { env: 1 } }, says: /^it\.matchLabels\.env must be text, got 1$/ },
  ];
  for (const { selector, says } of bad) {
    test(`refuses ${JSON.stringify(selector)}`, () => {
      const read = parseLabelSelector(selector, "label-values", "it");
      assert.ok(!read.ok);
      assert.match(read.problem, says);
    });
  }

  const words =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character" +
    " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const value =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and" +
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is" +
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  const subdomain =
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must" +
    " start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is" +
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  const expression = (operator: string, ...values: readonly string[]) => ({
    matchExpressions: [{ key: "a", operator, values }],
  });
  const long = "b".repeat(64);
  const flaws: readonly (readonly [
    selector: Parameters<typeof parseLabelSelector>[0],
    says: string,
  ])[] = [
    [expression("Gt", "1"), '"Gt" is not a valid label selector operator'],
    [{ matchExpressions: [{ key: "a b" }] }, '"" is not a valid label selector operator'],
    [
      expression("In"),
      "values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      expression("Exists", "x", 'y"z'),
      `[values: Invalid value: []string{"x", "y\\"z"}: values set must be empty for exists and does not exist, values[1][a]: Invalid value: "y\\"z": ${value}]`,
    ],
    [
      { matchLabels: { "": "c" } },
      `key: Invalid value: "": name part must be non-empty; name part ${words}`,
    ],
    [{ matchLabels: { "a b": "c" } }, `key: Invalid value: "a b": name part ${words}`],
    [
      { matchLabels: { [long]: "c" } },
      `key: Invalid value: "${long}": name part must be no more than 63 bytes`,
    ],
    [{ matchLabels: { "/b": "c" } }, 'key: Invalid value: "/b": prefix part must be non-empty'],
    [{ matchLabels: { "A/b": "c" } }, `key: Invalid value: "A/b": ${subdomain}`],
    [
      { matchLabels: { "a/b/c": "d" } },
      `key: Invalid value: "a/b/c": a valid label key ${words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
    [{ matchLabels: { a: "b c" } }, `values[0][a]: Invalid value: "b c": ${value}`],
    [
      { matchLabels: { a: long } },
      `values[0][a]: Invalid value: "${long}": must be no more than 63 bytes`,
    ],
  ];
  for (const [selector, says] of flaws) {
    test(`says of ${JSON.stringify(selector)} what Kubernetes says`, () =>
      assert.deepEqual(parseLabelSelector(selector, "label-values", "it"), {
        ok: false,
        problem: says,
      }));
  }

  test("an operator of params is one of pods", () =>
    assert.deepEqual(parseLabelSelector(expression("Gt", "1"), "any-text", "it"), {
      ok: false,
      problem: '"Gt" is not a valid pod selector operator',
    }));

  test("params may have any value, clusters only label values", () => {
    const selector = { matchLabels: { url: "https://example.com/a b" } };
    assert.equal(parseLabelSelector(selector, "any-text", "it").ok, true);
    assert.equal(parseLabelSelector(selector, "label-values", "it").ok, false);
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
