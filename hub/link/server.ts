import { Server, ServerCredentials, status, type ServerDuplexStream } from "@grpc/grpc-js";
import { randomUUID } from "node:crypto";
import { BlobService } from "../../proto/gen/wheelhouse/v1/blob_pb.ts";
import { EnrollmentService } from "../../proto/gen/wheelhouse/v1/enrollment_pb.ts";
import {
  LinkService,
  type AttachRequest,
  type AttachResponse,
} from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { Allowances, type AllowanceSettings } from "../../proto/kit/allowance.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { writeTo } from "../../proto/kit/write-to.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import { codedText, linkCodes } from "../../proto/words/coded.ts";
import type { SpokeMessage } from "../../proto/words/link-messages.ts";
import { blobChunkToWire, blobRangesFromWire } from "../../proto/wire/blobs.ts";
import {
  enrolledToWire,
  enrollFromWire,
  renewedToWire,
  renewFromWire,
} from "../../proto/wire/enrollment.ts";
import { fencedMessageToWire, spokeMessageFromWire } from "../../proto/wire/link.ts";
import { attach, silenceLimitMs } from "./attach.ts";
import type { AttachStore } from "./attach-store.ts";
import {
  authenticate,
  callerOf as namedBy,
  clusterLocked,
  type Authenticated,
  type AuthenticateNeeds,
  type Caller,
} from "./authenticate.ts";
import type { Authority } from "./authority.ts";
import { badMessage, CallRefused } from "./call-refused.ts";
import { duplex, stream, unary, type CallHost } from "./calls.ts";
import { ClusterConnections } from "./connections.ts";
import { createEnrollGuard, usualEnrollLimits, type EnrollLimits } from "./enroll-limits.ts";
import { enroll, renew, type EnrollStore } from "./enroll.ts";
import type { AttachNeeds, AttachSettings, SessionEnd } from "./exchange.ts";
import { fetchBlobs, type FetchBlobsNeeds } from "./fetch-blobs.ts";
import { listen, type ListenSettings } from "./listen.ts";
import { createReportInbox, type ReportInboxNeeds } from "./report-inbox.ts";
import { AttachedSessions } from "./attached-sessions.ts";

/** All the link needs of the store, in the store's own shapes. */
export type LinkStore = AttachStore &
  EnrollStore & {
    readonly identities: AuthenticateNeeds["identities"];
    readonly blobs: FetchBlobsNeeds;
    readonly reports: { readonly record: ReportInboxNeeds["record"] };
  };

