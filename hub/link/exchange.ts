import { status } from "@grpc/grpc-js";
import { Bell } from "../../proto/kit/bell.ts";
import { Allowance, type AllowanceSettings } from "../../proto/kit/allowance.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { DesiredChange } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Epoch } from "../../proto/words/ids.ts";
import type {
  Ack,
  FencedMessage,
  HubMessage,
  SpokeMessage,
} from "../../proto/words/link-messages.ts";
import { nextOffer, type Offering, type SetState } from "../domain/offer.ts";
import type { AttachStore } from "./attach-store.ts";
import { standing, type AuthenticateNeeds, type Caller } from "./authenticate.ts";
import { badMessage, type CallRefused } from "./call-refused.ts";
import type { ReportInbox } from "./report-inbox.ts";
import type { Dismissal, OpenSession, AttachedSessions } from "./attached-sessions.ts";

/** One spoke's stream, whatever carries it. */
export type SpokeStream = {
  /** Ends when the spoke will say no more, throws when the stream breaks. `undefined`: a kind of message we do not know. */
  readonly incoming: AsyncIterable<SpokeMessage | undefined>;
  /** Resolves once the transport has taken the message, which with a slow reader may take for ever. */
  readonly send: (message: FencedMessage, signal: AbortSignal) => Promise<void>;
};

export type AttachNeeds = AuthenticateNeeds & {
  readonly store: AttachStore;
  readonly sessions: AttachedSessions;
  readonly reports: Pick<ReportInbox, "add">;
  /**
   * Of how much of what the store desires it is known that Git says so now: of nothing until Git was read, of
   * most while some sets or Applications fall over.
   */
  readonly vouchedFor: () => "nothing" | "most" | "all";
  readonly newSessionId: () => string;
  readonly clock: Clock;
  readonly log: Log;
};

export type AttachSettings = {
  readonly heartbeatMs: number;
  /** A spoke that said nothing, or took nothing, for this long is late, and its session ends. */
  readonly silenceLimitMs: number;
  /** How often an open session's certificate is looked at again. */
  readonly trustCheckMs: number;
  /** How long a caller may take for its first message. */
  readonly helloLimitMs: number;
  /** How long a good-bye may take to be read. */
  readonly goodbyeMs: number;
  /** How many messages a spoke may say; whoever says more is listened to more slowly. */
  readonly messages: AllowanceSettings;
  readonly inline: { readonly blobBytesMost: number; readonly totalBytesMost: number };
};

/** How a session ended. */
export type SessionEnd =
  | Dismissal
  /** The spoke had nothing more to say. */
  | { readonly kind: "left" }
  | { readonly kind: "silent"; readonly forMs: number }
  | { readonly kind: "refused"; readonly refusal: CallRefused };

/** A session as the store opened it. */
export type OpenedSession = {
  readonly id: string;
  readonly epoch: Epoch;
  readonly current: SetState;
  readonly statusRoot: Digest;
  readonly offering: Offering;
};

export type Messages = AsyncIterator<SpokeMessage | undefined>;

export type Send = (message: HubMessage, signal: AbortSignal) => Promise<void>;

/**
 * The moving parts of one session. `read`, `write` and the watches run side by side, each once and under one
 * signal, until one of them or `dismissed` says how the session ends; whoever runs them then aborts the others.
 */
export type Exchange = {
  /** To be admitted to the registry while the exchange runs. */
  readonly session: OpenSession;
  /** Says one message, under the session's epoch. Not to be called beside `write`, which keeps their order. */
  readonly send: Send;
  /** Takes what the spoke says, in its order. Throws a refusal for what may not be said. */
  readonly read: (messages: Messages, signal: AbortSignal) => Promise<SessionEnd>;
  /** Says what the spoke should know by now, whenever that may have changed. */
  readonly write: (signal: AbortSignal) => Promise<never>;
  /** Ends when the spoke has said nothing, or taken nothing, for too long. */
  readonly watchSilence: (signal: AbortSignal) => Promise<SessionEnd>;
  /** Ends when the spoke's certificate is not taken any more. */
  readonly watchTrust: (signal: AbortSignal) => Promise<SessionEnd>;
  /** Never rejects. */
  readonly dismissed: Promise<SessionEnd>;
};

