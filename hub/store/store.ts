import type { Bundle, Blob } from "../../proto/words/bundle.ts";
import type { Result } from "../../proto/kit/result.ts";
import type { DesiredChange } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type {
  ApplicationName,
  ClusterId,
  ClusterName,
  Epoch,
  Generation,
  Version,
} from "../../proto/words/ids.ts";
import type { Command, CommandKind, CommandResult } from "../../proto/words/link-messages.ts";
import type { ApplicationReport, ResourceReport } from "../../proto/words/report.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { ClusterFact } from "../domain/facts.ts";
import type {
  ApplicationFilter,
  ApplicationSetFilter,
  ApplicationSort,
  ClusterFilter,
  Page,
  PageRequest,
  ResourceFilter,
} from "../domain/queries.ts";
import type { Origin } from "../domain/origin.ts";
import type {
  ApplicationChange,
  ApplicationRecord,
  ApplicationSetRecord,
  ClusterRecord,
  CommandRecord,
  FleetEvent,
  FleetEventDraft,
  FleetResource,
  Labels,
  Overtaking,
  PublishedApplication,
  RepositoryRecord,
  StatusCounts,
  TokenRecord,
} from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import { createApplicationSets } from "./application-sets.ts";
import { createApplications } from "./applications.ts";
import { createBlobs } from "./blobs.ts";
import { createClusters } from "./clusters.ts";
import { createCommands } from "./commands.ts";
import { openDatabase, type DatabaseSettings } from "./database.ts";
import { createDesiredSets } from "./desired-sets.ts";
import { createEnrollments } from "./enrollments.ts";
import { createEvents } from "./events.ts";
import { createFleet } from "./fleet.ts";
import { createIdentities } from "./identities.ts";
import { createHubSettings } from "./hub-settings.ts";
import { createPublishing } from "./publishing.ts";
import { createReports } from "./reports.ts";
import { createRepositories } from "./repositories.ts";
import { createSessions } from "./sessions.ts";
import { createTokens } from "./tokens.ts";

/**
 * Everything the hub remembers.
 *
 * A write is durable, whole, and visible to every later read once its promise resolves; a write that throws
 * left nothing behind. Reads of several rows see one moment. All throw the signal's reason when it aborted
 * before they began, and `StoreUnavailable` (a Trouble) when the database cannot be used; lists throw
 * `BadCursor` for a cursor that is not theirs.
 */
export type Store = {
  readonly hub: {
    /** Random name of this hub, made once: 16 lower-case hexadecimal digits. */
    readonly id: (signal: AbortSignal) => Promise<string>;
  };
  readonly clusters: Clusters;
  readonly enrollments: Enrollments;
  readonly identities: Identities;
  readonly sessions: Sessions;
  readonly desiredSets: DesiredSets;
  readonly blobs: Blobs;
  readonly publishing: Publishing;
  readonly applicationSets: ApplicationSets;
  readonly applications: Applications;
  readonly reports: Reports;
  readonly fleet: Fleet;
  readonly repositories: Repositories;
  readonly commands: Commands;
  readonly tokens: Tokens;
  readonly events: Events;
  /** Throws `StoreUnavailable` when the store cannot be used. */
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
  /** Nothing may be asked afterwards. */
  readonly close: () => void;
};

