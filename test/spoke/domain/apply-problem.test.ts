import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { isFailure, problemOfApply } from "../../../spoke/domain/apply-problem.ts";

const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });

suite("problemOfApply", () => {
  const rejected = (status: number, message: string) =>
    ({ kind: "rejected", status, reason: "R", message }) as const;
  const rows = [
    {
      name: "a missing namespace is told apart from other refusals",
      outcome: rejected(404, 'namespaces "shop" not found'),
      expect: { kind: "namespace-missing", namespace: "shop" },
    },
    {
      name: "another 404 is a refusal",
      outcome: rejected(404, 'configmaps "shop" not found'),
      expect: { kind: "rejected", reason: "R", message: 'configmaps "shop" not found' },
    },
    {
      name: "a refusal keeps its reason and message",
      outcome: rejected(403, "exceeded quota"),
      expect: { kind: "rejected", reason: "R", message: "exceeded quota" },
    },
    {
      name: "a conflict names the managers",
      outcome: { kind: "conflict", managers: ["kubectl"], message: "m" } as const,
      expect: { kind: "fields-owned", managers: ["kubectl"], message: "m" },
    },
    {
      name: "a kind that is not served is no refusal",
      outcome: { kind: "unknown-kind", message: "m" } as const,
      expect: { kind: "unknown-kind", message: "m" },
    },
  ];
  for (const { name, outcome, expect } of rows)
    test(name, () => assert.deepEqual(problemOfApply(key, outcome), expect));
});

test("isFailure: waiting for a definition and a second manifest of one name are none", () => {
  assert.equal(isFailure(undefined), false);
  assert.equal(isFailure({ kind: "awaits-definition", definition: "x" }), false);
  assert.equal(isFailure({ kind: "duplicate" }), false);
  assert.equal(isFailure({ kind: "namespace-missing", namespace: "shop" }), true);
});
