import type { Bell } from "../../proto/kit/bell.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Epoch } from "../../proto/words/ids.ts";
import {
  protocolLeast,
  protocolMost,
  type FencedMessage,
  type Hello,
  type HubMessage,
  type SpokeMessage,
  type Welcome,
} from "../../proto/words/link-messages.ts";
import { heldDigests, obeys, withEpoch, withoutTombstone } from "../domain/held-set.ts";
import type { ChangeStore, Desired } from "./change-store.ts";
import { takeCommand, type CommandNeeds } from "./take-command.ts";

/** The stream to a hub, whatever carries it. */
export type HubStream = {
  readonly incoming: AsyncIterable<FencedMessage | undefined>;
  readonly send: (message: SpokeMessage, signal: AbortSignal) => Promise<void>;
};

export type SessionNeeds = CommandNeeds & {
  readonly stream: HubStream;
  readonly changes: ChangeStore;
  /** Whether blobs may be lost, asked and answered once; rings `storeBell` when that changes. */
  readonly lost: { readonly take: () => boolean; readonly putBack: () => void };
  readonly storeBell: Bell;
  readonly onWelcome: (welcome: Welcome, epoch: Epoch) => void;
  readonly onHeard: () => void;
  /** After a change, and the blobs it needs, are on disk. */
  readonly onStored: (signal: AbortSignal) => Promise<void>;
  /** Pause before trying again what the hub could not give. */
  readonly pauseMs: (failures: number) => number;
};

/** What a session ended with, when the hub said so. A stream that breaks throws instead. */
export type SessionOutcome =
  | Extract<HubMessage, { kind: "go-away" }>
  /** The hub ended the stream without a word. */
  | { readonly kind: "ended" };

export type SessionFacts = Pick<Hello, "spokeVersion" | "bootId" | "kubernetesVersion">;

const skewMsMost = 60_000;

/**
 * One attachment, from Hello to its end.
 *
 * A message of an epoch lower than one ever obeyed changes nothing, whoever sends it. What the hub wants is
 * acknowledged once it is on disk, blobs included, and not before. Throws what broke the stream, and Trouble
 * when the hub is out of date or says what it may not.
 */
