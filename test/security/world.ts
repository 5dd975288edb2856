import {
  Client,
  credentials,
  Metadata,
  status,
  type MethodDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { joinTokenBytes, makeJoinToken } from "../../hub/domain/join/token.ts";
import type { LinkSettings, LinkStore } from "../../hub/link/server.ts";
import { openStore, type Store } from "../../hub/store/store.ts";
import { BlobService } from "../../proto/gen/wheelhouse/v1/blob_pb.ts";
import { EnrollmentService } from "../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import type { Log } from "../../proto/kit/log.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import { codeOfText } from "../../proto/words/coded.ts";
import { desiredRoot } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import type { FencedMessage, Hello, SpokeMessage } from "../../proto/words/link-messages.ts";
import { hubServerName } from "../../proto/words/spiffe.ts";
import { blobRangesToWire } from "../../proto/wire/blobs.ts";
import { enrollToWire, renewToWire } from "../../proto/wire/enrollment.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";
import { createHubClient } from "../../spoke/link/client.ts";
import { newPrivateKeyPem } from "../../spoke/link/credential.ts";
import { certificateRequest } from "../../spoke/link/csr.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { runHubLink, temporaryFolder, type RunningHubLink } from "../support/hub-link.ts";

/** A hub's link over a real store, and what an attacker who speaks gRPC can do to it. */
export type World = {
  readonly store: Store;
  readonly hub: RunningHubLink;
  readonly folder: string;
  /** The text of a join token for the cluster. */
  readonly invite: (cluster: ClusterId, lifeMs?: number) => Promise<string>;
  /** A certificate for a new key, by a new token. */
  readonly enroll: (cluster: ClusterId) => Promise<SpokeIdentity>;
  readonly stop: () => Promise<void>;
};

export const soon = (): AbortSignal => AbortSignal.timeout(15_000);

export async function openWorld(
  settings: Partial<LinkSettings> & {
    readonly certificateLifeMs?: number;
    readonly clock?: FakeClock;
    readonly log?: Log;
    /** Stands between the link and the store. */
    readonly between?: (store: Store) => LinkStore;
  } = {},
): Promise<World> {
  const { between = (store: Store): LinkStore => store, ...link } = settings;
  const folder = await temporaryFolder();
  const nowMs = link.clock?.nowMs ?? Date.now;
  const store = await openStore({ folder: join(folder.path, "store"), nowMs });
  const hub = await runHubLink(between(store), join(folder.path, "authority"), link);

  const invite = async (cluster: ClusterId, lifeMs = 60_000): Promise<string> => {
    const token = makeJoinToken(randomBytes(joinTokenBytes));
    const createdAtMs = nowMs();
    const expiresAtMs = createdAtMs + lifeMs;
    const { id, secretHash } = token;
    await store.enrollments.createToken(
      { id, secretHash, cluster, createdAtMs, expiresAtMs },
      soon(),
    );
    return token.text;
  };

  return {
    store,
    hub,
    folder: folder.path,
    invite,
    enroll: async (cluster) => {
      const client = createHubClient({ address: hub.address, spokeVersion: "0.1.0" });
      const { fingerprint } = hub.authority;
      const invitation = { token: await invite(cluster), fingerprint };
      return client.enroll(await newPrivateKeyPem(), invitation, soon());
    },
    stop: async () => {
      const ending = { over: false };
      const stopping = hub.stop().finally(() => {
        ending.over = true;
      });
      // A drain waits by the hub's clock, which may be one that stands still.
      while (!ending.over && link.clock !== undefined) await link.clock.advance(100);
      await stopping;
      store.close();
      await folder.remove();
    },
  };
}

/** What a call was answered with: `OK`, or the status, our code if there is one, and the words. */
export type Answered = {
  readonly status: string;
  readonly code: string | undefined;
  readonly details: string;
};

export type Credentials = { readonly certificatePem: string; readonly keyPem: string };

export const credentialsOf = (identity: SpokeIdentity): Credentials => ({
  certificatePem: identity.certificatePem ?? "",
  keyPem: identity.privateKeyPem,
});

/** A gRPC client of one connection that presents what it is given, or nothing. */
export function dialRaw(world: Pick<World, "hub">, as: Credentials | undefined): Client {
  const own = as === undefined ? {} : { cert: as.certificatePem, key: as.keyPem };
  return new Client(
    world.hub.address,
    credentials.createFromSecureContext(
      createSecureContext({ ca: world.hub.authority.trustedPem, ...own, minVersion: "TLSv1.3" }),
    ),
    {
      "grpc.ssl_target_name_override": hubServerName,
      "grpc.default_authority": hubServerName,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_send_message_length": -1,
    },
  );
}

export function callRaw<Q, A>(
  client: Client,
  method: MethodDefinition<Q, A>,
  request: Q,
): Promise<Answered> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + 15_000 },
      (error) => resolve(answeredBy(error)),
    );
  });
}

