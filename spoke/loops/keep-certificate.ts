import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import type { SpokeIdentity } from "../domain/identity.ts";
import { renewAtMs, type CertificateLife } from "../domain/identity-renewal.ts";
import { sleepUntil } from "./sleep-until.ts";

export type RenewalNeeds = {
  /** The same identity with a new key and a new certificate. */
  readonly renew: (signal: AbortSignal) => Promise<SpokeIdentity>;
  /** Durable when it resolves. */
  readonly replace: (identity: SpokeIdentity, signal: AbortSignal) => Promise<void>;
  readonly certificateLife: (certificatePem: string) => CertificateLife;
  /** Whether the session stands: before it does, nothing is renewed. */
  readonly isAttached: () => boolean;
  readonly retry: BackoffPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/**
 * Waits until a certificate is due, and has it renewed. Returns with the new one in place, for which the
 * connection must be made anew. A renewal that fails is logged and tried again.
 */
export async function keepCertificate(
  certificatePem: string,
  needs: RenewalNeeds,
  signal: AbortSignal,
): Promise<void> {
  const { certificateLife, clock, random, log } = needs;
  const dueAtMs = renewAtMs(certificateLife(certificatePem), random());
  let failures = 0;
  for (;;) {
    // Also when it is overdue: not before the session stands.
    await sleepUntil(Math.max(dueAtMs, clock.nowMs() + 100), clock, signal);
    if (clock.nowMs() < dueAtMs || !needs.isAttached()) continue;
    try {
      const renewed = await needs.renew(signal);
      await needs.replace(renewed, signal);
      const { notAfterMs } = certificateLife(renewed.certificatePem ?? "");
      log.info("certificate renewed", { expires: new Date(notAfterMs).toISOString() });
      return;
    } catch (error) {
      signal.throwIfAborted();
      failures += 1;
      const retryInMs = backoffMs(failures, needs.retry, random);
      log.warn("certificate could not be renewed", {
        failures,
        retryInMs,
        problem: describeError(error),
      });
      await clock.sleep(retryInMs, signal);
    }
  }
}
