import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { randomUUID } from "node:crypto";
import {
  AttachRequestSchema,
  AttachResponseSchema,
} from "../../proto/gen/wheelhouse/v1/link_pb.ts";
import { Bell } from "../../proto/kit/bell.ts";
import { systemClock } from "../../proto/kit/clock.ts";
import { silentLog, type Log } from "../../proto/kit/log.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { digestOfBytes, type Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import type { FencedMessage, SpokeMessage } from "../../proto/words/link-messages.ts";
import {
  fencedMessageFromWire,
  fencedMessageToWire,
  spokeMessageFromWire,
  spokeMessageToWire,
} from "../../proto/wire/link.ts";
import { attach, silenceLimitMs } from "../../hub/link/attach.ts";
import type { AttachSettings, SessionEnd } from "../../hub/link/exchange.ts";
import { createReportInbox } from "../../hub/link/report-inbox.ts";
import { AttachedSessions } from "../../hub/link/attached-sessions.ts";
import type { LinkStore } from "../../hub/link/server.ts";
import type { HubConnection } from "../../spoke/loops/link-loop.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";

/** What went over the link, in the order it was said. */
export type Said = {
  readonly from: "spoke" | "hub";
  readonly kind: string;
  readonly bytes: number;
};

export type MemoryHub = {
  readonly sessions: AttachedSessions;
  readonly said: Said[];
  /** How each session ended. */
  readonly ends: SessionEnd[];
  /** A connection of the cluster with this id, as if by its certificate. */
  readonly dial: (cluster: ClusterId, identity: SpokeIdentity) => HubConnection;
  /** Breaks every connection, as a network does. */
  readonly cut: () => void;
  /** What of this the hub is to answer with instead: for hubs that are broken, stale or hostile. */
  tamper: (message: FencedMessage) => FencedMessage;
  readonly stop: () => void;
};

/**
 * The hub's side of the link without a network: the same exchange, the same messages through the same bytes.
 */
export function memoryHub(
  store: LinkStore,
  given: Partial<AttachSettings> & { readonly log?: Log } = {},
): MemoryHub {
  const { log = silentLog, heartbeatMs = 5_000, ...rest } = given;
  const settings: AttachSettings = {
    heartbeatMs,
    silenceLimitMs: silenceLimitMs(heartbeatMs),
    trustCheckMs: 1_000,
    helloLimitMs: 1_000,
    goodbyeMs: 200,
    messages: { burst: 2_000, perSecond: 200 },
    inline: { blobBytesMost: 16_384, totalBytesMost: 65_536 },
    ...rest,
  };
  const stopping = new AbortController();
  let cutting = new AbortController();
  const sessions = new AttachedSessions();
  const said: Said[] = [];
  const ends: SessionEnd[] = [];
  const reports = createReportInbox({ record: store.reports.record, clock: systemClock });
  reports.run(stopping.signal).catch(() => {});

  const hub: MemoryHub = {
    sessions,
    said,
    ends,
    tamper: (message) => message,
    cut() {
      cutting.abort(new Error("the network broke"));
      cutting = new AbortController();
    },
    stop: () => stopping.abort(new Error("the test is over")),
    dial: (cluster) => ({
      attach(signal) {
        const broken = AbortSignal.any([signal, cutting.signal, stopping.signal]);
        const up = pipe<SpokeMessage>(broken, (message) => {
          const bytes = toBinary(AttachRequestSchema, spokeMessageToWire(message));
          said.push({ from: "spoke", kind: message.kind, bytes: bytes.length });
          return good(spokeMessageFromWire(fromBinary(AttachRequestSchema, bytes)));
        });
        const down = pipe<FencedMessage>(broken, (message) => {
          const bytes = toBinary(AttachResponseSchema, fencedMessageToWire(hub.tamper(message)));
          said.push({ from: "hub", kind: message.message.kind, bytes: bytes.length });
          return good(fencedMessageFromWire(fromBinary(AttachResponseSchema, bytes)));
        });
        const caller = {
          cluster,
          serial: "memory",
          notBeforeMs: 0,
          notAfterMs: Number.MAX_SAFE_INTEGER,
        };
        attach(
          caller,
          { incoming: up.outgoing, send: down.put },
          {
            store,
            sessions,
            reports,
            identities: store.identities,
            vouchedFor: () => "all",
            newSessionId: randomUUID,
            clock: systemClock,
            log,
          },
          settings,
          broken,
        ).then(
          (end) => {
            ends.push(end);
            down.end();
          },
          (error: unknown) => down.fail(error),
        );
        return { incoming: down.outgoing, send: up.put };
      },
      async fetchBlobs(digests, onBlob, signal) {
        const missing: Digest[] = [];
        for (const digest of digests) {
          const bytes = await store.blobs.readFor(cluster, digest, signal);
          if (bytes === undefined) missing.push(digest);
          else if (digestOfBytes(bytes) !== digest) throw new Error(`blob ${digest} is not it`);
          else await onBlob({ digest, bytes });
        }
        return missing;
      },
      renew: () => Promise.reject(new Error("this link has no certificates")),
      close: () => {},
    }),
  };
  return hub;
}

const good = <T>(read: { ok: true; value: T } | { ok: false; problem: string }): T => {
  if (!read.ok) throw new Error(read.problem);
  return read.value;
};

/** Messages from one end to the other, in order, that break when the signal aborts. */
function pipe<T>(broken: AbortSignal, carry: (message: T) => T | undefined) {
  const waiting: (T | undefined)[] = [];
  const bell = new Bell();
  let ended = false;
  let failure: unknown;

  async function* outgoing(): AsyncGenerator<T | undefined> {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift();
      if (failure !== undefined) throw failure;
      if (ended) return;
      await bell.wait(broken);
    }
  }
  return {
    outgoing: outgoing(),
    put: async (message: T, signal: AbortSignal): Promise<void> => {
      await unlessAborted(Promise.resolve(), AbortSignal.any([signal, broken]));
      waiting.push(carry(message));
      bell.ring();
    },
    end: () => {
      ended = true;
      bell.ring();
    },
    fail: (error: unknown) => {
      failure = error;
      bell.ring();
    },
  };
}
