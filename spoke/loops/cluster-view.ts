import { digestOfText } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { LiveObject } from "../domain/live.ts";
import { makePlan, type DesiredObject, type Plan, type PruneBrake } from "../domain/plan.ts";
import { isWithinReach, type Reach } from "../domain/reach.ts";
import { planRemoval, type Removal } from "../domain/removal.ts";
import type { ApplicationWork } from "./application-work.ts";
import { bundleIdentity } from "./bundles.ts";
import type { Declarations } from "./declarations.ts";
import type { Inventories } from "./inventories.ts";
import { typeIdOf, type LiveObjects } from "./live-objects.ts";
import type { WatchState } from "./watch-loop.ts";

/** What a pass has read beyond the watches; `undefined` values: looked for, and not there. */
export type Found = ReadonlyMap<ObjectKey, LiveObject | undefined>;

const nothingFound: Found = new Map();

export type ClusterView = {
  readonly live: (work: ApplicationWork, key: ObjectKey, found?: Found) => LiveObject | undefined;
  /** Makes no request: everything it asks is already here. */
  readonly plan: (work: ApplicationWork, confirmed: boolean, found?: Found) => Plan;
  readonly removal: (work: ApplicationWork) => readonly Removal[];
  /** `undefined` when what the watches show of an object can be believed. */
  readonly whyUnreadable: (work: ApplicationWork, key: ObjectKey) => string | undefined;
  /**
   * Whether an application's newest bundle is yet to be read, so that nobody knows what it declares. One
   * that could not be read counts by what it declared before.
   */
  readonly isUnread: (application: ApplicationName) => boolean;
  /** The other applications of this cluster that declare an object. */
  readonly alsoDeclaredBy: (work: ApplicationWork, key: ObjectKey) => readonly ApplicationName[];
};

export type ClusterViewNeeds = {
  readonly objects: LiveObjects;
  readonly inventories: Inventories;
  readonly declarations: Declarations;
  readonly workOf: (application: ApplicationName) => ApplicationWork | undefined;
  readonly stateOf: (type: ReturnType<typeof typeIdOf>) => WatchState | undefined;
  readonly hubId: () => string;
  readonly reach: Reach;
  readonly brake: PruneBrake;
};

/** Applications against the cluster as the watches show it. */
export function createClusterView(needs: ClusterViewNeeds): ClusterView {
  const { objects, inventories, declarations, stateOf, hubId, reach } = needs;

  function live(
    work: ApplicationWork,
    key: ObjectKey,
    found = nothingFound,
  ): LiveObject | undefined {
    const version = versionFor(work, key);
    const watched = version === undefined ? undefined : objects.find(key, version);
    return watched ?? found.get(key);
  }

  const isReadable = (work: ApplicationWork, key: ObjectKey): boolean =>
    whyUnreadable(work, key) === undefined;

  /** A kind that is not served has no objects, and that much is certain. */
  function whyUnreadable(work: ApplicationWork, key: ObjectKey): string | undefined {
    const version = versionFor(work, key);
    if (version === undefined) return undefined;
    if (!isWithinReach(key, reach)) return "it is outside the namespaces this spoke manages";
    const { group, kind } = objectKeyParts(key);
    const state = stateOf(typeIdOf({ group, version, kind }));
    switch (state?.kind) {
      case "current":
        return undefined;
      case "broken":
        return state.problem;
      default:
        return "its watch is not current";
    }
  }

  function plan(work: ApplicationWork, confirmed: boolean, found = nothingFound): Plan {
    const inventory = inventories.of(work.application);
    const policy = work.desired?.policy;
    return makePlan({
      hubId: hubId(),
      application: work.application,
      // Without a bundle nothing may look as if it were no longer wanted.
      desired: work.bundle?.objects ?? [...inventory.values()].map(asApplied),
      inventory,
      live: (key) => live(work, key, found),
      reach,
      isReadable: (key) => isReadable(work, key),
      otherOwner: (key) =>
        inventories.otherOwner(key, work.application, (name) => holdsOn(name, key)),
      isDeclaredByOthers: (key) => isDeclaredByOthers(work, key),
      mayDeclare: (name, key) => {
        const other = needs.workOf(name);
        return other !== undefined && mayDeclare(other, key);
      },
      marked: objects.marked(work.application),
      prune: {
        allowed: policy?.prune ?? false,
        allowEmpty: policy?.allowEmpty ?? false,
        confirmed,
        recovered: work.recovered,
        isNamespaceInUse: (name) => inventories.isUsedByOthers(name, work.application),
        brake: needs.brake,
      },
    });
  }

  /** What nobody answers for keeps what it has; an application that is held has what it declares. */
  function holdsOn(application: ApplicationName, key: ObjectKey): boolean {
    const other = needs.workOf(application);
    return other === undefined || mayDeclare(other, key);
  }

  /** Until its newest bundle is read an application may declare anything. */
  function mayDeclare(work: ApplicationWork, key: ObjectKey): boolean {
    const { desired, bundle, application } = work;
    if (work.tombstone !== undefined) return false;
    const isRead = desired !== undefined && bundle?.identity === bundleIdentity(desired, hubId());
    return !isRead || declarations.of(key).includes(application);
  }

  function isUnread(application: ApplicationName): boolean {
    const work = needs.workOf(application);
    if (work?.desired === undefined || work.tombstone !== undefined) return false;
    const isRead = work.bundle?.identity === bundleIdentity(work.desired, hubId());
    return !isRead && work.loadFailures === 0;
  }

  const alsoDeclaredBy = (work: ApplicationWork, key: ObjectKey): readonly ApplicationName[] =>
    declarations.others(key, work.application);

  const isDeclaredByOthers = (work: ApplicationWork, key: ObjectKey): boolean =>
    alsoDeclaredBy(work, key).length > 0;

  const removal = (work: ApplicationWork): readonly Removal[] =>
    planRemoval({
      hubId: hubId(),
      application: work.application,
      inventory: inventories.of(work.application),
      live: (key) => live(work, key),
      isReadable: (key) => isReadable(work, key),
      isNamespaceInUse: (name) => inventories.isUsedByOthers(name, work.application),
      isDeclaredByOthers: (key) => isDeclaredByOthers(work, key),
    });

  return { live, plan, removal, whyUnreadable, isUnread, alsoDeclaredBy };
}

const asApplied = ({ key, version, applied }: InventoryEntry): DesiredObject => ({
  key,
  version,
  digest: applied,
  blob: digestOfText(""),
  isServed: true,
  syncWave: 0,
  defines: undefined,
  images: [],
  mayVanish: false,
  ignoreHealth: false,
  adopt: "never",
});

/** The version an object is watched in: its manifest's, else the one its kind is served in, else none. */
function versionFor(work: ApplicationWork, key: ObjectKey): string | undefined {
  const type = work.tombstone === undefined ? work.bundle?.types.get(key) : undefined;
  if (type !== undefined) return type.version;
  const { group, kind } = objectKeyParts(key);
  return work.servedVersions.get(`${group}/${kind}`);
}
