import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { Digest } from "../../proto/words/digest.ts";
import { strangerManagedBy } from "./adoption.ts";
import type { ObjectProblem, PruneHold } from "./conditions.ts";
import type { InventoryEntry } from "./inventory.ts";
import { keyOfObject } from "./kube-object.ts";
import { isTerminating, type LiveObject } from "./live.ts";
import { markerOf, otherToolOf } from "./marker.ts";
import type { Orderable } from "./order.ts";
import { isWithinReach, type Reach } from "./reach.ts";
import { syncOptionsOf, type AdoptPolicy } from "./sync-options.ts";

/** One object of a bundle as plans need it; the manifest itself is read again when it is applied. */
export type DesiredObject = Orderable & {
  /** API version without the group. */
  readonly version: string;
  readonly blob: Digest;
  /** Digest of exactly what would be sent; empty while the kind is not served. */
  readonly digest: string;
  /** False: the API server knows no such kind (yet), so not even the namespace is certain. */
  readonly isServed: boolean;
  readonly images: readonly string[];
  /** True for what the cluster removes by itself when it is done, such as a Job with a time to live. */
  readonly mayVanish: boolean;
  readonly ignoreHealth: boolean;
  readonly adopt: AdoptPolicy;
};

/**
 * How a difference came about: `new` and `changed` by a generation, `drift` in the cluster, `readopt` by a lost
 * inventory, `adopt` by a manifest that says so, `handover` by another application of ours that gave it up.
 */
export type Why = "new" | "changed" | "drift" | "readopt" | "adopt" | "handover";

export type Action =
  | { readonly kind: "nothing"; readonly desired: DesiredObject }
  | { readonly kind: "create"; readonly desired: DesiredObject; readonly why: Why }
  | { readonly kind: "update"; readonly desired: DesiredObject; readonly why: Why }
  /** Exists, is not marked, and may become ours if applying would change nothing but metadata. */
  | { readonly kind: "adopt"; readonly desired: DesiredObject }
  /** Being deleted; it can be created again when it is gone. */
  | { readonly kind: "hold"; readonly desired: DesiredObject }
  | { readonly kind: "refuse"; readonly desired: DesiredObject; readonly problem: ObjectProblem }
  /** The cluster does not serve the kind. */
  | { readonly kind: "blocked"; readonly desired: DesiredObject }
  /** The live object is unknown, since its kind cannot be read. */
  | { readonly kind: "unread"; readonly desired: DesiredObject }
  | { readonly kind: "prune"; readonly entry: InventoryEntry; readonly isRemoving: boolean }
  | { readonly kind: "keep"; readonly entry: InventoryEntry; readonly why: PruneHold }
  /** In the inventory, and either gone or no longer ours. */
  | { readonly kind: "forget"; readonly entry: InventoryEntry }
  /** Marked as ours, not in the bundle, and unknown to the inventory or there under another uid. */
  | { readonly kind: "recover"; readonly live: LiveObject; readonly key: ObjectKey };

export type PlanInput = {
  readonly hubId: string;
  readonly application: string;
  readonly desired: readonly DesiredObject[];
  readonly inventory: ReadonlyMap<ObjectKey, InventoryEntry>;
  readonly live: (key: ObjectKey) => LiveObject | undefined;
  readonly reach: Reach;
  /** Whether `live` can be believed for objects of this kind. */
  readonly isReadable: (key: ObjectKey) => boolean;
  /** Which other application owns an object by its inventory, and has not given it up. */
  readonly otherOwner: (key: ObjectKey) => ApplicationName | undefined;
  /** Whether an application of this cluster, other than this one, declares an object. */
  readonly isDeclaredByOthers: (key: ObjectKey) => boolean;
  /** Whether that application declares an object, or may do so for all that is known. */
  readonly mayDeclare: (application: ApplicationName, key: ObjectKey) => boolean;
  /** Live objects that name this application in their marker. */
  readonly marked: readonly LiveObject[];
  readonly prune: PrunePolicy;
};

export type PrunePolicy = {
  readonly allowed: boolean;
  readonly allowEmpty: boolean;
  /** An operator asked for this very sync with prune: consent to all that waits for consent. */
  readonly confirmed: boolean;
  /** Found by marker after the inventory was lost. */
  readonly recovered: ReadonlySet<ObjectKey>;
  /** Whether other applications own objects in this namespace. */
  readonly isNamespaceInUse: (name: string) => boolean;
  readonly brake: PruneBrake;
};

/** More objects than `objectsMost`, and a larger part of the inventory than `ratioMost`, wait for consent. */
export type PruneBrake = { readonly objectsMost: number; readonly ratioMost: number };

export type Plan = { readonly actions: readonly Action[] };

