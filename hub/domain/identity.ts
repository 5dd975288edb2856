/** Where a spoke's certificate stands among those its cluster was issued. */
export type IdentityFacts = {
  /** The how-manieth of its cluster's the certificate in question is; 0 when it is from before they were counted. */
  readonly certificateNumber: number;
  /** The lowest that is still taken. */
  readonly least: number;
  /** The highest that was ever presented, and since when. */
  readonly used: number;
  readonly usedSinceMs: number;
  /** Why no identity of the cluster is taken; `undefined` while they are. */
  readonly locked: string | undefined;
};

export type IdentityVerdict =
  | { readonly kind: "good" }
  /** Good, and the first time that its number is seen: that is to be remembered. */
  | { readonly kind: "newer" }
  /** Taken no more: a new join token was made in its place. */
  | { readonly kind: "void" }
  | { readonly kind: "locked"; readonly why: string }
  /** Older than one that is in use: two spokes have had this identity. */
  | { readonly kind: "cloned" };

/**
 * Calls begun under the old certificate may arrive after the first under the new one. Nobody goes back to an
 * old certificate later than that.
 */
const overlapMs = 60_000;

/** What to make of a certificate that is presented now. */
export function judgeIdentity(facts: IdentityFacts, nowMs: number): IdentityVerdict {
  if (facts.certificateNumber < facts.least) return { kind: "void" };
  if (facts.locked !== undefined) return { kind: "locked", why: facts.locked };
  if (facts.certificateNumber > facts.used) return { kind: "newer" };
  if (facts.certificateNumber < facts.used && nowMs - facts.usedSinceMs > overlapMs)
    return { kind: "cloned" };
  return { kind: "good" };
}

/** What is told of a cluster that locked itself. */
export const clonedWhy =
  "a certificate was presented that an earlier renewal had replaced: two spokes have had this identity";
