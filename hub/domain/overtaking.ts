import type { ApplicationName, ClusterId, Generation } from "../../proto/words/ids.ts";

/**
 * A spoke holds a newer generation of an application than the one it is offered, or than the order to remove
 * it: the hub was restored from a backup.
 */
export type Overtaking = {
  readonly what: "offer" | "removal";
  readonly cluster: ClusterId;
  readonly application: ApplicationName;
  /** The one the spoke holds. */
  readonly generation: Generation;
};