export const answeredBy = (error: ServiceError | null): Answered =>
  error === null
    ? { status: "OK", code: undefined, details: "" }
    : {
        status: status[error.code] ?? String(error.code),
        code: codeOfText(error.details)?.code,
        details: error.details,
      };

const enrollMethod = grpcMethod(EnrollmentService.method.enroll);
const renewMethod = grpcMethod(EnrollmentService.method.renew);
const fetchMethod = grpcMethod(BlobService.method.fetchBlobs);

export async function enrollRaw(
  client: Client,
  token: string,
  request?: Uint8Array,
  spokeVersion = "0.1.0",
): Promise<Answered> {
  const certified = request ?? certificateRequest(await newPrivateKeyPem());
  return callRaw(
    client,
    enrollMethod,
    enrollToWire({ token, certificateRequest: certified, spokeVersion }),
  );
}

export async function renewRaw(client: Client, request?: Uint8Array): Promise<Answered> {
  return callRaw(
    client,
    renewMethod,
    renewToWire(request ?? certificateRequest(await newPrivateKeyPem())),
  );
}

/** How a fetch of these blobs ends, and how many chunks came before. */
export function fetchRaw(
  client: Client,
  digests: readonly Digest[],
): Promise<Answered & { readonly chunks: number }> {
  return new Promise((resolve) => {
    let chunks = 0;
    const call = client.makeServerStreamRequest(
      fetchMethod.path,
      fetchMethod.requestSerialize,
      fetchMethod.responseDeserialize,
      blobRangesToWire(digests.map((digest) => ({ digest, offset: 0 }))),
      new Metadata(),
      { deadline: Date.now() + 15_000 },
    );
    call.on("data", () => (chunks += 1));
    call.on("error", (error: ServiceError) => resolve({ ...answeredBy(error), chunks }));
    call.on("end", () => resolve({ ...answeredBy(null), chunks }));
  });
}

export const helloOf = (change: Partial<Hello> = {}): Hello => ({
  kind: "hello",
  protocolLeast: 1,
  protocolMost: 1,
  capabilities: [],
  spokeVersion: "0.1.0",
  bootId: "boot",
  heldVersion: 0,
  heldRoot: desiredRoot(new Map()),
  statusRoot: desiredRoot(new Map()),
  epochSeen: 0,
  clockMs: Date.now(),
  kubernetesVersion: "v1.36.0",
  ...change,
});

export type RawSession = {
  readonly send: (message: SpokeMessage) => Promise<void>;
  /** The next message; throws what the stream ends with. */
  readonly next: () => Promise<FencedMessage>;
  readonly close: () => void;
};

/** A session as a hostile spoke holds it: hello is said, everything else is up to the test. */
export async function attachAs(world: World, identity: SpokeIdentity): Promise<RawSession> {
  const stopping = new AbortController();
  const client = createHubClient({ address: world.hub.address, spokeVersion: "0.1.0" });
  const connection = client.dial(identity);
  const stream = connection.attach(stopping.signal);
  await stream.send(helloOf(), soon());
  const messages = stream.incoming[Symbol.asyncIterator]();
  return {
    send: (message) => stream.send(message, AbortSignal.any([stopping.signal, soon()])),
    next: async () => {
      const { value, done } = await messages.next();
      if (done === true || value === undefined) throw new Error("the stream ended");
      return value;
    },
    close: () => {
      stopping.abort(new Error("the test is over"));
      // A stream that nobody reads at the moment is cancelled by this.
      void messages.return?.()?.catch(() => {});
      connection.close();
    },
  };
}
