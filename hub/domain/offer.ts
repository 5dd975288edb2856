import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, Version } from "../../proto/words/ids.ts";

/** A version of a cluster's desired set and what it comes to. */
export type SetState = { readonly version: Version; readonly root: Digest };

/** What one session knows of what its spoke holds: all that is kept in place of a queue. */
export type Offering = {
  /** What the spoke last said it has on disk. */
  readonly held: SetState;
  /** Sent or asked, and not yet answered. There is never more than one. */
  readonly awaits: "nothing" | "stored" | "digests";
  /** What the spoke said it holds, entry by entry; not yet used. */
  readonly digests: ReadonlyMap<ApplicationName, Digest> | undefined;
  /** The held version is one this hub never made: it was restored from a backup. A delta from it would lie. */
  readonly foreign: boolean;
  /**
   * The version of which this spoke needs to hear nothing more: it brings it nothing new, or the spoke, told
   * everything, kept newer generations than ours.
   */
  readonly settledAt: Version | undefined;
};

export type NextOffer =
  | { readonly kind: "wait" }
  | { readonly kind: "agreed" }
  | { readonly kind: "delta"; readonly base: Version }
  | { readonly kind: "ask" }
  | { readonly kind: "compare"; readonly digests: ReadonlyMap<ApplicationName, Digest> };

/**
 * What to send next so that the spoke holds what it should. Equal roots are not enough for that: a root is that of
 * the entries, and says nothing of what was ordered away since the version held.
 */
export function nextOffer(offering: Offering, current: SetState): NextOffer {
  if (offering.awaits !== "nothing") return { kind: "wait" };
  if (offering.digests !== undefined) return { kind: "compare", digests: offering.digests };
  const holdsAll = offering.held.version === current.version && offering.held.root === current.root;
  if (holdsAll || offering.settledAt === current.version) return { kind: "agreed" };
  if (offering.foreign || offering.held.version > current.version) return { kind: "ask" };
  return { kind: "delta", base: offering.held.version };
}
