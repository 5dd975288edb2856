import { Client, credentials, Metadata, type ClientDuplexStream } from "@grpc/grpc-js";
import { createSecureContext } from "node:tls";
import { EnrollmentService } from "../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import {
  LinkService,
  type AttachRequest,
  type AttachResponse,
} from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { writeTo } from "../../proto/kit/write-to.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import type { Blob } from "../../proto/words/bundle.ts";
import type { Digest } from "../../proto/words/digest.ts";
import { parseClusterId } from "../../proto/words/ids.ts";
import type { FencedMessage, SpokeMessage } from "../../proto/words/link-messages.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import {
  enrolledFromWire,
  enrollToWire,
  renewedFromWire,
  renewToWire,
} from "../../proto/wire/enrollment.ts";
import { fencedMessageFromWire, spokeMessageToWire } from "../../proto/wire/link.ts";
import type { SpokeIdentity } from "../domain/identity.ts";
import { createBlobFetcher } from "./blob-fetcher.ts";
import { responses, unary } from "./calls.ts";
import { acceptIssued, newPrivateKeyPem } from "./credential.ts";
import { certificateRequest } from "./csr.ts";
import { findAuthority } from "./find-authority.ts";
import { understood } from "./hub-error.ts";

export type HubClientSettings = {
  /** `host:port` of the hub's link. */
  readonly address: string;
  readonly spokeVersion: string;
  readonly connectMs?: number;
  /** For enrolling and renewing. */
  readonly callMs?: number;
  /** For one call that fetches blobs; what is missing after it is asked for again. */
  readonly fetchMs?: number;
  readonly messageBytesMost?: number;
  /** A hub that announces a larger blob is not believed. */
  readonly blobBytesMost?: number;
};

/** What lets a spoke enroll, and the key its hub must prove to have. */
export type Invitation = { readonly token: string; readonly fingerprint: string };

export type HubStream = {
  /** Ends when the hub ends the stream in peace, throws otherwise. `undefined`: a kind of message we do not know. */
  readonly incoming: AsyncIterable<FencedMessage | undefined>;
  /** Resolves once the transport has taken the message. */
  readonly send: (message: SpokeMessage, signal: AbortSignal) => Promise<void>;
};