export type LinkNeeds = Pick<AttachNeeds, "vouchedFor"> & {
  readonly store: LinkStore;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type LinkSettings = Pick<ListenSettings, "host" | "port"> & {
  readonly heartbeatMs: number;
} & Partial<Omit<ListenSettings, "host" | "port"> & Omit<AttachSettings, "heartbeatMs">> & {
    /** How long a drain may take before connections are cut. */
    readonly drainMs?: number;
    /** Over how long the spokes of a draining hub are asked to come back. */
    readonly returnSpreadMs?: number;
    readonly messageBytesMost?: number;
    readonly enrollments?: EnrollLimits;
    /** How often one cluster may ask for another certificate. */
    readonly renewals?: AllowanceSettings;
  };

export type Link = {
  readonly port: number;
  /** Who is attached; `wake` tells a cluster's session that something of its changed. */
  readonly sessions: AttachedSessions;
  /**
   * Serves until aborted, then says good-bye to every spoke and returns. The authority renews its own
   * certificate: run it beside this.
   */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

const usual = {
  connectionsMost: 20_000,
  handshakesMost: 8,
  handshakeMs: 10_000,
  // A quarter: a fleet behind one address comes back at once, and one network must not take all.
  strangersMost: 5_000,
  strangerMs: 30_000,
  trustCheckMs: 5_000,
  helloLimitMs: 10_000,
  goodbyeMs: 1_000,
  inline: { blobBytesMost: 16 * 1024, totalBytesMost: 64 * 1024 },
  drainMs: 3_000,
  returnSpreadMs: 5_000,
  messageBytesMost: 16 * 1024 * 1024,
  messages: { burst: 2_000, perSecond: 200 },
  enrollments: usualEnrollLimits,
  renewals: { burst: 20, perSecond: 1 / 60 },
} as const;

/** How many clusters' renewals are counted. */
const clustersMost = 50_000;

/** A spoke has one connection, and for moments two. */
const connectionsPerClusterMost = 8;

/** A connection carries one session, its blobs and a renewal; more streams are somebody else's idea. */
const streamsMost = 32;

/** Opens the port that spokes dial. They are served once `run` runs. */
export async function openLink(needs: LinkNeeds, given: LinkSettings): Promise<Link> {
  const settings = { ...usual, silenceLimitMs: silenceLimitMs(given.heartbeatMs), ...given };
  const { store, vouchedFor, authority, clock, log } = needs;
  const sessions = new AttachedSessions();
  const reports = createReportInbox({ record: store.reports.record, clock });
  const trust: AuthenticateNeeds = {
    identities: {
      standing: store.identities.standing,
      present: async (cluster, serial, nowMs, signal) => {
        const found = await store.identities.present(cluster, serial, nowMs, signal);
        if (found.kind === "cloned") {
          log.error("cluster locked itself", { cluster, why: found.why });
          sessions.dismiss(cluster, { kind: "locked", why: found.why });
        }
        return found;
      },
    },
    clock,
  };
  const enrollments = createEnrollGuard(settings.enrollments, clock);
  const renewals = new Allowances(settings.renewals, clustersMost);
  const connections = new ClusterConnections(connectionsPerClusterMost);
  const stopping = new AbortController();
  let draining = false;

  const server = new Server({
    "grpc.max_receive_message_length": settings.messageBytesMost,
    "grpc.max_send_message_length": settings.messageBytesMost,
    "grpc.max_concurrent_streams": streamsMost,
    // Nobody looks at it, and it costs on every message.
    "grpc.enable_channelz": 0,
  });
  const host: CallHost = { server, log, stopping: stopping.signal };

  /** Whoever calls, or the refusal, thrown. */
  async function callerOf(call: Authenticated, signal: AbortSignal): Promise<Caller> {
    const caller = await authenticate(call, trust, signal);
    if (!caller.ok) {
      log.debug("caller refused", { problem: caller.problem.message });
      throw caller.problem;
    }
    return caller.value;
  }

  unary(host, grpcMethod(EnrollmentService.method.enroll), {
    answer: async (call, signal) => {
      const enrolled = await enrollments.attempt(call.getPeer(), async () => {
        const request = enrollFromWire(call.request);
        if (!request.ok) throw badMessage(request.problem);
        return enroll(request.value, needs, signal);
      });
      return enrolledToWire(enrolled);
    },
  });

  unary(host, grpcMethod(EnrollmentService.method.renew), {
    answer: async (call, signal) => {
      const caller = await callerOf(call, signal);
      const request = renewFromWire(call.request);
      if (!request.ok) throw badMessage(request.problem);
      if (!renewals.take(caller.cluster, clock.nowMs()))
        throw new CallRefused(
          status.RESOURCE_EXHAUSTED,
          "this cluster renews its certificate too often",
        );
      return renewedToWire(await renew(caller, request.value, needs, signal));
    },
  });

  stream(host, grpcMethod(BlobService.method.fetchBlobs), {
    serve: async (call, signal) => {
      const caller = await callerOf(call, signal);
      const ranges = blobRangesFromWire(call.request);
      if (!ranges.ok) throw badMessage(ranges.problem);
      for await (const chunk of fetchBlobs(caller.cluster, ranges.value, store.blobs, signal))
        await writeTo(call, blobChunkToWire(chunk), signal);
    },
  });

  duplex(host, grpcMethod(LinkService.method.attach), {
    serve: async (call, signal) => {
      const caller = await callerOf(call, signal);
      if (draining) throw new CallRefused(status.UNAVAILABLE, "the hub is going down");
      const end = await attach(
        caller,
        {
          incoming: spokeMessages(call),
          send: (message, signal) => writeTo(call, fencedMessageToWire(message), signal),
        },
        { ...trust, store, sessions, reports, vouchedFor, newSessionId: randomUUID, log },
        settings,
        signal,
      );
      const refusal = refusalOf(end);
      if (refusal !== undefined) throw refusal;
    },
  });

  // TLS is done by `listen`; grpc-js looks at the socket it is given to see who is on the other end.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = await listen(settings, authority, (socket) => {
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    const caller = certificate === undefined ? undefined : namedBy(certificate);
    if (caller !== undefined) connections.add(caller.cluster, socket);
    injector.injectConnection(socket);
  });
  log.info("link listening", { port: listener.port, fingerprint: authority.fingerprint });

  async function drain(): Promise<void> {
    draining = true;
    await listener.close();
    sessions.dismissAll(() => ({
      kind: "draining",
      reconnectAfterMs: Math.round(needs.random() * settings.returnSpreadMs),
    }));
    await atMost(settings.drainMs, (signal) => sessions.allLeft(signal), clock);
    stopping.abort(new Error("the hub is going down"));
    // Lets the last statuses out; connections that do not end by themselves are cut.
    injector.drain(settings.goodbyeMs);
    await shutDown(server, settings.goodbyeMs, clock);
  }

  return {
    port: listener.port,
    sessions,
    async run(signal) {
      // Reports that arrive during the good-byes are still written.
      const work = new AbortController();
      const stopped = new Error("the link stopped");
      const working = reports.run(work.signal).catch((error: unknown) => {
        if (error !== stopped) throw error;
      });
      try {
        await unlessAborted(working, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await drain();
        work.abort(stopped);
        await working;
      }
    },
  };
}

async function shutDown(server: Server, graceMs: number, clock: Clock): Promise<void> {
  const ended = Promise.withResolvers<void>();
  server.tryShutdown(() => ended.resolve());
  await atMost(graceMs, () => ended.promise, clock);
  server.forceShutdown();
}

/** Waits for `work`, and no longer than `forMs`: then its signal aborts. */
async function atMost(
  forMs: number,
  work: (signal: AbortSignal) => Promise<void>,
  clock: Clock,
): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work(over.signal), clock.sleep(forMs, over.signal)]);
  } finally {
    over.abort(new Error("the wait is over"));
  }
}

async function* spokeMessages(
  call: ServerDuplexStream<AttachRequest, AttachResponse>,
): AsyncGenerator<SpokeMessage | undefined> {
  for await (const request of call.iterator({ destroyOnReturn: false })) {
    const message = spokeMessageFromWire(request);
    if (!message.ok) throw badMessage(message.problem);
    yield message.value;
  }
}

function refusalOf(end: SessionEnd): CallRefused | undefined {
  switch (end.kind) {
    case "left":
      return undefined;
    case "replaced":
      return new CallRefused(
        status.FAILED_PRECONDITION,
        codedText(linkCodes.sharedIdentity, "a newer session of this cluster took over"),
      );
    case "draining":
      return new CallRefused(status.UNAVAILABLE, "the hub is going down");
    case "untrusted":
      return new CallRefused(status.UNAUTHENTICATED, end.problem);
    case "locked":
      return clusterLocked(end.why);
    case "silent":
      return new CallRefused(status.UNAVAILABLE, `nothing was heard for ${end.forMs} ms`);
    case "refused":
      return end.refusal;
    default:
      return unreachable(end, "end of a session");
  }
}
