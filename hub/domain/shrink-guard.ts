import type { Labels } from "./records.ts";

/** How many removals of one origin at once go through without being asked. */
export type ShrinkLimits = {
  /** So many always may. */
  readonly freeRemovals: number;
  /** And so large a part of what the origin has, 0 to 1. */
  readonly freeShare: number;
  /** An origin that still is in Git and suddenly wants none of its applications waits from so many on. */
  readonly wholeOriginFrom: number;
};

export const defaultShrinkLimits: ShrinkLimits = {
  freeRemovals: 5,
  freeShare: 0.2,
  wholeOriginFrom: 3,
};

export type Shrinkage = {
  /** Applications whose objects would be deleted from a cluster. */
  readonly removals: number;
  /** Applications the origin has in clusters now. */
  readonly offered: number;
  /** How many of the removals were held back the last time. */
  readonly waiting: number;
  /** Whether the origin itself was taken out of Git, which is a thing nobody does by a wrong label. */
  readonly originRemoved: boolean;
};

/**
 * Whether removals wait for consent: more than `freeRemovals` and more than `freeShare` of what there is, or
 * everything at once. Those that wait go on waiting until there are few of them. It is all or none: half of
 * a mistake is no better than the whole.
 */
export function waitsForConsent(shrinkage: Shrinkage, limits: ShrinkLimits): boolean {
  const { removals, offered, waiting, originRemoved } = shrinkage;
  if (waiting >= limits.wholeOriginFrom) return true;
  if (removals > Math.max(limits.freeRemovals, offered * limits.freeShare)) return true;
  return !originRemoved && removals === offered && removals >= limits.wholeOriginFrom;
}

/** Written on an ApplicationSet or Application whose author agrees to any number of removals. */
export const consentAnnotation = "wheelhouse.dev/allow-removals";

export const annotationConsents = (annotations: Labels): boolean =>
  Object.hasOwn(annotations, consentAnnotation) && annotations[consentAnnotation] === "true";
