export type BackoffPolicy = {
  readonly firstMs: number;
  readonly factor: number;
  readonly mostMs: number;
};

/**
 * Pause after `failures` failures in a row (1 or more).
 *
 * A random point in the upper half of an exponential step, so that many spokes do not return at once.
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: () => number): number {
  const stepMs = Math.min(policy.firstMs * policy.factor ** (failures - 1), policy.mostMs);
  return Math.round(stepMs / 2 + (stepMs / 2) * random());
}
