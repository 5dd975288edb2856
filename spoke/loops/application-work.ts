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
import type { TypeId } from "./live-objects.ts";

/**
 * All the sync loop remembers of one application. Written by the sync loop only: `desired`, `tombstone`,
 * `commands` and `isStale` from outside events as they come, everything else during the application's own turn.
 *
 * Nothing here has to survive a restart: it follows from the disk, the inventory, and the cluster.
 */
export class ApplicationWork {
  readonly application: ApplicationName;
  desired: DesiredApplication | undefined;
  tombstone: Tombstone | undefined;
  /** No longer held: whoever still works on it stops at the next safe point. */
  isDropped = false;

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

  beginAttempt(): void {
    this.applies.clear();
    this.removing.clear();
    this.appliedCount = 0;
    this.removedCount = 0;
  }
}
