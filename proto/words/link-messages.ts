import type { Blob } from "./bundle.ts";
import type { DesiredChange } from "./desired.ts";
import type { Digest } from "./digest.ts";
import type { ApplicationName, Epoch, Generation, Version } from "./ids.ts";
import type { ApplicationReport } from "./report.ts";

/** Protocol numbers this code speaks. */
export const protocolLeast = 1;
export const protocolMost = 1;

export type Hello = {
  readonly kind: "hello";
  readonly protocolLeast: number;
  readonly protocolMost: number;
  readonly capabilities: readonly string[];
  readonly spokeVersion: string;
  /** New at every start of the process. */
  readonly bootId: string;
  readonly heldVersion: Version;
  readonly heldRoot: Digest;
  readonly statusRoot: Digest;
  readonly epochSeen: Epoch;
  readonly clockMs: number;
  readonly kubernetesVersion: string;
};

export type Ack =
  /** Everything up to `version` is on the spoke's disk, blobs included. Cumulative. */
  | { readonly kind: "stored"; readonly version: Version; readonly root: Digest }
  | {
      readonly kind: "applied";
      readonly application: ApplicationName;
      readonly generation: Generation;
    }
  | {
      readonly kind: "healthy";
      readonly application: ApplicationName;
      readonly generation: Generation;
      readonly atMs: number;
    }
  /** The tombstone was carried out. */
  | {
      readonly kind: "removed";
      readonly application: ApplicationName;
      readonly generation: Generation;
    };

export type Report = {
  readonly kind: "report";
  /** Grows within one session. */
  readonly sequence: number;
  readonly applications: readonly ApplicationReport[];
  readonly gone: readonly ApplicationName[];
};

export type Heartbeat = {
  readonly kind: "heartbeat";
  /** `undefined`: what the last message said. */
  readonly desiredRoot: Digest | undefined;
  readonly statusRoot: Digest | undefined;
  readonly desiredVersion: Version;
};

export type CommandResult = {
  readonly kind: "command-result";
  readonly id: string;
  readonly succeeded: boolean;
  readonly message: string;
};

/** What a spoke says on the stream. */
export type SpokeMessage =
  | Hello
  | { readonly kind: "ack"; readonly ack: Ack }
  | Report
  | Heartbeat
  | {
      readonly kind: "desired-digests";
      readonly digests: ReadonlyMap<ApplicationName, Digest>;
    }
  | CommandResult;

export type Welcome = {
  readonly kind: "welcome";
  readonly protocol: number;
  readonly sessionId: string;
  readonly desiredVersion: Version;
  readonly desiredRoot: Digest;
  readonly statusRoot: Digest;
  readonly heartbeatMs: number;
  readonly clockMs: number;
};

export const commandKinds = ["sync", "refresh"] as const;

export type CommandKind = (typeof commandKinds)[number];

/** A durable order, executed at most once by id. */
export type Command = {
  readonly kind: "command";
  /** A ULID. */
  readonly id: string;
  readonly order: CommandKind;
  readonly application: ApplicationName;
  /** Void unless the spoke holds this generation; 0 for any. */
  readonly generation: Generation;
  readonly prune: boolean;
  readonly expiresAtMs: number;
};

export type GoAwayReason = "replaced" | "draining" | "untrusted";

/** What a hub says on the stream. */
export type HubMessage =
  | Welcome
  | {
      readonly kind: "desired";
      readonly change: DesiredChange;
      /** Small blobs the spoke is likely to lack. */
      readonly blobs: readonly Blob[];
    }
  | { readonly kind: "desired-digests-wanted" }
  | Command
  | Heartbeat
  | { readonly kind: "report-recorded"; readonly sequence: number }
  | { readonly kind: "go-away"; readonly reason: GoAwayReason; readonly reconnectAfterMs: number };

/** A hub's message with the fencing epoch of the session it was sent in. */
export type FencedMessage = { readonly epoch: Epoch; readonly message: HubMessage };
