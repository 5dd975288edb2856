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
  const halfMs = stepMs(failures, policy) / 2;
  return Math.round(halfMs + halfMs * random());
}

/**
 * Pause after `failures` failures in a row (1 or more).
 *
 * A random point in the whole of an exponential step, 0 included: many that lost one thing at one moment are
 * spread as widely as can be.
 */
export function fullJitterMs(
  failures: number,
  policy: BackoffPolicy,
  random: () => number,
): number {
  return Math.round(stepMs(failures, policy) * random());
}

const stepMs = (failures: number, { firstMs, factor, mostMs }: BackoffPolicy): number =>
  Math.min(firstMs * factor ** (failures - 1), mostMs);
