import { status } from "@grpc/grpc-js";
import { Allowance, Allowances, type AllowanceSettings } from "../../proto/kit/allowance.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import { sourceNetwork } from "../../proto/kit/source-network.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import { CallRefused, refused } from "./call-refused.ts";

export type EnrollLimits = {
  /** Attempts that were refused, from one network. */
  readonly failures: AllowanceSettings;
  /** Attempts altogether, so that many networks together are bounded too. */
  readonly together: AllowanceSettings;
  /** How many networks are remembered. */
  readonly networksMost: number;
};

/** A fleet that joins by script passes; somebody who guesses does not get far. */
export const usualEnrollLimits: EnrollLimits = {
  failures: { burst: 20, perSecond: 1 / 3 },
  together: { burst: 500, perSecond: 50 },
  networksMost: 10_000,
};

export type EnrollGuard = {
  /**
   * Runs an attempt to enroll from `peer` (address:port), or refuses it unlooked-at with RESOURCE_EXHAUSTED when
   * there were too many.
   */
  readonly attempt: <T>(peer: string, work: () => Promise<T>) => Promise<T>;
};

/** Bounds how often strangers may try: the one thing the link does for those without a certificate. */
export function createEnrollGuard(limits: EnrollLimits, clock: Clock): EnrollGuard {
  const failures = new Allowances(limits.failures, limits.networksMost);
  const together = new Allowance(limits.together, clock.nowMs());

  return {
    async attempt(peer, work) {
      const network = sourceNetwork(peer.replace(/:\d+$/, ""));
      const nowMs = clock.nowMs();
      const waitMs = failures.waitMs(network, nowMs);
      if (waitMs > 0) throw tooMany("too many attempts from this network were refused", waitMs);
      if (!together.take(nowMs))
        throw tooMany("too many spokes enroll at once", together.waitMs(nowMs));
      try {
        return await work();
      } catch (error) {
        if (error instanceof CallRefused && error.status !== status.FAILED_PRECONDITION)
          failures.take(network, clock.nowMs());
        throw error;
      }
    },
  };
}

const tooMany = (what: string, waitMs: number): CallRefused =>
  refused(
    status.RESOURCE_EXHAUSTED,
    linkCodes.tooManyAttempts,
    `${what}; try again in ${Math.ceil(waitMs / 1_000)} s`,
  );