export function createExchange(
  caller: Caller,
  opened: OpenedSession,
  stream: SpokeStream,
  needs: AttachNeeds,
  settings: AttachSettings,
  log: Log,
): Exchange {
  const { cluster } = caller;
  const { store, clock } = needs;
  const { desiredSets, reports, commands } = store;
  const bell = new Bell();
  const dismissal = Promise.withResolvers<SessionEnd>();

  let offering = opened.offering;
  let heardAtMs = clock.nowMs();
  /** Since when a message waits for the spoke to take it. */
  let sendingSinceMs: number | undefined;
  let mayDiffer = true;
  let reportToConfirm: number | undefined;
  let rootSaid: Digest = opened.current.root;
  let statusRootSaid: Digest = opened.statusRoot;
  let newestOffered = Math.max(opened.current.version, opened.offering.held.version);
  const commandsSent = new Set<string>();

  const session: OpenSession = {
    cluster,
    epoch: opened.epoch,
    wake: () => {
      mayDiffer = true;
      bell.ring();
    },
    dismiss: (why) => dismissal.resolve(why),
  };

  const send: Send = async (message, signal) => {
    sendingSinceMs = clock.nowMs();
    await stream.send({ epoch: opened.epoch, message }, signal);
    sendingSinceMs = undefined;
  };

  async function read(messages: Messages, signal: AbortSignal): Promise<SessionEnd> {
    const allowance = new Allowance(settings.messages, clock.nowMs());
    for (;;) {
      // What is not read stays with the spoke: the transport takes no more from it than a window's worth.
      while (!allowance.take(clock.nowMs()))
        await clock.sleep(allowance.waitMs(clock.nowMs()), signal);
      const next = await unlessAborted(messages.next(), signal);
      if (next.done === true) return { kind: "left" };
      heardAtMs = clock.nowMs();
      needs.sessions.heard(cluster, heardAtMs);
      if (next.value !== undefined) await take(next.value, signal);
    }
  }

  async function take(message: SpokeMessage, signal: AbortSignal): Promise<void> {
    switch (message.kind) {
      case "hello":
        throw badMessage("hello came twice");
      case "ack":
        return takeAck(message.ack, signal);
      case "report":
        // Waiting here is what slows down a spoke that reports faster than the disk can take.
        await needs.reports.add(
          { cluster, applications: message.applications, gone: message.gone },
          signal,
        );
        reportToConfirm = message.sequence;
        bell.ring();
        return;
      case "heartbeat":
        if (message.desiredRoot !== undefined && offering.awaits === "nothing") {
          offering = {
            ...offering,
            held: { version: message.desiredVersion, root: message.desiredRoot },
          };
          session.wake();
        }
        return;
      case "desired-digests":
        // Asked for, or how a spoke says that it could not take the change it was sent.
        offering = { ...offering, awaits: "nothing", digests: message.digests };
        session.wake();
        return;
      case "command-result":
        if (!(await commands.finish(cluster, message, clock.nowMs(), signal)))
          log.debug("command result ignored", { command: message.id });
        return;
      default:
        return unreachable(message, "message of a spoke");
    }
  }

  async function takeAck(ack: Ack, signal: AbortSignal): Promise<void> {
    switch (ack.kind) {
      case "stored":
        if (ack.version > newestOffered)
          throw badMessage(
            `version ${ack.version} was never offered, at most ${newestOffered} was`,
          );
        await desiredSets.recordStored(cluster, ack.version, ack.root, clock.nowMs(), signal);
        offering = {
          ...offering,
          held: { version: ack.version, root: ack.root },
          awaits: offering.awaits === "stored" ? "nothing" : offering.awaits,
          foreign: false,
        };
        session.wake();
        return;
      case "removed":
        return desiredSets.recordRemoved(
          cluster,
          ack.application,
          ack.generation,
          clock.nowMs(),
          signal,
        );
      case "applied":
      case "healthy":
        // Hints for whoever waits for them; the report that follows is what is recorded.
        log.debug("generation acknowledged", {
          level: ack.kind,
          application: ack.application,
          generation: ack.generation,
        });
        return;
      default:
        return unreachable(ack, "acknowledgement");
    }
  }

  async function write(signal: AbortSignal): Promise<never> {
    let heartbeatAtMs = clock.nowMs() + settings.heartbeatMs;
    for (;;) {
      if (reportToConfirm !== undefined) {
        const sequence = reportToConfirm;
        reportToConfirm = undefined;
        await send({ kind: "report-recorded", sequence }, signal);
      }
      if (clock.nowMs() >= heartbeatAtMs) {
        await sayHeartbeat(signal);
        heartbeatAtMs = clock.nowMs() + settings.heartbeatMs;
        // Hints can be lost; looking again with every heartbeat makes that cost time only.
        mayDiffer = true;
      }
      if (mayDiffer) {
        mayDiffer = false;
        await sayCommands(signal);
        await sayDesired(signal);
        // More may have come in meanwhile.
        continue;
      }
      if (reportToConfirm === undefined)
        await bell.waitAtMost(Math.max(0, heartbeatAtMs - clock.nowMs()), clock, signal);
    }
  }

  async function sayHeartbeat(signal: AbortSignal): Promise<void> {
    const { version, root } = await desiredSets.current(cluster, signal);
    const status = await reports.statusRoot(cluster, signal);
    const desiredRoot = root === rootSaid ? undefined : root;
    const statusRoot = status === statusRootSaid ? undefined : status;
    rootSaid = root;
    statusRootSaid = status;
    await send({ kind: "heartbeat", desiredRoot, statusRoot, desiredVersion: version }, signal);
  }

  async function sayCommands(signal: AbortSignal): Promise<void> {
    for (const command of await commands.waiting(cluster, clock.nowMs(), signal)) {
      if (commandsSent.has(command.id)) continue;
      commandsSent.add(command.id);
      await send(command, signal);
    }
  }

  async function sayDesired(signal: AbortSignal): Promise<void> {
    const current = await desiredSets.current(cluster, signal);
    const next = nextOffer(offering, current);
    // Looked at again with the next heartbeat, or when the session is woken. A spoke that holds nothing is told
    // nothing either: its disk may be new and its cluster full, and what we remember may be a backup.
    if (needs.vouchedFor() === "nothing") return;
    switch (next.kind) {
      case "wait":
      case "agreed":
        return;
      case "delta": {
        const change = await desiredSets.changeSince(cluster, next.base, signal);
        if (change === undefined) return ask(signal);
        return bringsNothing(change) ? settle(change, signal) : offer(change, signal);
      }
      case "ask":
        return ask(signal);
      case "compare": {
        if (!mayCompare()) return;
        const change = await desiredSets.changeAgainst(cluster, next.digests, signal);
        // If even that leaves another root, the spoke has newer generations than this hub remembers.
        offering = { ...offering, digests: undefined, settledAt: change.target };
        return offer(change, signal);
      }
      default:
        return unreachable(next, "offer");
    }
  }

  /** Changed and changed back: the spoke holds this version's content under an older number. */
  const bringsNothing = ({ root, tombstones }: DesiredChange): boolean =>
    root === offering.held.root && tombstones.length === 0;

  async function settle({ target, root }: DesiredChange, signal: AbortSignal): Promise<void> {
    offering = { ...offering, settledAt: target };
    await desiredSets.recordStored(cluster, target, root, clock.nowMs(), signal);
  }

  /** A spoke of which we do not know how it came to what it holds may know of removals that we forgot. */
  const mayCompare = (): boolean => needs.vouchedFor() === "all" || offering.held.version === 0;

  async function ask(signal: AbortSignal): Promise<void> {
    if (!mayCompare()) return;
    offering = { ...offering, awaits: "digests" };
    await send({ kind: "desired-digests-wanted" }, signal);
  }

  async function offer(change: DesiredChange, signal: AbortSignal): Promise<void> {
    offering = { ...offering, awaits: "stored" };
    newestOffered = Math.max(newestOffered, change.target);
    const names = change.upserts.map(({ application }) => application);
    const blobs =
      names.length === 0
        ? []
        : await desiredSets.lackingBlobs(cluster, names, settings.inline, signal);
    rootSaid = change.root;
    await send({ kind: "desired", change, blobs }, signal);
    log.debug("desired set offered", {
      base: change.base,
      target: change.target,
      upserts: change.upserts.length,
      tombstones: change.tombstones.length,
      strays: change.strays.length,
      inlineBlobs: blobs.length,
    });
  }

  async function watchSilence(signal: AbortSignal): Promise<SessionEnd> {
    for (;;) {
      const forMs = clock.nowMs() - Math.min(heardAtMs, sendingSinceMs ?? heardAtMs);
      if (forMs > settings.silenceLimitMs) return { kind: "silent", forMs };
      await clock.sleep(settings.silenceLimitMs - forMs + 1, signal);
    }
  }

  async function watchTrust(signal: AbortSignal): Promise<SessionEnd> {
    for (;;) {
      await clock.sleep(settings.trustCheckMs, signal);
      const problem = await standing(caller, needs, signal);
      if (problem?.status === status.UNAUTHENTICATED)
        return { kind: "untrusted", problem: problem.message };
      if (problem !== undefined) return { kind: "refused", refusal: problem };
    }
  }

  return {
    session,
    send,
    read,
    write,
    watchSilence,
    watchTrust,
    dismissed: dismissal.promise,
  };
}
