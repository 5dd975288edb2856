import type { Blob } from "../../proto/words/bundle.ts";
import type { DesiredChange } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type {
  ApplicationName,
  ClusterId,
  Epoch,
  Generation,
  Version,
} from "../../proto/words/ids.ts";
import type { Command, CommandResult } from "../../proto/words/link-messages.ts";
import type { SetState } from "../domain/offer.ts";

/** What a session needs of the store. Every function is durable when it resolves. */
export type AttachStore = {
  readonly sessions: {
    readonly open: (
      session: {
        readonly cluster: ClusterId;
        readonly sessionId: string;
        readonly epochSeen: Epoch;
        readonly heldVersion: Version;
        readonly spokeVersion: string;
        readonly kubernetesVersion: string;
        readonly atMs: number;
      },
      signal: AbortSignal,
    ) => Promise<{
      readonly epoch: Epoch;
      readonly desiredVersion: Version;
      readonly desiredRoot: Digest;
      readonly statusRoot: Digest;
    }>;
    readonly close: (
      cluster: ClusterId,
      sessionId: string,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<void>;
  };
  readonly desiredSets: {
    readonly current: (cluster: ClusterId, signal: AbortSignal) => Promise<SetState>;
    readonly changeSince: (
      cluster: ClusterId,
      base: Version,
      signal: AbortSignal,
    ) => Promise<DesiredChange | undefined>;
    readonly changeAgainst: (
      cluster: ClusterId,
      held: ReadonlyMap<ApplicationName, Digest>,
      signal: AbortSignal,
    ) => Promise<DesiredChange>;
    readonly recordStored: (
      cluster: ClusterId,
      version: Version,
      root: Digest,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<void>;
    readonly recordRemoved: (
      cluster: ClusterId,
      application: ApplicationName,
      generation: Generation,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<void>;
    readonly lackingBlobs: (
      cluster: ClusterId,
      applications: readonly ApplicationName[],
      limits: { readonly blobBytesMost: number; readonly totalBytesMost: number },
      signal: AbortSignal,
    ) => Promise<readonly Blob[]>;
  };
  readonly reports: {
    /** The root of the reports held of a cluster. */
    readonly statusRoot: (cluster: ClusterId, signal: AbortSignal) => Promise<Digest>;
  };
  readonly commands: {
    readonly waiting: (
      cluster: ClusterId,
      nowMs: number,
      signal: AbortSignal,
    ) => Promise<readonly Command[]>;
    readonly finish: (
      cluster: ClusterId,
      result: CommandResult,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<boolean>;
  };
};
