import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { fieldManager } from "../../../spoke/domain/cluster.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../../spoke/domain/kube-object.ts";
import { trimManagedFields } from "../../../spoke/kube/trim.ts";

suite("trimManagedFields", () => {
  const fieldsV1 = { "f:data": { "f:a": {} } };
  const claim = (entry: Partial<ManagedFieldsEntry>): ManagedFieldsEntry => ({
    manager: fieldManager,
    operation: "Apply",
    apiVersion: "v1",
    time: "2026-01-01T00:00:00Z",
    fieldsV1,
    ...entry,
  });
  const rows = [
    { name: "our own claim", entry: claim({}), keeps: true },
    { name: "a claim of another manager", entry: claim({ manager: "kubectl" }), keeps: false },
    { name: "an update under our name", entry: claim({ operation: "Update" }), keeps: false },
    { name: "our claim on a subresource", entry: claim({ subresource: "status" }), keeps: false },
  ];
  for (const { name, entry, keeps } of rows) {
    test(`${name} ${keeps ? "keeps" : "loses"} its fields, and all else stays`, () => {
      const object: KubeObject = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "x", labels: { a: "b" }, managedFields: [entry] },
        data: { a: "1" },
      };
      const { fieldsV1: _fields, ...lean } = entry;
      assert.deepEqual(trimManagedFields(object), {
        ...object,
        metadata: { ...object.metadata, managedFields: [keeps ? entry : lean] },
      });
    });
  }

  test("an object with nothing to trim is the same object", () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } };
    assert.equal(trimManagedFields(object), object);
  });
});