/** What must happen for the cluster to hold exactly the bundle. Carrying it all out leaves nothing to plan. */
export function makePlan(input: PlanInput): Plan {
  const wanted = new Set(input.desired.map(({ key }) => key));
  const leftovers = [...input.inventory.values()].filter(({ key }) => !wanted.has(key));
  return {
    actions: [
      ...input.desired.map((desired) => actionFor(desired, input)),
      ...actionsForLeftovers(leftovers, input),
      ...recoveries(wanted, input),
    ],
  };
}

function actionFor(desired: DesiredObject, input: PlanInput): Action {
  if (!desired.isServed) return { kind: "blocked", desired };
  if (input.reach.kind === "namespaces" && !isWithinReach(desired.key, input.reach))
    return {
      kind: "refuse",
      desired,
      problem: { kind: "out-of-reach", namespaces: input.reach.namespaces },
    };
  const owner = input.otherOwner(desired.key);
  if (owner !== undefined)
    return { kind: "refuse", desired, problem: { kind: "other-application", application: owner } };
  if (!input.isReadable(desired.key)) return { kind: "unread", desired };
  const entry = input.inventory.get(desired.key);
  const live = input.live(desired.key);
  if (live === undefined) return actionForAbsent(desired, entry);
  if (isTerminating(live)) return { kind: "hold", desired };
  if (entry !== undefined && entry.uid === live.uid)
    return actionForOwned(desired, entry, live, input);
  if (isMarked(live, input)) return { kind: "update", desired, why: "readopt" };
  if (isGivenUp(live, desired.key, input)) return { kind: "update", desired, why: "handover" };
  return actionForStranger(desired, live, input);
}

/** Marked by an application of this hub that neither has it in its inventory nor wants it any more. */
function isGivenUp(live: LiveObject, key: ObjectKey, input: PlanInput): boolean {
  const marker = markerOf(live.object);
  if (marker?.hubId !== input.hubId) return false;
  return marker.application === undefined || !input.mayDeclare(marker.application, key);
}

function actionForAbsent(desired: DesiredObject, entry: InventoryEntry | undefined): Action {
  if (entry === undefined || entry.applied === "") return { kind: "create", desired, why: "new" };
  if (entry.applied !== desired.digest) return { kind: "create", desired, why: "changed" };
  return desired.mayVanish
    ? { kind: "nothing", desired }
    : { kind: "create", desired, why: "drift" };
}

function actionForOwned(
  desired: DesiredObject,
  entry: InventoryEntry,
  live: LiveObject,
  input: PlanInput,
): Action {
  const marker = markerOf(live.object);
  if (marker !== undefined && marker.hubId !== input.hubId)
    return { kind: "refuse", desired, problem: foreignHub(marker.hubId) };
  if (entry.applied === "") return { kind: "update", desired, why: "readopt" };
  if (entry.applied !== desired.digest) return { kind: "update", desired, why: "changed" };
  if (entry.fingerprint !== live.fingerprint) return { kind: "update", desired, why: "drift" };
  return { kind: "nothing", desired };
}

function actionForStranger(desired: DesiredObject, live: LiveObject, input: PlanInput): Action {
  const marker = markerOf(live.object);
  const tool = otherToolOf(live.object);
  if (marker !== undefined && marker.hubId !== input.hubId)
    return { kind: "refuse", desired, problem: foreignHub(marker.hubId) };
  // It has not given it up, or we would not be here.
  if (marker?.application !== undefined)
    return {
      kind: "refuse",
      desired,
      problem: { kind: "other-application", application: marker.application },
    };
  if (desired.adopt === "always") return { kind: "update", desired, why: "adopt" };
  return tool === undefined && desired.adopt === "if-equal"
    ? { kind: "adopt", desired }
    : { kind: "refuse", desired, problem: strangerManagedBy(live.managers, tool) };
}

const foreignHub = (hubId: string): ObjectProblem => ({
  kind: "foreign",
  owner: `it belongs to hub ${hubId}`,
  mayBeTold: false,
});

const isMarked = (live: LiveObject, input: PlanInput): boolean => {
  const marker = markerOf(live.object);
  return marker?.hubId === input.hubId && marker.application === input.application;
};

/**
 * Whether an object may be pruned by this application: in its inventory, marked as its own, and the very
 * object that was applied. An entry without uid is an apply whose answer was never recorded.
 */
export const isOwned = (
  entry: InventoryEntry,
  live: LiveObject,
  input: Pick<PlanInput, "hubId" | "application">,
): boolean => {
  const marker = markerOf(live.object);
  const isOurs = marker?.hubId === input.hubId && marker.application === input.application;
  return isOurs && (entry.uid === "" || entry.uid === live.uid);
};

