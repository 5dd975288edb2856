import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { parseSelectorText } from "../../../hub/domain/selector-text.ts";
import type { Requirement } from "../../../hub/domain/selector.ts";

suite("parseSelectorText", () => {
  const rows: readonly (readonly [string, readonly Requirement[]])[] = [
    ["", []],
    ["  ", []],
    ["env=prod", [{ key: "env", operator: "In", values: ["prod"] }]],
    ["env == prod", [{ key: "env", operator: "In", values: ["prod"] }]],
    ["env!=prod", [{ key: "env", operator: "NotIn", values: ["prod"] }]],
    ["env=", [{ key: "env", operator: "In", values: [""] }]],
    ["env", [{ key: "env", operator: "Exists", values: [] }]],
    ["!env", [{ key: "env", operator: "DoesNotExist", values: [] }]],
    ["tier in (web, api)", [{ key: "tier", operator: "In", values: ["web", "api"] }]],
    ["tier notin (web)", [{ key: "tier", operator: "NotIn", values: ["web"] }]],
    ["size>3", [{ key: "size", operator: "Gt", values: ["3"] }]],
    ["size < 10", [{ key: "size", operator: "Lt", values: ["10"] }]],
    [
      "app.kubernetes.io/name=web,tier in (a,b),!x",
      [
        { key: "app.kubernetes.io/name", operator: "In", values: ["web"] },
        { key: "tier", operator: "In", values: ["a", "b"] },
        { key: "x", operator: "DoesNotExist", values: [] },
      ],
    ],
  ];
  for (const [text, expect] of rows)
    test(`reads ${JSON.stringify(text)}`, () =>
      assert.deepEqual(parseSelectorText(text), { ok: true, value: expect }));

  const bad = [
    "=prod",
    "a b",
    "a,,b",
    "tier in web",
    "tier in (a",
    "size>big",
    "env=a b",
    "a=b=c",
    "-x",
  ];
  for (const text of bad) {
    test(`refuses ${JSON.stringify(text)} and quotes the term`, () => {
      const parsed = parseSelectorText(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.problem, /selector term "/);
    });
  }

  test("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const parsed = parseSelectorText(text);
        assert.equal(typeof parsed.ok, "boolean");
      }),
    );
  });
});
