import type { DesiredApplication, Tombstone } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import type { Command } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ApplicationProblem, ObjectProblem } from "../domain/conditions.ts";
import { noRepairs, type HealHistory } from "../domain/heal.ts";
import type { ResourceType } from "../domain/kube-object.ts";
import { idle, type SyncState } from "../domain/sync.ts";
import type { LoadedBundle } from "./bundles.ts";
import type { DoomNotice } from "./doomed-namespaces.ts";
import type { TypeId } from "./live-objects.ts";
import type { PodLook } from "./pod-looks.ts";

/**
 * All the sync loop remembers of one application. Written by the sync loop only: `desired`, `tombstone`,
 * `isReplaced`, `commands` and `isStale` from outside events as they come, everything else during the
 * application's own turn.
 *
 * Nothing here has to survive a restart: it follows from the disk, the inventory, and the cluster.
 */
export class ApplicationWork {
  readonly application: ApplicationName;
  /** The same object for as long as the same is wanted. */
  desired: DesiredApplication | undefined;
  tombstone: Tombstone | undefined;
  /** No longer held: whoever still works on it stops at the next safe point. */
  isDropped = false;

  /** What is wanted was replaced, maybe under the number it had: a running attempt is for something else. */
  isReplaced = false;

  state: SyncState = idle;
  bundle: LoadedBundle | undefined;
  /** The bundle and its kinds have to be read again before anything is decided. */
  isStale = false;
  /** Types of everything it wants or owns. */
  types: ReadonlyMap<TypeId, ResourceType> = new Map();
  /** Versions in which leftovers of the inventory are looked at, by `group/Kind`. */
  servedVersions: ReadonlyMap<string, string> = new Map();
  loadFailures = 0;

  /** What the last pass over the application met. */
  problems = new Map<ObjectKey, ObjectProblem>();
  problem: ApplicationProblem | undefined;
  /** What the last look at it may not do. Stays until a look gets to its end. */
  denial: Extract<ApplicationProblem, { readonly kind: "not-permitted" }> | undefined;

  /** Workloads that are not well, by uid. */
  readonly podLooks = new Map<string, PodLook>();
  /** Namespaces that nobody watches and that are being deleted, by name. */
  readonly doomed = new Map<string, DoomNotice>();
  /** Where something was that no watch shows, for it has not our label. */
  readonly taken = new Set<ObjectKey>();
  /** What a failed attempt met has moved: the next one need not wait for its time. */
  isHurried = false;

  heal: HealHistory = noRepairs;
  /** Taken into the inventory by their markers at this generation; not pruned before the next. */
  recovered = new Set<ObjectKey>();
  recoveredAt: Generation = 0;

  appliedGeneration: Generation = 0;
  appliedRevision = "";
  healthyGeneration: Generation = 0;
  ackedApplied: Generation = 0;
  ackedHealthy: Generation = 0;
  lastReport: Digest | undefined;

  commands: Command[] = [];
  /** Commands that the running attempt will answer. */
  answering: Command[] = [];

  /** Of the running attempt. */
  readonly applies = new Map<ObjectKey, number>();
  appliedCount = 0;
  removedCount = 0;
  /** Uids whose deletion was accepted. */
  readonly removing = new Set<string>();

  constructor(application: ApplicationName) {
    this.application = application;
  }

  /** Takes in something that was not wanted before. What was applied says nothing of it, whatever its number. */
  want(desired: DesiredApplication): void {
    if (desired.generation === this.desired?.generation) {
      this.appliedGeneration = 0;
      this.healthyGeneration = 0;
      this.ackedApplied = 0;
      this.ackedHealthy = 0;
    }
    // While it was to be removed it declared nothing, which it does again when its bundle is read.
    if (this.tombstone !== undefined) this.isStale = true;
    this.desired = desired;
    this.tombstone = undefined;
    this.isReplaced = true;
    this.heal = noRepairs;
  }

  beginAttempt(): void {
    this.applies.clear();
    this.removing.clear();
    this.appliedCount = 0;
    this.removedCount = 0;
  }
}
