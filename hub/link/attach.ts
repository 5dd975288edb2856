import { status } from "@grpc/grpc-js";
import type { Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import { desiredRoot } from "../../proto/words/desired.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import {
  protocolLeast,
  protocolMost,
  type Hello,
  type SpokeMessage,
} from "../../proto/words/link-messages.ts";
import type { Caller } from "./authenticate.ts";
import { badMessage, refused, type CallRefused } from "./call-refused.ts";
import {
  createExchange,
  type AttachNeeds,
  type AttachSettings,
  type Messages,
  type OpenedSession,
  type Send,
  type SessionEnd,
  type SpokeStream,
} from "./exchange.ts";

/** Two missed heartbeats and some grace. */
export const silenceLimitMs = (heartbeatMs: number): number => Math.round(heartbeatMs * 2.5);

const skewMsMost = 60_000;

/**
 * One spoke's session, from its Hello to its end.
 *
 * Everything is keyed by the caller's certificate; nothing in a message can name another cluster. The hub
 * keeps no queue for the spoke, only what it last acknowledged: whenever the session wakes it compares that
 * with what should be held now, and sends one change, never a second before the first is acknowledged.
 * Throws Trouble when the store is away, and what `stream` throws when the stream breaks.
 */
export async function attach(
  caller: Caller,
  stream: SpokeStream,
  needs: AttachNeeds,
  settings: AttachSettings,
  signal: AbortSignal,
): Promise<SessionEnd> {
  const messages = stream.incoming[Symbol.asyncIterator]();
  const hello = await firstMessage(messages, settings.helloLimitMs, signal);
  const protocol = Math.min(hello.protocolMost, protocolMost);
  if (protocol < Math.max(hello.protocolLeast, protocolLeast))
    return { kind: "refused", refusal: noCommonProtocol(hello) };

  const session = await openSession(caller, hello, needs, signal);
  const log = needs.log.with({
    cluster: caller.cluster,
    session: session.id,
    epoch: session.epoch,
  });
  const exchange = createExchange(caller, session, stream, needs, settings, log);
  const group = new AbortController();
  const shared = AbortSignal.any([signal, group.signal]);
  needs.sessions.heard(caller.cluster, needs.clock.nowMs());
  needs.sessions.admit(exchange.session);
  let tasks: readonly Promise<SessionEnd>[] = [];
  try {
    await exchange.send(
      {
        kind: "welcome",
        protocol,
        sessionId: session.id,
        desiredVersion: session.current.version,
        desiredRoot: session.current.root,
        statusRoot: session.statusRoot,
        heartbeatMs: settings.heartbeatMs,
        clockMs: needs.clock.nowMs(),
      },
      AbortSignal.any([shared, AbortSignal.timeout(settings.helloLimitMs)]),
    );
    log.info("spoke attached", {
      heldVersion: hello.heldVersion,
      spokeVersion: hello.spokeVersion,
    });
    const skewMs = hello.clockMs - needs.clock.nowMs();
    if (Math.abs(skewMs) > skewMsMost) log.warn("spoke clock differs", { skewMs });

    tasks = [
      exchange.dismissed,
      exchange.read(messages, shared),
      exchange.write(shared),
      exchange.watchSilence(shared),
      exchange.watchTrust(shared),
    ];
    const end = await Promise.race(tasks);
    group.abort(new Error("the session ended"));
    await sayGoodbye(end, exchange.send, settings.goodbyeMs, signal);
    log.info("spoke detached", { why: end.kind });
    return end;
  } catch (error) {
    group.abort(error);
    log.info("spoke detached", { why: "broken", problem: describeError(error) });
    throw error;
  } finally {
    needs.sessions.leave(exchange.session);
    await Promise.allSettled(tasks.slice(1));
    await closeSession(caller.cluster, session.id, needs, log);
  }
}

async function firstMessage(
  messages: Messages,
  limitMs: number,
  signal: AbortSignal,
): Promise<Hello> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  let first: IteratorResult<SpokeMessage | undefined>;
  try {
    first = await unlessAborted(messages.next(), limited);
  } catch (error) {
    signal.throwIfAborted();
    if (limited.aborted) throw badMessage(`hello did not come within ${limitMs} ms`);
    throw error;
  }
  if (first.done === true) throw badMessage("the stream ended before hello");
  if (first.value?.kind !== "hello")
    throw badMessage(`the first message must be hello, got ${first.value?.kind ?? "another"}`);
  return first.value;
}

const noCommonProtocol = (hello: Hello): CallRefused =>
  refused(
    status.FAILED_PRECONDITION,
    linkCodes.noCommonProtocol,
    `the spoke speaks protocols ${hello.protocolLeast} to ${hello.protocolMost}, this hub ${protocolLeast} to ${protocolMost}`,
  );

async function openSession(
  { cluster }: Caller,
  hello: Hello,
  { store, clock, newSessionId }: AttachNeeds,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const before = await store.desiredSets.current(cluster, signal);
  const id = newSessionId();
  const opened = await store.sessions.open(
    {
      cluster,
      sessionId: id,
      epochSeen: hello.epochSeen,
      heldVersion: hello.heldVersion,
      spokeVersion: hello.spokeVersion,
      kubernetesVersion: hello.kubernetesVersion,
      atMs: clock.nowMs(),
    },
    signal,
  );
  return {
    id,
    epoch: opened.epoch,
    current: { version: opened.desiredVersion, root: opened.desiredRoot },
    statusRoot: opened.statusRoot,
    offering: {
      held: { version: hello.heldVersion, root: hello.heldRoot },
      awaits: "nothing",
      digests: undefined,
      foreign: holdsForeign(hello, before.version),
      settledAt: undefined,
    },
  };
}

/** Whether the spoke holds what this hub never offered: of a version to come, or of another hub. */
const holdsForeign = (hello: Hello, ours: number): boolean =>
  hello.heldVersion > ours || (hello.heldVersion === 0 && hello.heldRoot !== nothingHeld);

const nothingHeld = desiredRoot(new Map());

async function closeSession(
  cluster: ClusterId,
  sessionId: string,
  { store, clock }: AttachNeeds,
  log: Log,
): Promise<void> {
  try {
    // The session's own signal may be what ended it.
    await store.sessions.close(cluster, sessionId, clock.nowMs(), AbortSignal.timeout(5_000));
  } catch (error) {
    log.warn("session could not be closed", { problem: describeError(error) });
  }
}

async function sayGoodbye(
  end: SessionEnd,
  send: Send,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (end.kind !== "replaced" && end.kind !== "draining" && end.kind !== "untrusted") return;
  const reconnectAfterMs = end.kind === "draining" ? end.reconnectAfterMs : 0;
  try {
    await send(
      { kind: "go-away", reason: end.kind, reconnectAfterMs },
      AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
    );
  } catch {
    // Whoever cannot be told finds out when the stream ends.
  }
}
