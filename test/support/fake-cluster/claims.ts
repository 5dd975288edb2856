import type { KubeObject, ManagedFieldsEntry } from "../../../spoke/domain/kube-object.ts";
import { isTree, toFieldsV1, type Tree } from "../field-sets.ts";
import { textOf } from "./trees.ts";

/** What one manager owns of an object, as an entry of `managedFields` says. */
export type Claim = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource: string | undefined;
  readonly fields: Set<string>;
  readonly time: string;
};

export function claimsOf(object: KubeObject | undefined): Claim[] {
  return (object?.metadata.managedFields ?? []).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    subresource: entry.subresource,
    fields: new Set(pathsOf(entry.fieldsV1 ?? {})),
    time: entry.time ?? "",
  }));
}

function* pathsOf(fields: Tree, elements: readonly string[] = []): Iterable<string> {
  for (const [element, inner] of Object.entries(fields)) {
    const path = [...elements, element];
    if (isTree(inner) && Object.keys(inner).length > 0) yield* pathsOf(inner, path);
    else yield path.join("\n");
  }
}

export function setClaims(object: Tree, claims: readonly Claim[]): void {
  const managedFields = claims
    .filter((claim) => claim.fields.size > 0)
    .map((claim): ManagedFieldsEntry => ({
      manager: claim.manager,
      operation: claim.operation,
      apiVersion: textOf(object["apiVersion"]),
      ...(claim.subresource === undefined ? {} : { subresource: claim.subresource }),
      time: claim.time,
      fieldsV1: toFieldsV1(claim.fields),
    }));
  const metadata = isTree(object["metadata"]) ? object["metadata"] : {};
  object["metadata"] = { ...metadata, managedFields };
}