function actionsForLeftovers(
  leftovers: readonly InventoryEntry[],
  input: PlanInput,
): readonly Action[] {
  const owned = leftovers.filter((entry) => {
    const live = input.live(entry.key);
    const isLeft = live !== undefined && isOwned(entry, live, input);
    return isLeft && !input.isDeclaredByOthers(entry.key);
  });
  const isBraked =
    owned.length > input.prune.brake.objectsMost &&
    owned.length > input.inventory.size * input.prune.brake.ratioMost;
  return leftovers.map((entry): Action => {
    if (!input.isReadable(entry.key)) return { kind: "keep", entry, why: "unreadable" };
    const live = input.live(entry.key);
    if (live === undefined || !isMarked(live, input)) return { kind: "forget", entry };
    // Whoever still declares it takes it over as it is.
    if (input.isDeclaredByOthers(entry.key)) return { kind: "forget", entry };
    // Made anew under our marker, by a restored backup perhaps: not the one we applied.
    if (!isOwned(entry, live, input)) return { kind: "recover", live, key: entry.key };
    const why = holdOf(entry, live, isBraked, input);
    if (why !== undefined) return { kind: "keep", entry, why };
    return { kind: "prune", entry, isRemoving: isTerminating(live) };
  });
}

/** Losing one of these loses what is in it, or what somebody else built on it. */
const protectedKinds = new Set([
  "/Namespace",
  "/PersistentVolume",
  "/PersistentVolumeClaim",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "storage.k8s.io/StorageClass",
]);

const isProtectedKind = (key: ObjectKey): boolean => {
  const { group, kind } = objectKeyParts(key);
  return protectedKinds.has(`${group}/${kind}`);
};

export const isNamespace = (key: ObjectKey): boolean => {
  const { group, kind } = objectKeyParts(key);
  return group === "" && kind === "Namespace";
};

function holdOf(
  entry: InventoryEntry,
  live: LiveObject,
  isBraked: boolean,
  { prune, desired }: PlanInput,
): PruneHold | undefined {
  const option = syncOptionsOf(live.object).prune;
  if (option === "no") return "prune-forbidden";
  if (desired.length === 0 && !prune.allowEmpty) return "empty-bundle";
  if (isNamespace(entry.key) && isLivedIn(entry.key, { prune, desired })) return "namespace-in-use";
  if (prune.confirmed) return undefined;
  if (!prune.allowed) return "prune-off";
  if (option === "confirm") return "needs-confirmation";
  if (isProtectedKind(entry.key) && option !== "yes") return "needs-confirmation";
  if (prune.recovered.has(entry.key)) return "inventory-was-lost";
  return isBraked ? "too-many" : undefined;
}

function isLivedIn(
  key: ObjectKey,
  { prune, desired }: Pick<PlanInput, "prune" | "desired">,
): boolean {
  const { name } = objectKeyParts(key);
  return (
    prune.isNamespaceInUse(name) ||
    desired.some((object) => objectKeyParts(object.key).namespace === name)
  );
}

function recoveries(wanted: ReadonlySet<ObjectKey>, input: PlanInput): readonly Action[] {
  return input.marked.flatMap((live): readonly Action[] => {
    const key = keyOfObject(live.object);
    const isKnown = wanted.has(key) || input.inventory.has(key) || input.isDeclaredByOthers(key);
    if (isKnown || isTerminating(live) || input.otherOwner(key) !== undefined) return [];
    return [{ kind: "recover", live, key }];
  });
}

/** What there is to do, by how it came about. */
export type Work = { readonly byGeneration: boolean; readonly byDrift: boolean };

export function workIn(plan: Plan): Work {
  return {
    byGeneration: plan.actions.some(isWorkOfGeneration),
    byDrift: plan.actions.some(
      (action) => (action.kind === "create" || action.kind === "update") && action.why === "drift",
    ),
  };
}

function isWorkOfGeneration(action: Action): boolean {
  switch (action.kind) {
    case "create":
    case "update":
      return action.why !== "drift";
    case "adopt":
    case "refuse":
    case "blocked":
    case "prune":
    case "forget":
    case "recover":
      return true;
    case "nothing":
    case "hold":
    case "unread":
    case "keep":
      return false;
    default:
      return unreachable(action, "action");
  }
}

/** Whether every object of the bundle was applied as it is, whatever happened to it since. */
export const isAllApplied = (
  desired: readonly DesiredObject[],
  inventory: ReadonlyMap<ObjectKey, InventoryEntry>,
): boolean =>
  desired.every(({ key, digest, isServed }) => {
    const entry = inventory.get(key);
    return isServed && entry !== undefined && entry.uid !== "" && entry.applied === digest;
  });
