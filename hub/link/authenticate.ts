import { status, type ServerUnaryCall } from "@grpc/grpc-js";
import { X509Certificate } from "node:crypto";
import type { Clock } from "../../proto/kit/clock.ts";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { clusterOfUri } from "../../proto/words/spiffe.ts";
import { refused, type CallRefused } from "./call-refused.ts";
import { lifeOf } from "./certificates.ts";

/** Who is on the other end, by its certificate alone. */
export type Caller = {
  readonly cluster: ClusterId;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

/** What the hub makes of a certificate that it signed. */
export type IdentityStanding =
  | { readonly kind: "trusted" }
  | { readonly kind: "unknown" }
  | { readonly kind: "void" }
  | { readonly kind: "locked"; readonly why: string };

export type AuthenticateNeeds = {
  readonly identities: {
    /** Of one that is presented now. `cloned`: it was, to its cluster's loss, presented by two. */
    readonly present: (
      cluster: ClusterId,
      serial: string,
      nowMs: number,
      signal: AbortSignal,
    ) => Promise<IdentityStanding | { readonly kind: "cloned"; readonly why: string }>;
    /** Of one that was presented before and is in use. */
    readonly standing: (
      cluster: ClusterId,
      serial: string,
      signal: AbortSignal,
    ) => Promise<IdentityStanding>;
  };
  readonly clock: Clock;
};

/** All of a call that authentication looks at. */
export type Authenticated = Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext">;

/** The caller, when its certificate is good right now; otherwise why not. */
export async function authenticate(
  call: Authenticated,
  needs: AuthenticateNeeds,
  signal: AbortSignal,
): Promise<Result<Caller, CallRefused>> {
  // grpc-js fills this only when the chain leads to our authority. A certificate of anyone else, an expired
  // one, and none at all look the same from here.
  const presented = call.getAuthContext().sslPeerCertificate;
  if (presented === undefined) {
    return fail(
      refused(
        status.UNAUTHENTICATED,
        linkCodes.notCertified,
        "no valid certificate of this hub was presented; enroll with a join token",
      ),
    );
  }
  const caller = callerOf(new X509Certificate(presented.raw));
  if (caller === undefined) {
    return fail(
      refused(
        status.UNAUTHENTICATED,
        linkCodes.notASpoke,
        "the certificate does not name exactly one cluster",
      ),
    );
  }
  const nowMs = needs.clock.nowMs();
  const problem =
    whyNotNow(caller, nowMs) ??
    whyNot(await needs.identities.present(caller.cluster, caller.serial, nowMs, signal));
  return problem === undefined ? ok(caller) : fail(problem);
}

/** Why a caller is no longer good; `undefined` while it is. TLS looks at this once, a stream lives for months. */
export async function standing(
  caller: Caller,
  needs: AuthenticateNeeds,
  signal: AbortSignal,
): Promise<CallRefused | undefined> {
  return (
    whyNotNow(caller, needs.clock.nowMs()) ??
    whyNot(await needs.identities.standing(caller.cluster, caller.serial, signal))
  );
}

const whyNotNow = (caller: Caller, nowMs: number): CallRefused | undefined =>
  nowMs > caller.notAfterMs || nowMs < caller.notBeforeMs
    ? refused(
        status.UNAUTHENTICATED,
        linkCodes.certificateExpired,
        `the certificate is good from ${isoTime(caller.notBeforeMs)} to ${isoTime(caller.notAfterMs)}, and it is ${isoTime(nowMs)} here`,
      )
    : undefined;

function whyNot(
  found: IdentityStanding | { readonly kind: "cloned"; readonly why: string },
): CallRefused | undefined {
  switch (found.kind) {
    case "trusted":
      return undefined;
    case "unknown":
    case "void":
      return refused(
        status.UNAUTHENTICATED,
        linkCodes.notTrusted,
        "the cluster was removed from this hub, or its certificate made void",
      );
    case "locked":
    case "cloned":
      return clusterLocked(found.why);
    default:
      return unreachable(found, "standing of an identity");
  }
}

/** A lock may be lifted: whoever is told of it comes back to ask again. */
export const clusterLocked = (why: string): CallRefused =>
  refused(status.FAILED_PRECONDITION, linkCodes.clusterLocked, `the cluster is locked: ${why}`);

/** `undefined` unless the certificate names exactly one thing, a cluster, and its subject says the same. */
export function callerOf(certificate: X509Certificate): Caller | undefined {
  // A second name, of whatever kind, would follow after a comma and spoil the match.
  const uri = /^URI:(\S+)$/.exec(certificate.subjectAltName ?? "")?.[1];
  const cluster = uri === undefined ? undefined : clusterOfUri(uri);
  return cluster === undefined || certificate.subject !== `CN=${cluster}`
    ? undefined
    : { cluster, serial: certificate.serialNumber, ...lifeOf(certificate) };
}

const isoTime = (atMs: number): string => new Date(atMs).toISOString();
