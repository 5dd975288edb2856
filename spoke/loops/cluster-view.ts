import { digestOfText } from "../../proto/words/digest.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "../domain/inventory.ts";
import type { LiveObject } from "../domain/live.ts";
import { makePlan, type DesiredObject, type Plan, type PruneBrake } from "../domain/plan.ts";
import { planRemoval, type Removal } from "../domain/removal.ts";
import type { ApplicationWork } from "./application-work.ts";
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
};

export type ClusterViewNeeds = {
  readonly objects: LiveObjects;
  readonly inventories: Inventories;
  readonly stateOf: (type: ReturnType<typeof typeIdOf>) => WatchState | undefined;
  readonly hubId: () => string;
  readonly brake: PruneBrake;
};

/** Applications against the cluster as the watches show it. */
export function createClusterView(needs: ClusterViewNeeds): ClusterView {
  const { objects, inventories, stateOf, hubId } = needs;

  function live(
    work: ApplicationWork,
    key: ObjectKey,
    found = nothingFound,
  ): LiveObject | undefined {
    const version = versionFor(work, key);
    const watched = version === undefined ? undefined : objects.find(key, version);
    return watched ?? found.get(key);
  }

  /** A kind that is not served has no objects, and that much is certain. */
  function isReadable(work: ApplicationWork, key: ObjectKey): boolean {
    const version = versionFor(work, key);
    if (version === undefined) return true;
    const { group, kind } = objectKeyParts(key);
    return stateOf(typeIdOf({ group, version, kind }))?.kind === "current";
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
      isReadable: (key) => isReadable(work, key),
      otherOwner: (key) => inventories.otherOwner(key, work.application),
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

  const removal = (work: ApplicationWork): readonly Removal[] =>
    planRemoval({
      hubId: hubId(),
      application: work.application,
      inventory: inventories.of(work.application),
      live: (key) => live(work, key),
      isReadable: (key) => isReadable(work, key),
      isNamespaceInUse: (name) => inventories.isUsedByOthers(name, work.application),
    });

  return { live, plan, removal };
}

const asApplied = ({ key, version, applied }: InventoryEntry): DesiredObject => ({
  key,
  version,
  digest: applied,
  blob: digestOfText(""),
  isServed: true,
  wave: 0,
  defines: undefined,
  images: [],
  mayVanish: false,
  ignoreHealth: false,
});

/** The version an object is watched in: its manifest's, else the one its kind is served in, else none. */
function versionFor(work: ApplicationWork, key: ObjectKey): string | undefined {
  const type = work.tombstone === undefined ? work.bundle?.types.get(key) : undefined;
  if (type !== undefined) return type.version;
  const { group, kind } = objectKeyParts(key);
  return work.servedVersions.get(`${group}/${kind}`);
}