export async function runSession(
  needs: SessionNeeds,
  facts: SessionFacts,
  signal: AbortSignal,
): Promise<SessionOutcome> {
  const { stream, changes, held, outbox, bell, storeBell, clock, log } = needs;
  const group = new AbortController();
  const shared = AbortSignal.any([signal, group.signal]);

  /** Answers that wait for the writer, at most one of each. */
  let storedToSay = false;
  let digestsToSay = false;
  /** The newest change the hub sent, until it is stored. */
  let change: { readonly desired: Desired; readonly epoch: Epoch } | undefined;
  let rootSaid: Digest = held.root();
  let statusRootSaid: Digest = outbox.statusRoot();

  const sayHello = (): Promise<void> =>
    stream.send(
      {
        kind: "hello",
        protocolLeast,
        protocolMost,
        capabilities: [],
        ...facts,
        heldVersion: held.current().version,
        heldRoot: rootSaid,
        statusRoot: statusRootSaid,
        epochSeen: held.current().epochSeen,
        clockMs: clock.nowMs(),
      },
      shared,
    );

  async function read(messages: AsyncIterator<FencedMessage | undefined>): Promise<SessionOutcome> {
    for (;;) {
      const next = await unlessAborted(messages.next(), shared);
      if (next.done === true) return { kind: "ended" };
      needs.onHeard();
      if (next.value === undefined) continue;
      const { epoch, message } = next.value;
      if (!obeys(held.current(), epoch)) {
        log.warn("message of an older epoch ignored", {
          message: message.kind,
          epoch,
          epochSeen: held.current().epochSeen,
        });
        continue;
      }
      if (message.kind === "go-away") return message;
      await take(message, epoch);
    }
  }

  async function take(
    message: Exclude<HubMessage, { kind: "go-away" }>,
    epoch: Epoch,
  ): Promise<void> {
    switch (message.kind) {
      case "welcome":
        throw new Trouble("the hub said welcome twice");
      case "desired":
        change = { desired: message, epoch };
        storeBell.ring();
        return;
      case "desired-digests-wanted":
        digestsToSay = true;
        bell.ring();
        return;
      case "command":
        return takeCommand(message, epoch, needs, shared);
      case "report-recorded":
        for (const [application, generation] of outbox.confirm(message.sequence))
          await held.update((set) => withoutTombstone(set, application, generation), shared);
        bell.ring();
        return;
      case "heartbeat":
        // The hub compares desired sets itself; what it knows of this cluster only we can compare.
        if (message.statusRoot !== undefined && outbox.sayAllUnless(message.statusRoot)) {
          log.info("reports sent again: the hub holds others");
          bell.ring();
        }
        return;
      default:
        return unreachable(message, "message of a hub");
    }
  }

  async function write(heartbeatMs: number): Promise<never> {
    let heartbeatAtMs = clock.nowMs() + heartbeatMs;
    for (;;) {
      if (storedToSay) {
        storedToSay = false;
        const { version } = held.current();
        rootSaid = held.root();
        await stream.send(
          { kind: "ack", ack: { kind: "stored", version, root: rootSaid } },
          shared,
        );
        continue;
      }
      if (digestsToSay) {
        digestsToSay = false;
        await stream.send(
          { kind: "desired-digests", digests: heldDigests(held.current()) },
          shared,
        );
        continue;
      }
      if (clock.nowMs() >= heartbeatAtMs) {
        heartbeatAtMs = clock.nowMs() + heartbeatMs;
        await sayHeartbeat();
        continue;
      }
      const next = outbox.next();
      if (next !== undefined) {
        await stream.send(next, shared);
        continue;
      }
      await bell.waitAtMost(Math.max(1, heartbeatAtMs - clock.nowMs()), clock, shared);
    }
  }

  async function sayHeartbeat(): Promise<void> {
    const root = held.root();
    const statusRoot = outbox.statusRoot();
    await stream.send(
      {
        kind: "heartbeat",
        desiredRoot: root === rootSaid ? undefined : root,
        statusRoot: statusRoot === statusRootSaid ? undefined : statusRoot,
        desiredVersion: held.current().version,
      },
      shared,
    );
    rootSaid = root;
    statusRootSaid = statusRoot;
  }

  /** Puts on disk what the hub wants, one change after the other, however long its blobs take. */
  async function store(): Promise<never> {
    let failures = 0;
    for (;;) {
      if (needs.lost.take()) await restore();
      const taken = change;
      if (taken === undefined) {
        await storeBell.wait(shared);
        continue;
      }
      try {
        // Only from a report does the hub learn of them, and it may not have known whose the last one was.
        outbox.sayAgain(await changes.take(taken.desired, taken.epoch, shared));
        failures = 0;
        storedToSay = true;
        bell.ring();
        await needs.onStored(shared);
      } catch (error) {
        shared.throwIfAborted();
        failures += 1;
        const level = error instanceof Trouble ? "warn" : "error";
        log[level]("change could not be stored", { failures, problem: describeError(error) });
        await clock.sleep(needs.pauseMs(failures), shared);
        // What the hub sent may be out of date by now; told what is held, it sends what is missing.
        digestsToSay = true;
      }
      // The hub sends none before it heard of this one; a hub that does anyway is heard all the same.
      if (change === taken) change = undefined;
      bell.ring();
    }
  }

  async function restore(): Promise<void> {
    try {
      if (await changes.restore(shared)) await needs.onStored(shared);
    } catch (error) {
      // The session ended in the middle of it.
      needs.lost.putBack();
      throw error;
    }
  }

  try {
    await sayHello();
    const messages = stream.incoming[Symbol.asyncIterator]();
    const first = await unlessAborted(messages.next(), shared);
    if (first.done === true) return { kind: "ended" };
    if (first.value?.message.kind === "go-away") return first.value.message;
    if (first.value?.message.kind !== "welcome")
      throw new Trouble(`the hub's first word was ${first.value?.message.kind ?? "not known"}`);
    const { epoch, message: welcome } = first.value;
    if (!obeys(held.current(), epoch))
      throw new Trouble(
        `the hub is out of date: it is in epoch ${epoch}, epoch ${held.current().epochSeen} was seen`,
      );
    // Written before anything is obeyed: after a restart, too, an older hub has no say.
    if (epoch > held.current().epochSeen) await held.update((set) => withEpoch(set, epoch), shared);
    const skewMs = clock.nowMs() - welcome.clockMs;
    if (Math.abs(skewMs) > skewMsMost)
      log.warn("clock differs from the hub's", { code: linkCodes.clockSkew, skewMs });
    outbox.beginSession(welcome.statusRoot);
    needs.onWelcome(welcome, epoch);
    const tasks = [read(messages), write(welcome.heartbeatMs), store()];
    try {
      return await Promise.race(tasks);
    } finally {
      group.abort(new Error("the session ended"));
      await Promise.allSettled(tasks);
    }
  } finally {
    group.abort(new Error("the session ended"));
  }
}
