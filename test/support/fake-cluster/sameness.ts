import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { isTree, type Tree } from "../field-sets.ts";
import { asTree } from "./trees.ts";

const bookkeeping = new Set(["resourceVersion", "generation", "uid", "creationTimestamp"]);

const withoutBookkeeping = (object: Tree): Tree => {
  const metadata = isTree(object["metadata"]) ? object["metadata"] : {};
  return {
    ...object,
    metadata: Object.fromEntries(
      Object.entries(metadata)
        .filter(([name]) => !bookkeeping.has(name))
        .map(([name, value]) => [name, name === "managedFields" ? withoutTimes(value) : value]),
    ),
  };
};

const withoutTimes = (claims: unknown): unknown =>
  Array.isArray(claims)
    ? (claims as readonly unknown[])
        .map((claim) => stableJson(isTree(claim) ? { ...claim, time: undefined } : claim))
        .toSorted()
    : claims;

/** Whether the next state differs in bookkeeping only. */
export const sameBut = (before: KubeObject, next: Tree): boolean =>
  stableJson(withoutBookkeeping(asTree(before))) === stableJson(withoutBookkeeping(next));

/** Whether the next state differs in metadata and status only. */
export function sameSpec(before: KubeObject, next: Tree): boolean {
  const essence = ({ metadata: _metadata, status: _status, ...rest }: Tree): string =>
    stableJson(rest);
  return essence(asTree(before)) === essence(next);
}

export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    return isTree(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  });
}
