/** When a certificate is good, as it says itself. */
export type CertificateLife = { readonly notBeforeMs: number; readonly notAfterMs: number };

/**
 * When to ask for the next certificate: a random point between 50 and 65 percent of this one's life.
 *
 * Well before two thirds, so that a hub that is away for a third of the life costs nothing; at random, so
 * that clusters that joined together do not renew together. `chance` is from 0 to 1.
 */
export function renewAtMs({ notBeforeMs, notAfterMs }: CertificateLife, chance: number): number {
  return Math.round(notBeforeMs + (notAfterMs - notBeforeMs) * (0.5 + 0.15 * chance));
}

/** What the spoke's clock says of its certificate. */
export type CertificateStanding = "good" | "not-yet-valid" | "expired";

export function standingOf(life: CertificateLife, nowMs: number): CertificateStanding {
  if (nowMs < life.notBeforeMs) return "not-yet-valid";
  return nowMs > life.notAfterMs ? "expired" : "good";
}
