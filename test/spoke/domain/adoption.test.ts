import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { wouldOnlyMark } from "../../../spoke/domain/adoption.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";

const existing: KubeObject = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", uid: "u1", resourceVersion: "1" },
  data: { color: "blue" },
};

suite("wouldOnlyMark", () => {
  const rows: readonly (readonly [name: string, dryRun: KubeObject, expect: boolean])[] = [
    ["the same", existing, true],
    ["other metadata", { ...existing, metadata: { name: "a", labels: { x: "y" } } }, true],
    ["another status", { ...existing, status: { phase: "Active" } }, true],
    ["the same under another API version", { ...existing, apiVersion: "v2" }, true],
    ["another value", { ...existing, data: { color: "red" } }, false],
    ["one value more", { ...existing, data: { color: "blue", size: "l" } }, false],
    ["another field", { ...existing, immutable: true }, false],
  ];
  for (const [name, dryRun, expect] of rows)
    test(`${name}: ${expect ? "yes" : "no"}`, () =>
      assert.equal(wouldOnlyMark(existing, dryRun), expect));
});