export type Clusters = {
  /** `draft.id` must never have been used; `cluster-added` is appended. */
  readonly add: (
    draft: ClusterFact,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<
    Result<ClusterRecord, { readonly kind: "name-taken" } | { readonly kind: "server-taken" }>
  >;
  readonly find: (name: ClusterName, signal: AbortSignal) => Promise<ClusterRecord | undefined>;
  /** `undefined` also when it was removed. */
  readonly findById: (id: ClusterId, signal: AbortSignal) => Promise<ClusterRecord | undefined>;
  /** By name. */
  readonly list: (
    filter: ClusterFilter,
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<ClusterRecord>>;
  /** All that were not removed, sorted by name. */
  readonly facts: (signal: AbortSignal) => Promise<readonly ClusterFact[]>;
  /** Replaces whole maps. `cluster-changed` is appended when something differs. */
  readonly setMetadata: (
    name: ClusterName,
    change: { readonly labels?: Labels; readonly annotations?: Labels },
    atMs: number,
    signal: AbortSignal,
  ) => Promise<ClusterRecord | undefined>;
  /**
   * False when there is none. The name is free again, the id never is. Applications that pointed there lose
   * their cluster, status and resources; its certificates and join tokens are worth nothing any more.
   */
  readonly remove: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
};

export type Enrollments = {
  readonly createToken: (
    token: {
      readonly id: string;
      readonly secretHash: Digest;
      readonly cluster: ClusterId;
      readonly createdAtMs: number;
      readonly expiresAtMs: number;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  /**
   * Atomic. The same token with the same public key may be used again until it expires. A wrong secret and a
   * removed cluster are `unknown`, like a token nobody made.
   */
  readonly useToken: (
    use: {
      readonly id: string;
      readonly secretHash: Digest;
      readonly publicKey: Digest;
      readonly nowMs: number;
    },
    signal: AbortSignal,
  ) => Promise<
    Result<
      { readonly cluster: ClusterId; readonly name: ClusterName },
      | { readonly kind: "unknown" }
      | { readonly kind: "expired"; readonly atMs: number }
      | { readonly kind: "used"; readonly atMs: number }
      | { readonly kind: "locked"; readonly why: string }
    >
  >;
  /** Drops join tokens and certificates whose life ended before. Returns how many. */
  readonly forget: (endedBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

/** What the hub makes of a certificate that names this cluster. */
export type IdentityStanding =
  | { readonly kind: "trusted" }
  /** Not issued by us to this cluster, or the cluster is removed. */
  | { readonly kind: "unknown" }
  /** Cut off. */
  | { readonly kind: "void" }
  | { readonly kind: "locked"; readonly why: string };

/** What somebody had to show for a certificate: a join token, or the certificate before it. */
type IssuedFor =
  | { readonly kind: "token"; readonly id: string }
  | { readonly kind: "certificate"; readonly serial: string };

export type Identities = {
  /**
   * Gives the certificate the cluster's next number. False, and nothing recorded, when what it was issued
   * for is not good any more: the cluster was removed, locked or cut off since it was presented.
   */
  readonly recordCertificate: (
    certificate: {
      readonly cluster: ClusterId;
      readonly serial: string;
      readonly publicKey: Digest;
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
      readonly issuedFor: IssuedFor;
    },
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Of a certificate that was presented before and is still in use. */
  readonly standing: (
    cluster: ClusterId,
    serial: string,
    signal: AbortSignal,
  ) => Promise<IdentityStanding>;
  /**
   * Of a certificate that is presented now, which is remembered. An older one than the newest ever presented
   * locks the cluster: `cloned` the first time, `locked` from then on. `cluster-locked` is appended.
   */
  readonly present: (
    cluster: ClusterId,
    serial: string,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<IdentityStanding | { readonly kind: "cloned"; readonly why: string }>;
  /** No identity and no join token of the cluster is taken any more. False when there is no such cluster. */
  readonly lock: (
    name: ClusterName,
    why: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Takes the cluster's identities as before; the next one presented is the one in use. */
  readonly unlock: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Every certificate and join token made so far is void for good, and the lock is gone. */
  readonly cutOff: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
};

export type Sessions = {
  /**
   * Bumps the cluster's epoch to more than both its own and `epochSeen`. A `heldVersion` beyond ours means
   * that this hub was restored from an older copy: our version moves beyond it and no delta is offered.
   * A `heldVersion` behind what was stored means that the spoke lost its disk, and is believed.
   * Throws `UnknownCluster` for one that is not registered (any more).
   */
  readonly open: (
    session: {
      readonly cluster: ClusterId;
      readonly sessionId: string;
      readonly epochSeen: number;
      readonly heldVersion: number;
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
  /** No effect when a newer session is open. */
  readonly close: (
    cluster: ClusterId,
    sessionId: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /** At start-up: nobody is attached yet. */
  readonly closeAll: (atMs: number, signal: AbortSignal) => Promise<void>;
};

export type DesiredSets = {
  readonly current: (
    cluster: ClusterId,
    signal: AbortSignal,
  ) => Promise<{ readonly version: Version; readonly root: Digest }>;
  /**
   * `undefined`: changes since `base` are not retained, or `base` is not ours; ask for digests. From 0, the
   * tombstones that were carried out are left out.
   */
  readonly changeSince: (
    cluster: ClusterId,
    base: Version,
    signal: AbortSignal,
  ) => Promise<DesiredChange | undefined>;
  /**
   * What turns `held` into the desired set. `base` is 0 and means nothing. Tombstones that were never carried
   * out are included whatever is held: a spoke with a wiped disk still has the objects.
   */
  readonly changeAgainst: (
    cluster: ClusterId,
    held: ReadonlyMap<ApplicationName, Digest>,
    signal: AbortSignal,
  ) => Promise<DesiredChange>;
  /** The spoke has everything up to `version` on its disk, blobs included. */
  readonly recordStored: (
    cluster: ClusterId,
    version: Version,
    root: Digest,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /** The tombstone was carried out. No effect when the application has come back since. */
  readonly recordRemoved: (
    cluster: ClusterId,
    application: ApplicationName,
    generation: Generation,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /**
   * Blobs of these applications' bundles, lists included, that were not part of what this cluster had stored
   * for that application; smallest first, within the limits, without repeats.
   */
  readonly lackingBlobs: (
    cluster: ClusterId,
    applications: readonly ApplicationName[],
    limits: { readonly blobBytesMost: number; readonly totalBytesMost: number },
    signal: AbortSignal,
  ) => Promise<readonly Blob[]>;
  /** Drops tombstones carried out before. Deltas that would need them are refused from then on. Returns how many. */
  readonly forgetTombstones: (carriedOutBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

export type Blobs = {
  /**
   * One transaction. `blobs` holds what may be new; the bundle's own list need not be among them. Every other
   * blob of `entries` must be there or given. Returns how many blobs were new, the list included.
   */
  readonly putBundle: (
    bundle: Digest,
    blobs: readonly Blob[],
    entries: Bundle,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<number>;
  readonly hasBundle: (bundle: Digest, signal: AbortSignal) => Promise<boolean>;
  /** Only when an application offered to this cluster has a bundle that is, or lists, this blob. */
  readonly readFor: (
    cluster: ClusterId,
    digest: Digest,
    signal: AbortSignal,
  ) => Promise<Uint8Array | undefined>;
  /** For the hub itself. */
  readonly read: (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Drops bundles last put before that nobody is offered or has stored, then their blobs. Returns how many blobs. */
  readonly forgetUnused: (olderThanMs: number, signal: AbortSignal) => Promise<number>;
};

type Publication = {
  readonly origin: Origin;
  /**
   * For application sets: the newest row; "removed" deletes it; "unchanged" leaves it. Plain applications
   * pass "unchanged".
   */
  readonly set: Omit<ApplicationSetRecord, "applications"> | "removed" | "unchanged";
  readonly changes: readonly ApplicationChange[];
  /** Of a set's rollout; unchanged when it is left out. */
  readonly rollout?: RolloutChange;
  readonly events: readonly FleetEventDraft[];
  readonly atMs: number;
};

export type Publishing = {
  readonly origins: (signal: AbortSignal) => Promise<readonly Origin[]>;
  /** Sorted by name. */
  readonly published: (
    origin: Origin,
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  /** What is published under these names, whoever has them. */
  readonly named: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  /** Empty for a set without a rollout. */
  readonly rollout: (set: string, signal: AbortSignal) => Promise<RolloutRecord>;
  readonly owners: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<ApplicationName, Origin>>;
  /**
   * One transaction: the set's row, every change, versions and roots of the clusters touched, events.
   *
   * Generations only grow: an entry that differs from the one offered, and a tombstone, get a generation
   * beyond every one the application had in that cluster, also when the draft says less. An entry equal to
   * the one offered moves nothing. Whatever concerns a cluster that is removed is passed over. Throws
   * TypeError, and writes nothing, when an application would leave a cluster without a tombstone or take
   * the name of another origin's, unless the change says that it takes over from just that one.
   */
  readonly record: (
    publication: Publication,
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
  /** What is offered in an older generation than the one its cluster reported to hold. Reads all that is offered. */
  readonly overtaken: (signal: AbortSignal) => Promise<
    readonly (Overtaking & {
      /** Where the application's source is. */
      readonly repository: string;
      /** What is offered is the last good state, and not what Git says. */
      readonly hasProblem: boolean;
    })[]
  >;
  /**
   * Gives what is offered, or the order to remove it, a generation beyond the one the cluster holds. For when
   * what is offered is known to be what Git says. What has changed meanwhile is left alone.
   */
  readonly outnumber: (
    overtakings: readonly Overtaking[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
};

export type ApplicationSets = {
  readonly find: (name: string, signal: AbortSignal) => Promise<ApplicationSetRecord | undefined>;
  /** How far its rollout is, by application name; empty without one. */
  readonly rollout: (
    name: string,
    most: number,
    signal: AbortSignal,
  ) => Promise<readonly RolloutStatus[]>;
  /** By name. */
  readonly list: (
    filter: ApplicationSetFilter,
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<ApplicationSetRecord>>;
};

export type Applications = {
  readonly find: (
    name: ApplicationName,
    signal: AbortSignal,
  ) => Promise<ApplicationRecord | undefined>;
  /** Equals are ordered by name, in the same direction. */
  readonly list: (
    filter: ApplicationFilter,
    sort: { readonly by: ApplicationSort; readonly descending: boolean },
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<ApplicationRecord>>;
  /** Sorted by key; empty for an application nobody knows. */
  readonly resources: (
    name: ApplicationName,
    signal: AbortSignal,
  ) => Promise<readonly ResourceReport[]>;
};

export type Reports = {
  /**
   * One transaction for the batch. A report of an application that is not offered to this cluster is ignored.
   * `application-status` is appended when the sync status or the health state changed. Returns where a report
   * tells of a newer generation than the hub ever gave out.
   */
  readonly record: (
    batch: readonly {
      readonly cluster: ClusterId;
      readonly applications: readonly ApplicationReport[];
      readonly gone: readonly ApplicationName[];
    }[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<readonly Overtaking[]>;
  /** `desiredRoot` over name → `reportDigest` of the reports held. */
  readonly statusRoot: (cluster: ClusterId, signal: AbortSignal) => Promise<Digest>;
};

export type FleetGroup = {
  /** Value of the label; empty for what has none, and for the whole fleet. */
  readonly value: string;
  readonly clusters: { readonly total: number; readonly attached: number };
  readonly applications: StatusCounts;
};

export type Fleet = {
  /**
   * Counts kept up to date on write. Without `groupBy`, one group. With a cluster label's key, one group per
   * value, by value; clusters without it, and applications without a cluster, are under the empty value.
   */
  readonly summary: (
    groupBy: string | undefined,
    signal: AbortSignal,
  ) => Promise<readonly FleetGroup[]>;
  /** By application, then object key. */
  readonly resources: (
    filter: ResourceFilter,
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<FleetResource>>;
};

export type Repositories = {
  readonly record: (
    repository: RepositoryRecord,
    events: readonly FleetEventDraft[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly find: (url: string, signal: AbortSignal) => Promise<RepositoryRecord | undefined>;
  /** By URL. */
  readonly list: (signal: AbortSignal) => Promise<readonly RepositoryRecord[]>;
};

export type Commands = {
  /** Appends `command-created`. */
  readonly create: (
    command: {
      readonly id: string;
      readonly order: CommandKind;
      readonly application: ApplicationName;
      readonly cluster: ClusterId;
      readonly generation: Generation;
      readonly prune: boolean;
      readonly actor: string;
      readonly createdAtMs: number;
      readonly expiresAtMs: number;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  /** Oldest first, unexpired and unfinished. */
  readonly waiting: (
    cluster: ClusterId,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<readonly Command[]>;
  /** False: not this cluster's, or finished before. Appends `command-finished`. */
  readonly finish: (
    cluster: ClusterId,
    result: CommandResult,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Its state is "expired" from that time on, unless it finished before. */
  readonly find: (id: string, signal: AbortSignal) => Promise<CommandRecord | undefined>;
  /** Drops commands that expired before. Returns how many. */
  readonly forget: (expiredBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

export type Tokens = {
  readonly create: (
    token: TokenRecord & { readonly secretHash: Digest },
    signal: AbortSignal,
  ) => Promise<void>;
  /** `undefined` when revoked or expired. */
  readonly findBySecret: (
    secretHash: Digest,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<TokenRecord | undefined>;
  /** Oldest first, revoked ones included. */
  readonly list: (signal: AbortSignal) => Promise<readonly TokenRecord[]>;
  /** False: there is none, or it was revoked before. */
  readonly revoke: (id: string, atMs: number, signal: AbortSignal) => Promise<boolean>;
};

export type Events = {
  /** Those after `sequence`, oldest first. */
  readonly since: (
    sequence: number,
    most: number,
    signal: AbortSignal,
  ) => Promise<readonly FleetEvent[]>;
  /** The highest sequence; 0 for none. */
  readonly latest: (signal: AbortSignal) => Promise<number>;
  /** The lowest sequence still held; 0 for none. */
  readonly oldest: (signal: AbortSignal) => Promise<number>;
  /** Drops events from before, except the newest of all. Returns how many. */
  readonly forget: (olderThanMs: number, signal: AbortSignal) => Promise<number>;
  /** A hint, in this process, after each commit that appended something. Returns how to stop it. */
  readonly onAppend: (listener: () => void) => () => void;
};

type StoreSettings = DatabaseSettings & {
  /** Tells expired commands from waiting ones when they are shown. */
  readonly nowMs?: () => number;
};

/** Opens the store of a folder, makes it when there is none, and brings an older one to the newest shape. */
export async function openStore(settings: StoreSettings, log?: Log): Promise<Store> {
  const database = await openDatabase(settings, log);
  return {
    hub: createHubSettings(database),
    clusters: createClusters(database),
    enrollments: createEnrollments(database),
    identities: createIdentities(database),
    sessions: createSessions(database),
    desiredSets: createDesiredSets(database),
    blobs: createBlobs(database),
    publishing: createPublishing(database),
    applicationSets: createApplicationSets(database),
    applications: createApplications(database),
    reports: createReports(database),
    fleet: createFleet(database),
    repositories: createRepositories(database),
    commands: createCommands(database, settings.nowMs ?? Date.now),
    tokens: createTokens(database),
    events: createEvents(database),
    checkReady: database.checkReady,
    close: database.close,
  };
}
