import type { DesiredApplication, Tombstone } from "../../proto/words/desired.ts";
import type { ApplicationName, Epoch, Version } from "../../proto/words/ids.ts";

/** All a spoke remembers of what its hub wants, as it lies on disk. */
export type HeldSet = {
  /** The hub it came from; empty before the first. */
  readonly hubId: string;
  readonly version: Version;
  /** The highest epoch ever obeyed. Messages with a lower one are void. */
  readonly epochSeen: Epoch;
  readonly applications: ReadonlyMap<ApplicationName, DesiredApplication>;
  /** Ordered and not yet carried out. */
  readonly tombstones: ReadonlyMap<ApplicationName, Tombstone>;
  /** Held, unknown to the hub, ordered away by nobody: left alone and out of the root. */
  readonly strays: ReadonlySet<ApplicationName>;
  /** Ids of commands already executed, oldest first, bounded. */
  readonly executedCommands: readonly string[];
};

export const emptyHeldSet: HeldSet = {
  hubId: "",
  version: 0,
  epochSeen: 0,
  applications: new Map(),
  tombstones: new Map(),
  strays: new Set(),
  executedCommands: [],
};
