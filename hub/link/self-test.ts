import { Client, credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { randomUUID } from "node:crypto";
import { createSecureContext } from "node:tls";
import { EnrollmentService } from "../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import { Trouble } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import { codeOfText, linkCodes } from "../../proto/words/coded.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import { renewToWire } from "../../proto/wire/enrollment.ts";
import type { Authority } from "./authority.ts";
import { certifiedSpoke, newPrivateKey, selfSigned, type CertifiedKey } from "./certificates.ts";

/** The link could not be tried at all. */
class SelfTestFailed extends Trouble {
  override readonly name = "SelfTestFailed";
}

type Stranger = { readonly name: string; readonly identity: CertifiedKey | undefined };

const dayMs = 86_400_000;
const callMs = 10_000;
const renewMethod = grpcMethod(EnrollmentService.method.renew);

/**
 * Dials the link as those who must not be let in, and throws unless each is turned away.
 *
 * A setting, an upgrade or a mistake that opens the link to strangers is silent: everybody who should be let in
 * still is. So a hub asks itself at every start, before it is ready. Throws Error naming who was let in, and
 * SelfTestFailed when there was no answer.
 */
export async function proveLinkClosed(
  address: string,
  authority: Pick<Authority, "trustedPem" | "certify">,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, identity } of await strangers(authority, clock.nowMs())) {
    const answer = await renewAs(address, authority.trustedPem, identity, signal);
    const code = codeOfText(answer.details)?.code;
    const turnedAway =
      answer.code === status.UNAUTHENTICATED &&
      (code === linkCodes.notCertified || code === linkCodes.notTrusted);
    if (turnedAway) continue;
    if (answer.code === status.UNAVAILABLE || answer.code === status.DEADLINE_EXCEEDED)
      throw new SelfTestFailed(
        `the hub could not dial its own link at ${address} ${name}: ${answer.details}`,
      );
    throw new Error(
      `the link at ${address} did not turn away a caller ${name} (it answered ${status[answer.code] ?? answer.code}); the hub does not start`,
    );
  }
}

async function strangers(
  authority: Pick<Authority, "certify">,
  nowMs: number,
): Promise<readonly Stranger[]> {
  const nobody = (): ClusterId => randomUUID() as ClusterId;
  const now = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs };
  const past = { notBeforeMs: nowMs - 3 * dayMs, notAfterMs: nowMs - 2 * dayMs };
  const foreign = await selfSigned(await newPrivateKey(), "wheelhouse hub", now);
  return [
    { name: "without a certificate", identity: undefined },
    {
      name: "with a certificate of another authority",
      identity: await certifiedSpoke(foreign, nobody(), now),
    },
    {
      name: "with an expired certificate",
      identity: await authority.certify(nobody(), past),
    },
    {
      name: "with a certificate that was never issued",
      identity: await authority.certify(nobody(), now),
    },
  ];
}

async function renewAs(
  address: string,
  trustedPem: string,
  identity: CertifiedKey | undefined,
  signal: AbortSignal,
): Promise<{ readonly code: status; readonly details: string }> {
  const own =
    identity === undefined
      ? {}
      : {
          cert: identity.certificate.toString(),
          key: identity.privateKey.export({ type: "pkcs8", format: "pem" }),
        };
  const client = new Client(
    address,
    credentials.createFromSecureContext(
      createSecureContext({ ca: trustedPem, ...own, minVersion: "TLSv1.3" }),
    ),
    {
      "grpc.ssl_target_name_override": hubServerName,
      "grpc.default_authority": hubServerName,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
    },
  );
  const answered = Promise.withResolvers<ServiceError | null>();
  const call = client.makeUnaryRequest(
    renewMethod.path,
    renewMethod.requestSerialize,
    renewMethod.responseDeserialize,
    renewToWire(new Uint8Array()),
    new Metadata(),
    { deadline: Date.now() + callMs },
    (error) => answered.resolve(error),
  );
  try {
    const error = await unlessAborted(answered.promise, signal);
    return error ?? { code: status.OK, details: "" };
  } finally {
    call.cancel();
    client.close();
  }
}
