import { createHash } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { Allowances, type AllowanceSettings } from "../../proto/kit/allowance.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import { sourceNetwork } from "../../proto/kit/source-network.ts";
import { Refused } from "./problems.ts";
import type { ApiEnv } from "./route.ts";

export type Refusals = {
  /** Refuses, unlooked-at, requests of a network that was refused too often. */
  readonly throttle: MiddlewareHandler<ApiEnv>;
  /** A token or signature was wrong. */
  readonly refused: (c: Context<ApiEnv>) => void;
  /** A token was right. */
  readonly taken: (authorization: string) => void;
};

const networksMost = 10_000;
const knownMost = 1_000;
const knownForMs = 600_000;

/**
 * Bounds how fast somebody may guess, without locking anybody out.
 *
 * Behind a proxy everybody comes from one address. So tokens that were right lately pass whatever their
 * neighbours do; only who never showed a right one waits.
 */
export function createRefusals(settings: AllowanceSettings, clock: Clock): Refusals {
  const allowances = new Allowances(settings, networksMost);
  /** Hashes of headers, by when they were last right; the oldest first. */
  const known = new Map<string, number>();

  const isKnown = (authorization: string, nowMs: number): boolean =>
    nowMs - (known.get(hashOf(authorization)) ?? Number.NEGATIVE_INFINITY) <= knownForMs;

  return {
    throttle: async (c, next) => {
      const network = networkOf(c);
      const nowMs = clock.nowMs();
      const waitMs = network === undefined ? 0 : allowances.waitMs(network, nowMs);
      if (waitMs > 0 && !isKnown(c.req.header("authorization") ?? "", nowMs))
        throw new Refused("WH-API-4291", "too many requests from this network were refused", {
          headers: { "retry-after": String(Math.ceil(waitMs / 1_000)) },
        });
      await next();
    },
    refused: (c) => {
      const network = networkOf(c);
      if (network !== undefined) allowances.take(network, clock.nowMs());
    },
    taken: (authorization) => {
      const hash = hashOf(authorization);
      known.delete(hash);
      known.set(hash, clock.nowMs());
      for (const oldest of known.keys()) {
        if (known.size <= knownMost) return;
        known.delete(oldest);
      }
    },
  };
}

const hashOf = (authorization: string): string =>
  createHash("sha256").update(authorization).digest("base64");

/** `undefined` when there is no connection to speak of. */
function networkOf(c: Context<ApiEnv>): string | undefined {
  const { incoming } = c.env;
  return incoming === undefined ? undefined : sourceNetwork(incoming.socket.remoteAddress);
}
