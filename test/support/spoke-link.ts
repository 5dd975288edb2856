import { randomUUID } from "node:crypto";
import { systemClock, type Clock } from "../../proto/kit/clock.ts";
import { silentLog, type Log } from "../../proto/kit/log.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Command } from "../../proto/words/link-messages.ts";
import { emptyHeldSet, type HeldSet } from "../../spoke/domain/held-set.ts";
import type { SpokeIdentity } from "../../spoke/domain/identity.ts";
import { createHubClient } from "../../spoke/link/client.ts";
import { certificateLife, newPrivateKeyPem } from "../../spoke/link/credential.ts";
import { explainLoss } from "../../spoke/link/hub-error.ts";
import {
  createLinkLoop,
  type Invitation,
  type LinkLoop,
  type LinkLoopNeeds,
  type LinkPace,
} from "../../spoke/loops/link-loop.ts";

/** What of a spoke outlives its process, in memory. */
export type SpokeState = {
  held: HeldSet;
  identity: SpokeIdentity | undefined;
  readonly blobs: Map<Digest, Uint8Array>;
  /** Every write, in order: what, never its content. */
  readonly writes: string[];
};

export const newSpokeState = (): SpokeState => ({
  held: emptyHeldSet,
  identity: undefined,
  blobs: new Map(),
  writes: [],
});

export type RunningSpokeLink = {
  readonly loop: LinkLoop;
  /** Every set the sync loop would have been told of. */
  readonly heldSeen: HeldSet[];
  readonly commands: Command[];
  readonly log: { readonly level: string; readonly event: string; readonly fields: unknown }[];
  readonly stop: () => Promise<void>;
};

/** Short pauses, so that a test sees a link come back without waiting for it. */
export const quickPace: Partial<LinkPace> = {
  retryFirstMs: 10,
  retryMostMs: 50,
  steadyAfterMs: 200,
  replacedPauseMs: 300,
  firstLookMs: 50,
  lookAgainMs: 50,
  welcomeLimitMs: 2_000,
  silenceGraceMs: 100,
  renewRetryFirstMs: 20,
  renewRetryMostMs: 100,
};

/** A spoke's link loop, running until `stop`; whatever `hub` is, real or in memory. */
export function runSpokeLink(
  state: SpokeState,
  hub: LinkLoopNeeds["hub"],
  given: {
    readonly invitation?: () => Invitation | undefined;
    readonly pace?: Partial<LinkPace>;
    readonly clock?: Clock;
    readonly random?: () => number;
    /** Blobs that are written or read otherwise than the state's. */
    readonly blobs?: Partial<LinkLoopNeeds["blobs"]>;
    /** A real disk instead of the state's. */
    readonly disk?: Pick<LinkLoopNeeds, "disk" | "blobs">;
    /** For certificates that are none. */
    readonly certificateLife?: LinkLoopNeeds["certificateLife"];
  } = {},
): RunningSpokeLink {
  const { invitation = () => undefined, clock = systemClock, random = Math.random } = given;
  const heldSeen: HeldSet[] = [];
  const commands: Command[] = [];
  const lines: RunningSpokeLink["log"] = [];
  const stopping = new AbortController();
  const loop = createLinkLoop(
    {
      hub,
      identity: {
        read: async () => state.identity,
        write: async (identity) => {
          state.writes.push(identity.certificatePem === undefined ? "key" : "certificate");
          state.identity = identity;
        },
      },
      invitation: async () => invitation(),
      newPrivateKey: newPrivateKeyPem,
      certificateLife: given.certificateLife ?? certificateLife,
      disk: {
        read: async () => state.held,
        write: async (held) => {
          state.writes.push("held");
          state.held = held;
        },
      },
      blobs: {
        has: async (digest) => state.blobs.has(digest),
        read: async (digest) => state.blobs.get(digest),
        write: async ({ digest, bytes }) => {
          state.writes.push("blob");
          state.blobs.set(digest, bytes);
        },
        keepOnly: async (digests) => {
          for (const digest of state.blobs.keys())
            if (!digests.has(digest)) state.blobs.delete(digest);
        },
        ...given.blobs,
      },
      ...given.disk,
      kubernetesVersion: async () => "v1.35.0",
      onHeld: (held) => heldSeen.push(held),
      onCommand: (command) => commands.push(command),
      clock,
      random,
      log: listLog(lines),
    },
    { spokeVersion: "0.1.0", bootId: randomUUID(), pace: { ...quickPace, ...given.pace } },
  );
  const running = loop.run(stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    loop,
    heldSeen,
    commands,
    log: lines,
    async stop() {
      stopping.abort(new Error("the test is over"));
      await running;
    },
  };
}

/** The real client, dialing a real address. */
export function realHub(address: string): LinkLoopNeeds["hub"] {
  const client = createHubClient({
    address,
    spokeVersion: "0.1.0",
    connectMs: 2_000,
    callMs: 2_000,
  });
  return { ...client, explain: explainLoss };
}

function listLog(lines: RunningSpokeLink["log"], bound: object = {}): Log {
  const at =
    (level: string): Log["info"] =>
    (event, fields) => {
      lines.push({ level, event, fields: { ...bound, ...fields } });
    };
  return {
    ...silentLog,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => listLog(lines, { ...bound, ...fields }),
  };
}