/** One TLS connection under one identity; another identity means another connection. */
export type HubConnection = {
  readonly attach: (signal: AbortSignal) => HubStream;
  /**
   * Hands over each blob once its bytes match its digest, in the order asked for, and returns the digests
   * that the hub says it has not got for this cluster. Throws when the connection breaks or a blob lies.
   */
  readonly fetchBlobs: (
    digests: readonly Digest[],
    onBlob: (blob: Blob) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<readonly Digest[]>;
  /** The same identity with a new key and a new certificate. */
  readonly renew: (signal: AbortSignal) => Promise<SpokeIdentity>;
  readonly close: () => void;
};

export type HubClient = {
  /**
   * A certificate for `privateKeyPem`, from the hub whose CA has the invitation's fingerprint and from
   * nobody else. Throws HubError: refused when the token is no good, away when it is not that hub.
   */
  readonly enroll: (
    privateKeyPem: string,
    invitation: Invitation,
    signal: AbortSignal,
  ) => Promise<SpokeIdentity>;
  /** Throws TypeError for an identity without a certificate. Connects with the first call. */
  readonly dial: (identity: SpokeIdentity) => HubConnection;
};

const usual = {
  connectMs: 10_000,
  callMs: 20_000,
  fetchMs: 120_000,
  messageBytesMost: 16 * 1024 * 1024,
  blobBytesMost: 64 * 1024 * 1024,
} as const;

const attachMethod = grpcMethod(LinkService.method.attach);
const enrollMethod = grpcMethod(EnrollmentService.method.enroll);
const renewMethod = grpcMethod(EnrollmentService.method.renew);

export function createHubClient(given: HubClientSettings): HubClient {
  const settings = { ...usual, ...given };
  // Outlives connections, so that a large blob gets through a bad line in the end.
  const fetcher = createBlobFetcher(settings);

  const open = (trustedPem: readonly string[], own?: { cert: string; key: string }): Client =>
    new Client(
      settings.address,
      credentials.createFromSecureContext(
        createSecureContext({ ca: [...trustedPem], ...own, minVersion: "TLSv1.3" }),
      ),
      {
        // Wherever the hub is reached, this is the name it proves.
        "grpc.ssl_target_name_override": hubServerName,
        "grpc.default_authority": hubServerName,
        "grpc.max_receive_message_length": settings.messageBytesMost,
        "grpc.max_send_message_length": settings.messageBytesMost,
        // The link decides what is tried again; and a retry buffer would keep a long stream's messages.
        "grpc.enable_retries": 0,
        "grpc.use_local_subchannel_pool": 1,
        "grpc.service_config_disable_resolution": 1,
        "grpc.enable_http_proxy": 0,
        "grpc.enable_channelz": 0,
      },
    );

  async function enroll(
    privateKeyPem: string,
    invitation: Invitation,
    signal: AbortSignal,
  ): Promise<SpokeIdentity> {
    const authority = await findAuthority(settings, invitation.fingerprint, signal);
    const client = open([authority.toString()]);
    try {
      const answer = await unary(
        client,
        enrollMethod,
        enrollToWire({
          token: invitation.token,
          certificateRequest: certificateRequest(privateKeyPem),
          spokeVersion: settings.spokeVersion,
        }),
        settings.callMs,
        signal,
      );
      const enrolled = understood(enrolledFromWire(answer));
      const accepted = understood(
        acceptIssued(enrolled, { privateKeyPem, cluster: enrolled.clusterId }),
      );
      const { clusterId, clusterName, hubId } = enrolled;
      return { privateKeyPem, ...accepted, clusterId, clusterName, hubId };
    } finally {
      client.close();
    }
  }

  function dial(identity: SpokeIdentity): HubConnection {
    const { certificatePem, privateKeyPem, trustedPem } = identity;
    if (certificatePem === undefined) throw new TypeError("this identity has no certificate");
    const client = open(trustedPem, { cert: certificatePem, key: privateKeyPem });

    async function renew(signal: AbortSignal): Promise<SpokeIdentity> {
      const cluster = parseClusterId(identity.clusterId);
      if (!cluster.ok) throw new TypeError(cluster.problem);
      // A fresh key each time: what was copied once is worth little later.
      const newKeyPem = await newPrivateKeyPem();
      const request = renewToWire(certificateRequest(newKeyPem));
      const answer = await unary(client, renewMethod, request, settings.callMs, signal);
      const issued = understood(renewedFromWire(answer));
      const accepted = understood(
        acceptIssued(issued, { privateKeyPem: newKeyPem, cluster: cluster.value }),
      );
      return { ...identity, privateKeyPem: newKeyPem, ...accepted };
    }

    return {
      attach: (signal) => openStream(client, signal),
      fetchBlobs: (digests, onBlob, signal) => fetcher.fetch(client, digests, onBlob, signal),
      renew,
      close: () => client.close(),
    };
  }

  return { enroll, dial };
}

function openStream(client: Client, signal: AbortSignal): HubStream {
  const call = client.makeBidiStreamRequest(
    attachMethod.path,
    attachMethod.requestSerialize,
    attachMethod.responseDeserialize,
    new Metadata(),
  );
  return {
    incoming: hubMessages(call, signal),
    send: (message, signal) => writeTo(call, spokeMessageToWire(message), signal),
  };
}

async function* hubMessages(
  call: ClientDuplexStream<AttachRequest, AttachResponse>,
  signal: AbortSignal,
): AsyncGenerator<FencedMessage | undefined> {
  for await (const response of responses(call, signal))
    yield understood(fencedMessageFromWire(response));
}
