import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "./inventory.ts";
import { isTerminating, type LiveObject } from "./live.ts";
import { isNamespace, isOwned } from "./plan.ts";
import { syncOptionsOf } from "./sync-options.ts";

/** What to do about one object of an application that is removed as a whole. */
export type Removal =
  | {
      readonly kind: "remove";
      readonly entry: InventoryEntry;
      readonly live: LiveObject;
      readonly isRemoving: boolean;
    }
  /** Gone already, or no longer ours. */
  | { readonly kind: "forget"; readonly entry: InventoryEntry }
  /** Ours, and stays in the cluster all the same. */
  | { readonly kind: "leave"; readonly entry: InventoryEntry; readonly why: LeaveReason }
  /** Its kind cannot be read now, so nothing can be said. */
  | { readonly kind: "wait"; readonly entry: InventoryEntry };

export type LeaveReason = "asks-to-stay" | "definition" | "namespace-in-use" | "declared-by-others";

export type RemovalInput = {
  readonly hubId: string;
  readonly application: string;
  readonly inventory: ReadonlyMap<ObjectKey, InventoryEntry>;
  readonly live: (key: ObjectKey) => LiveObject | undefined;
  readonly isReadable: (key: ObjectKey) => boolean;
  /** Whether other applications own objects in this namespace. */
  readonly isNamespaceInUse: (name: string) => boolean;
  /** Whether another application of this cluster declares an object: it takes it over as it is. */
  readonly isDeclaredByOthers: (key: ObjectKey) => boolean;
};

/**
 * A tombstone is an explicit order with a cause and a name, so it needs no further consent: everything owned
 * goes, namespaces and volume claims included. What would take other people's objects with it stays: a
 * definition of a kind, and a namespace in which another application has objects.
 */
export const planRemoval = (input: RemovalInput): readonly Removal[] =>
  [...input.inventory.values()].map((entry): Removal => {
    if (!input.isReadable(entry.key)) return { kind: "wait", entry };
    const live = input.live(entry.key);
    if (live === undefined || !isOwned(entry, live, input)) return { kind: "forget", entry };
    const why = reasonToLeave(entry.key, live, input);
    if (why !== undefined) return { kind: "leave", entry, why };
    return { kind: "remove", entry, live, isRemoving: isTerminating(live) };
  });

function reasonToLeave(
  key: ObjectKey,
  live: LiveObject,
  input: RemovalInput,
): LeaveReason | undefined {
  const options = syncOptionsOf(live.object);
  if (input.isDeclaredByOthers(key)) return "declared-by-others";
  if (!options.deleteWithApplication) return "asks-to-stay";
  const { group, kind, name } = objectKeyParts(key);
  const isDefinition = group === "apiextensions.k8s.io" && kind === "CustomResourceDefinition";
  if (isDefinition && options.prune !== "yes") return "definition";
  return isNamespace(key) && input.isNamespaceInUse(name) ? "namespace-in-use" : undefined;
}
