import { fieldManager } from "../domain/cluster.ts";
import type { KubeObject, ManagedFieldsEntry } from "../domain/kube-object.ts";

/**
 * The object without the field sets of other managers, which are often half of its bytes.
 *
 * Our own Apply entry stays whole, since drift is judged by it. Of every other claim only manager,
 * operation, version, subresource and time stay, enough to say who changed something and when.
 */
export function trimManagedFields(object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields;
  if (entries === undefined || entries.every(isLean)) return object;
  return {
    ...object,
    metadata: { ...object.metadata, managedFields: entries.map(lean) },
  };
}

/** Whether this is the one claim that server-side apply keeps for the spoke. */
const isOurClaim = (entry: ManagedFieldsEntry): boolean =>
  entry.manager === fieldManager && entry.operation === "Apply" && (entry.subresource ?? "") === "";

const isLean = (entry: ManagedFieldsEntry): boolean =>
  entry.fieldsV1 === undefined || isOurClaim(entry);

function lean(entry: ManagedFieldsEntry): ManagedFieldsEntry {
  if (isLean(entry)) return entry;
  const { fieldsV1: _dropped, ...rest } = entry;
  return rest;
}
