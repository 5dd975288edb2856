import { fieldManager, type ApplyOutcome } from "../../../spoke/domain/cluster.ts";
import type { KubeObject } from "../../../spoke/domain/kube-object.ts";
import { payloadOf } from "../../../spoke/kube/payload.ts";
import {
  copyField,
  fieldSetOf,
  removeField,
  valueAt,
  type FieldSet,
  type Tree,
} from "../field-sets.ts";
import { claimsOf, setClaims } from "./claims.ts";
import { stableJson } from "./sameness.ts";
import { asTree } from "./trees.ts";

/** An update by `manager`: it owns what it changed, and nobody else does any more. */
export function mergeUpdate(
  before: KubeObject | undefined,
  wanted: Tree,
  by: { readonly manager: string; readonly subresource: string | undefined; readonly time: string },
): Tree {
  const { manager, subresource, time } = by;
  const next = structuredClone(wanted);
  const had = before === undefined ? new Set<string>() : fieldSetOf(asTree(before));
  const has = fieldSetOf(next);
  const changed = new Set([...has].filter((path) => !had.has(path) || differs(before, next, path)));
  const claims = claimsOf(before).map((claim) => ({
    ...claim,
    fields: new Set([...claim.fields].filter((path) => has.has(path) && !changed.has(path))),
  }));
  const mine = claims.find(
    (claim) =>
      claim.manager === manager &&
      claim.operation === "Update" &&
      claim.subresource === subresource,
  );
  if (mine !== undefined) for (const path of changed) mine.fields.add(path);
  else if (changed.size > 0)
    claims.push({ manager, operation: "Update", subresource, fields: changed, time });
  setClaims(next, claims);
  return next;
}

/** A server-side apply by the spoke: what it sends is its own, what it no longer sends goes unless shared. */
export function mergeApply(
  before: KubeObject | undefined,
  object: KubeObject,
  { force, time }: { readonly force: boolean; readonly time: string },
): { readonly kind: "merged"; readonly next: Tree } | Extract<ApplyOutcome, { kind: "conflict" }> {
  const applied = asTree(structuredClone(payloadOf(object)));
  const wanted = fieldSetOf(applied);
  const claims = claimsOf(before);
  const mine = claims.find(
    (claim) => claim.manager === fieldManager && claim.operation === "Apply",
  );
  const others = claims.filter((claim) => claim !== mine);
  const inConflict = [...wanted].filter((path) => differs(before, applied, path));
  const opponents = others.filter((claim) => inConflict.some((path) => claim.fields.has(path)));
  if (opponents.length > 0 && !force) {
    const managers = [...new Set(opponents.map((claim) => claim.manager))];
    return {
      kind: "conflict",
      managers,
      message: `Apply failed with ${inConflict.length} conflicts: conflicts with ${managers.map((name) => JSON.stringify(name)).join(", ")}`,
    };
  }
  const next = asTree(structuredClone(before ?? identityOf(object)));
  for (const path of wanted) copyField(applied, next, path);
  const kept = others.map((claim) => ({
    ...claim,
    fields: new Set([...claim.fields].filter((path) => !inConflict.includes(path))),
  }));
  for (const path of withoutWanted(mine?.fields ?? new Set(), wanted)) {
    const shared = kept.some((claim) =>
      [...claim.fields].some(
        (other) => other === path || (path.endsWith("\n.") && other.startsWith(path.slice(0, -1))),
      ),
    );
    if (!shared) removeField(next, path);
  }
  setClaims(next, [
    ...kept,
    {
      manager: fieldManager,
      operation: "Apply",
      subresource: undefined,
      fields: new Set(wanted),
      time,
    },
  ]);
  return { kind: "merged", next };
}

/** Whole list items first: what is left of an item that goes needs no work of its own. */
const withoutWanted = (before: FieldSet, wanted: FieldSet): readonly string[] =>
  [...before]
    .filter((path) => !wanted.has(path))
    .toSorted((a, b) => Number(b.endsWith("\n.")) - Number(a.endsWith("\n.")));

function differs(before: KubeObject | undefined, after: Tree, path: string): boolean {
  if (before === undefined || path.endsWith("\n.")) return false;
  return stableJson(valueAt(before, path)) !== stableJson(valueAt(after, path));
}

const identityOf = ({
  apiVersion,
  kind,
  metadata: { name, namespace },
}: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});
