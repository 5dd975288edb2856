import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import { fieldManager } from "../../../spoke/domain/cluster.ts";
import { ownedFingerprint } from "../../../spoke/domain/fingerprint.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../../spoke/domain/kube-object.ts";
import { copyField, fieldSetOf, toFieldsV1, type Tree } from "../../support/field-sets.ts";

const claim = (
  fieldsV1: ManagedFieldsEntry["fieldsV1"],
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({
  manager: fieldManager,
  operation: "Apply",
  apiVersion: "v1",
  ...(fieldsV1 === undefined ? {} : { fieldsV1 }),
  ...more,
});

const live = (content: object, ...managedFields: ManagedFieldsEntry[]): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", managedFields },
  ...content,
});

suite("ownedFingerprint", () => {
  const owned = claim({ "f:data": { "f:color": {} } });
  const usual = ownedFingerprint(live({ data: { color: "blue" } }, owned));

  const same = [
    ["somebody adds a field", live({ data: { color: "blue", size: "l" } }, owned)],
    ["the status changes", live({ data: { color: "blue" }, status: { x: 1 } }, owned)],
    [
      "somebody else claims fields",
      live({ data: { color: "blue" } }, owned, claim({ "f:data": {} }, { manager: "other" })),
    ],
    ["time passes", live({ data: { color: "blue" } }, { ...owned, time: "2026-01-01T00:00:00Z" })],
  ] as const;
  for (const [name, object] of same)
    test(`stays when ${name}`, () => assert.equal(ownedFingerprint(object), usual));

  const different = [
    ["our value changes", live({ data: { color: "red" } }, owned)],
    ["our field is removed", live({ data: {} }, owned)],
    ["our field becomes null", live({ data: { color: null } }, owned)],
    ["a field is taken from us", live({ data: { color: "blue" } }, claim({ "f:data": {} }))],
    [
      "another version is claimed",
      live({ data: { color: "blue" } }, { ...owned, apiVersion: "v2" }),
    ],
  ] as const;
  for (const [name, object] of different) {
    test(`changes when ${name}`, () => {
      assert.notEqual(ownedFingerprint(object), usual);
      assert.notEqual(ownedFingerprint(object), "");
    });
  }

  const nothing = [
    ["nobody claims anything", live({ data: { color: "blue" } })],
    ["only others claim", live({}, claim({ "f:data": {} }, { manager: "kubectl" }))],
    ["we claim by an update only", live({}, claim({ "f:data": {} }, { operation: "Update" }))],
    ["we claim a subresource only", live({}, claim({ "f:status": {} }, { subresource: "status" }))],
    ["our claim is empty", live({}, claim({}))],
  ] as const;
  for (const [name, object] of nothing)
    test(`is empty when ${name}`, () => assert.equal(ownedFingerprint(object), ""));

  test("finds list items by key, by value and by place, wherever they stand", () => {
    const fields = {
      "f:spec": {
        "f:ports": {
          'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:name": {} },
        },
        "f:finalizers": { 'v:"keep"': {} },
        "f:args": { "i:0": {} },
      },
    };
    const object = (spec: object) => ownedFingerprint(live({ spec }, claim(fields)));
    const http = { port: 80, protocol: "TCP", name: "http" };
    const dns = { port: 53, protocol: "UDP", name: "dns" };
    const first = object({ ports: [http], finalizers: ["keep"], args: ["-v"] });
    assert.equal(
      object({ ports: [dns, http], finalizers: ["x", "keep"], args: ["-v", "-x"] }),
      first,
    );
    assert.notEqual(
      object({ ports: [{ ...http, name: "web" }], finalizers: ["keep"], args: ["-v"] }),
      first,
    );
    assert.notEqual(object({ ports: [dns], finalizers: ["keep"], args: ["-v"] }), first);
    assert.notEqual(object({ ports: [http], finalizers: [], args: ["-v"] }), first);
    assert.notEqual(object({ ports: [http], finalizers: ["keep"], args: ["-q"] }), first);
  });

  const someValue = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.integer(), { maxLength: 3 }),
  );
  const someFields = fc.letrec<{ tree: Tree; node: unknown }>((tie) => ({
    tree: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("node"), {
      minKeys: 1,
      maxKeys: 3,
    }),
    node: fc.oneof({ depthSize: "small" }, someValue, tie("tree")),
  })).tree;

  test("depends on exactly the fields we own", () => {
    const law = fc.property(
      someFields,
      someFields,
      fc.nat(),
      someValue,
      (mine, theirs, pick, value) => {
        const owned = { data: mine };
        const paths = [...fieldSetOf(owned)];
        const entry = claim(toFieldsV1(new Set(paths)));
        const plain = ownedFingerprint(live(structuredClone(owned), entry));

        const added: Tree = structuredClone(owned);
        for (const path of fieldSetOf({ other: theirs })) copyField({ other: theirs }, added, path);
        assert.equal(ownedFingerprint(live(added, entry)), plain, "others may add what they like");

        const path = paths[pick % paths.length] ?? "";
        const replaced: Tree = structuredClone(owned);
        const changed = setAt(replaced, path, value);
        if (changed) assert.notEqual(ownedFingerprint(live(replaced, entry)), plain, path);
      },
    );
    fc.assert(law, { numRuns: 300 });
  });
});

/** Writes `value` at a path of plain fields; false when it was there already. */
function setAt(tree: Tree, path: string, value: unknown): boolean {
  const steps = path.split("\n").map((step) => step.slice(2));
  const last = steps.pop() ?? "";
  let at: unknown = tree;
  for (const step of steps) at = (at as Tree)[step];
  const parent = at as Tree;
  if (JSON.stringify(parent[last]) === JSON.stringify(value)) return false;
  parent[last] = value;
  return true;
}
