import { status } from "@grpc/grpc-js";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { Enroll, Enrolled, Issued } from "../../proto/wire/enrollment.ts";
import { parseJoinToken } from "../domain/join/token.ts";
import { clusterLocked, type Caller } from "./authenticate.ts";
import type { Authority } from "./authority.ts";
import { refused, type CallRefused } from "./call-refused.ts";

export type TokenProblem =
  | { readonly kind: "unknown" }
  | { readonly kind: "expired"; readonly atMs: number }
  | { readonly kind: "used"; readonly atMs: number }
  | { readonly kind: "locked"; readonly why: string };

/** What somebody had to show for a certificate. */
type IssuedFor =
  | { readonly kind: "token"; readonly id: string }
  | { readonly kind: "certificate"; readonly serial: string };

export type EnrollStore = {
  readonly hub: { readonly id: (signal: AbortSignal) => Promise<string> };
  readonly enrollments: {
    readonly useToken: (
      use: {
        readonly id: string;
        readonly secretHash: Digest;
        readonly publicKey: Digest;
        readonly nowMs: number;
      },
      signal: AbortSignal,
    ) => Promise<Result<{ readonly cluster: ClusterId; readonly name: ClusterName }, TokenProblem>>;
  };
  readonly identities: {
    /** False, and nothing recorded, when what it was issued for has become void meanwhile. */
    readonly recordCertificate: (
      certificate: {
        readonly cluster: ClusterId;
        readonly serial: string;
        readonly publicKey: Digest;
        readonly notBeforeMs: number;
        readonly notAfterMs: number;
        readonly issuedFor: IssuedFor;
      },
      signal: AbortSignal,
    ) => Promise<boolean>;
  };
};

export type EnrollNeeds = {
  readonly store: EnrollStore;
  readonly authority: Pick<Authority, "readRequest" | "issue" | "trusted">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Turns a join token and a request into a certificate. Throws CallRefused when there is none to be had. */
export async function enroll(
  request: Enroll,
  needs: EnrollNeeds,
  signal: AbortSignal,
): Promise<Enrolled> {
  const { store, authority, clock, log } = needs;
  const token = parseJoinToken(request.token);
  if (!token.ok) throw refused(status.INVALID_ARGUMENT, linkCodes.tokenMalformed, token.problem);
  // Before the token is spent: a request that cannot be signed must not cost it.
  const publicKey = await authority.readRequest(request.certificateRequest);
  if (!publicKey.ok)
    throw refused(status.INVALID_ARGUMENT, linkCodes.requestRefused, publicKey.problem);
  const { id, secretHash } = token.value;
  const used = await store.enrollments.useToken(
    { id, secretHash, publicKey: publicKey.value, nowMs: clock.nowMs() },
    signal,
  );
  if (!used.ok) {
    log.warn("enrollment refused", { token: id, problem: used.problem.kind });
    throw tokenRefused(id, used.problem);
  }
  const { cluster, name } = used.value;
  const issuedFor = { kind: "token", id } as const;
  const issued = await issue(cluster, request.certificateRequest, issuedFor, needs, signal);
  log.info("cluster enrolled", { cluster, name, token: id, spokeVersion: request.spokeVersion });
  return { ...issued, clusterId: cluster, clusterName: name, hubId: await store.hub.id(signal) };
}

/** A fresh certificate for whoever presented one. Throws CallRefused when the request is not acceptable. */
export async function renew(
  caller: Caller,
  certificateRequest: Uint8Array,
  needs: EnrollNeeds,
  signal: AbortSignal,
): Promise<Issued> {
  const issuedFor = { kind: "certificate", serial: caller.serial } as const;
  const issued = await issue(caller.cluster, certificateRequest, issuedFor, needs, signal);
  needs.log.info("certificate renewed", { cluster: caller.cluster, replaces: caller.serial });
  return issued;
}

async function issue(
  cluster: ClusterId,
  certificateRequest: Uint8Array,
  issuedFor: IssuedFor,
  { store, authority }: EnrollNeeds,
  signal: AbortSignal,
): Promise<Issued> {
  const issued = await authority.issue(certificateRequest, cluster);
  if (!issued.ok) throw refused(status.INVALID_ARGUMENT, linkCodes.requestRefused, issued.problem);
  const { certificate, serial, publicKey, notBeforeMs, notAfterMs } = issued.value;
  const recorded = await store.identities.recordCertificate(
    { cluster, serial, publicKey, notBeforeMs, notAfterMs, issuedFor },
    signal,
  );
  // Cut off in the moment between showing it and this: what was signed goes nowhere, and is worth nothing.
  if (!recorded)
    throw refused(
      status.PERMISSION_DENIED,
      linkCodes.notTrusted,
      "the cluster was removed, locked or cut off just now",
    );
  return { certificate, trusted: authority.trusted };
}

function tokenRefused(id: string, problem: TokenProblem): CallRefused {
  switch (problem.kind) {
    case "unknown":
      return refused(
        status.PERMISSION_DENIED,
        linkCodes.tokenUnknown,
        `join token ${id} is not known to this hub`,
      );
    case "expired":
      return refused(
        status.PERMISSION_DENIED,
        linkCodes.tokenExpired,
        `join token ${id} expired at ${new Date(problem.atMs).toISOString()}; make another with wheelhouse cluster join`,
      );
    case "used":
      return refused(
        status.PERMISSION_DENIED,
        linkCodes.tokenUsed,
        `join token ${id} was used at ${new Date(problem.atMs).toISOString()} with another key; make another with wheelhouse cluster join`,
      );
    case "locked":
      return clusterLocked(problem.why);
    default:
      return unreachable(problem, "problem with a token");
  }
}
