import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { changedLabels, type LabelChange } from "../../../hub/domain/label-change.ts";
import type { Labels } from "../../../hub/domain/records.ts";

suite("changedLabels", () => {
  const rows: readonly {
    readonly name: string;
    readonly change: LabelChange;
    readonly expect: Labels;
  }[] = [
    { name: "nothing said changes nothing", change: {}, expect: { env: "dev", tier: "web" } },
    {
      name: "a value is set, or set anew",
      change: { env: "prod", zone: "a" },
      expect: { env: "prod", tier: "web", zone: "a" },
    },
    { name: "an empty value is one", change: { env: "" }, expect: { env: "", tier: "web" } },
    {
      name: "null removes, also what is not there",
      change: { env: null, no: null },
      expect: { tier: "web" },
    },
    {
      name: "a key that objects have by nature is a key",
      change: { constructor: "x" },
      expect: { env: "dev", tier: "web", constructor: "x" },
    },
  ];
  for (const { name, change, expect } of rows)
    test(name, () => assert.deepEqual(changedLabels({ env: "dev", tier: "web" }, change), expect));
});
