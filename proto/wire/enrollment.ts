import { create } from "@bufbuild/protobuf";
import {
  EnrollRequestSchema,
  EnrollResponseSchema,
  RenewRequestSchema,
  RenewResponseSchema,
  type EnrollRequest,
  type EnrollResponse,
  type RenewRequest,
  type RenewResponse,
} from "../gen/wheelhouse/v1/enrollment_pb.ts";
import type { Result } from "../kit/result.ts";
import {
  parseClusterId,
  parseClusterName,
  type ClusterId,
  type ClusterName,
} from "../words/ids.ts";
import { decode, listOf, refuse, wireLimits, word } from "./fields.ts";

/** A join token and a request for a certificate, PKCS #10 in DER. */
export type Enroll = {
  readonly token: string;
  readonly certificateRequest: Uint8Array;
  readonly spokeVersion: string;
};

/** A certificate and the CAs to trust from now on, X.509 in DER. */
export type Issued = {
  readonly certificate: Uint8Array;
  readonly trusted: readonly Uint8Array[];
};

export type Enrolled = Issued & {
  readonly clusterId: ClusterId;
  readonly clusterName: ClusterName;
  readonly hubId: string;
};

const { wordCharsMost, certificateBytesMost, trustedMost } = wireLimits;

export const enrollToWire = (enroll: Enroll): EnrollRequest =>
  create(EnrollRequestSchema, {
    token: enroll.token,
    certificateRequest: enroll.certificateRequest,
    spokeVersion: enroll.spokeVersion,
  });

export const enrollFromWire = (request: EnrollRequest): Result<Enroll, string> =>
  decode("enroll", () => ({
    token: word("token", request.token, wordCharsMost),
    certificateRequest: der("certificate_request", request.certificateRequest),
    spokeVersion: word("spoke_version", request.spokeVersion, wordCharsMost),
  }));

export const enrolledToWire = (enrolled: Enrolled): EnrollResponse =>
  create(EnrollResponseSchema, {
    clusterId: enrolled.clusterId,
    clusterName: enrolled.clusterName,
    hubId: enrolled.hubId,
    certificate: enrolled.certificate,
    trusted: [...enrolled.trusted],
  });

export const enrolledFromWire = (response: EnrollResponse): Result<Enrolled, string> =>
  decode("enrolled", () => {
    const clusterId = parseClusterId(response.clusterId);
    const clusterName = parseClusterName(response.clusterName);
    return {
      clusterId: clusterId.ok ? clusterId.value : refuse(clusterId.problem),
      clusterName: clusterName.ok ? clusterName.value : refuse(clusterName.problem),
      hubId: word("hub_id", response.hubId, wordCharsMost),
      ...issuedFrom(response),
    };
  });

export const renewToWire = (certificateRequest: Uint8Array): RenewRequest =>
  create(RenewRequestSchema, { certificateRequest });

export const renewFromWire = (request: RenewRequest): Result<Uint8Array, string> =>
  decode("renew", () => der("certificate_request", request.certificateRequest));

export const renewedToWire = (issued: Issued): RenewResponse =>
  create(RenewResponseSchema, { certificate: issued.certificate, trusted: [...issued.trusted] });

export const renewedFromWire = (response: RenewResponse): Result<Issued, string> =>
  decode("renewed", () => issuedFrom(response));

const issuedFrom = (response: EnrollResponse | RenewResponse): Issued => ({
  certificate: der("certificate", response.certificate),
  trusted:
    response.trusted.length === 0
      ? refuse("trusted is empty")
      : listOf("trusted", response.trusted, trustedMost, (bytes) => der("trusted", bytes)),
});

function der(field: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0 || bytes.length > certificateBytesMost)
    refuse(`${field} must have 1 to ${certificateBytesMost} bytes, got ${bytes.length}`);
  return bytes;
}
