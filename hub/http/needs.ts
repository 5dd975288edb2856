import type { AllowanceSettings } from "../../proto/kit/allowance.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import type { Histogram } from "../../proto/kit/metrics.ts";
import type { Result } from "../../proto/kit/result.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { ResourceReport } from "../../proto/words/report.ts";
import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { CommandRecord } from "../domain/command-record.ts";
import type { ClusterFact } from "../domain/facts.ts";
import type { FleetResource } from "../domain/fleet-resource.ts";
import type {
  ApplicationFilter,
  ApplicationSort,
  ClusterFilter,
  Page,
  PageRequest,
  ResourceFilter,
} from "../domain/queries.ts";
import type {
  ApplicationRecord,
  ApplicationSetRecord,
  FleetEvent,
  Labels,
  StatusCounts,
} from "../domain/records.ts";
import type { RepositoryRecord } from "../domain/repository-record.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import type { TokenRecord } from "../domain/token-record.ts";

/** What the HTTP API asks of the store: the same names and shapes as hub/store, and no more than it uses. */
export type HttpStore = {
  readonly hub: { readonly id: (signal: AbortSignal) => Promise<string> };
  readonly clusters: {
    readonly add: (
      draft: ClusterFact,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<
      Result<ClusterRecord, { readonly kind: "name-taken" } | { readonly kind: "server-taken" }>
    >;
    readonly find: (name: ClusterName, signal: AbortSignal) => Promise<ClusterRecord | undefined>;
    readonly list: (
      filter: ClusterFilter,
      page: PageRequest,
      signal: AbortSignal,
    ) => Promise<Page<ClusterRecord>>;
    readonly setMetadata: (
      name: ClusterName,
      change: { readonly labels?: Labels; readonly annotations?: Labels },
      atMs: number,
      signal: AbortSignal,
    ) => Promise<ClusterRecord | undefined>;
    readonly remove: (
      name: ClusterName,
      actor: string,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<boolean>;
  };
  readonly identities: {
    readonly lock: (
      name: ClusterName,
      why: string,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<boolean>;
    readonly unlock: (
      name: ClusterName,
      actor: string,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<boolean>;
    readonly cutOff: (
      name: ClusterName,
      actor: string,
      atMs: number,
      signal: AbortSignal,
    ) => Promise<boolean>;
  };
  readonly applicationSets: {
    readonly find: (name: string, signal: AbortSignal) => Promise<ApplicationSetRecord | undefined>;
    readonly rollout: (
      name: string,
      most: number,
      signal: AbortSignal,
    ) => Promise<readonly RolloutStatus[]>;
    readonly list: (
      filter: { readonly text?: string; readonly project?: string; readonly troubled?: boolean },
      page: PageRequest,
      signal: AbortSignal,
    ) => Promise<Page<ApplicationSetRecord>>;
  };
  readonly applications: {
    readonly find: (
      name: ApplicationName,
      signal: AbortSignal,
    ) => Promise<ApplicationRecord | undefined>;
    readonly list: (
      filter: ApplicationFilter,
      sort: { readonly by: ApplicationSort; readonly descending: boolean },
      page: PageRequest,
      signal: AbortSignal,
    ) => Promise<Page<ApplicationRecord>>;
    readonly resources: (
      name: ApplicationName,
      signal: AbortSignal,
    ) => Promise<readonly ResourceReport[]>;
  };
  readonly fleet: {
    readonly summary: (
      groupBy: string | undefined,
      signal: AbortSignal,
    ) => Promise<readonly SummaryGroup[]>;
    readonly resources: (
      filter: ResourceFilter,
      page: PageRequest,
      signal: AbortSignal,
    ) => Promise<Page<FleetResource>>;
  };
  readonly repositories: {
    readonly find: (url: string, signal: AbortSignal) => Promise<RepositoryRecord | undefined>;
    readonly list: (signal: AbortSignal) => Promise<readonly RepositoryRecord[]>;
  };
  readonly blobs: {
    readonly read: (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  };
  readonly commands: {
    readonly find: (id: string, signal: AbortSignal) => Promise<CommandRecord | undefined>;
  };
  readonly tokens: {
    readonly create: (
      token: TokenRecord & { readonly secretHash: Digest },
      signal: AbortSignal,
    ) => Promise<void>;
    readonly findBySecret: (
      secretHash: Digest,
      nowMs: number,
      signal: AbortSignal,
    ) => Promise<TokenRecord | undefined>;
    readonly list: (signal: AbortSignal) => Promise<readonly TokenRecord[]>;
    readonly revoke: (id: string, atMs: number, signal: AbortSignal) => Promise<boolean>;
  };
  readonly events: EventSource;
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
};

export type SummaryGroup = {
  readonly value: string;
  readonly clusters: { readonly total: number; readonly attached: number };
  readonly applications: StatusCounts;
};

/** A commit of the fleet repository that is in force, as far as each of its documents allows. */
export type Published = { readonly commit: string; readonly atMs: number };

export type EventSource = {
  readonly since: (
    sequence: number,
    most: number,
    signal: AbortSignal,
  ) => Promise<readonly FleetEvent[]>;
  readonly latest: (signal: AbortSignal) => Promise<number>;
  readonly oldest: (signal: AbortSignal) => Promise<number>;
  readonly onAppend: (listener: () => void) => () => void;
};

export type SyncOrder = {
  readonly application: ApplicationRecord;
  readonly cluster: ClusterName;
  readonly prune: boolean;
  /** Who asks, as it is recorded: `token:<name>`. */
  readonly actor: string;
};

export type ClustersChange = { readonly id: ClusterId; readonly name: ClusterName } & (
  | { readonly kind: "added" | "relabelled" | "removed" }
  /** Its spoke is not let in any more, with the identity it has or with any. */
  | { readonly kind: "cut-off" }
  | { readonly kind: "locked"; readonly why: string }
);

/** Everything outside that the HTTP API stands on. */
export type HttpNeeds = {
  readonly store: HttpStore;
  /** The newest commit that went through publishing whole; `undefined` before the first. */
  readonly published: () => Published | undefined;
  /** Records a durable sync command for the application's generation, and wakes its session. */
  readonly requestSync: (order: SyncOrder, signal: AbortSignal) => Promise<CommandRecord>;
  /** Looks at the application's repository again and, when it has a cluster, has the spoke compare anew. */
  readonly refreshApplication: (
    order: Omit<SyncOrder, "prune" | "cluster"> & { readonly cluster: ClusterName | undefined },
    signal: AbortSignal,
  ) => Promise<CommandRecord | undefined>;
  /** Has a repository looked at soon; `url` as the store spells it. Returns at once. */
  readonly wakeRepository: (url: string) => void;
  /** Makes and records a join token that is good for `lifeMs`. */
  readonly issueJoinToken: (
    cluster: ClusterId,
    lifeMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** Told after the fact: generation depends on clusters and labels, sessions on clusters that exist. */
  readonly clustersChanged: (change: ClustersChange) => void;
  readonly metricsExposition: () => Promise<{
    readonly contentType: string;
    readonly text: string;
  }>;
  /** Labels: `route`, `method`, `status`. */
  readonly requestSeconds: Histogram;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly newClusterId: () => ClusterId;
  readonly clock: Clock;
  readonly log: Log;
};

export type HttpSettings = {
  readonly version: string;
  /** What join commands carry. */
  readonly join: {
    readonly hubAddress: string;
    readonly hubFingerprint: string;
    readonly spokeImage: string;
    readonly spokeChart: { readonly reference: string; readonly version: string };
    /** Life of a join token unless the request says otherwise. */
    readonly tokenLifeMs: number;
  };
  /** What pushes are signed with; `undefined` refuses every webhook. */
  readonly webhookSecret: string | undefined;
  /** Whether `/metrics` answers without a token. */
  readonly metricsOpen: boolean;
  readonly bodyBytesMost: number;
  /** How often requests of one network may be refused for their token or signature. */
  readonly refusals: AllowanceSettings;
  /** A request that takes longer is given up, event streams aside. */
  readonly requestMsMost: number;
  readonly events: {
    readonly heartbeatMs: number;
    /** A reader that takes nothing for this long is dropped. */
    readonly stallMsMost: number;
    readonly streamsMost: number;
  };
};

export const defaultHttpLimits = {
  metricsOpen: false,
  bodyBytesMost: 1024 * 1024,
  refusals: { burst: 30, perSecond: 0.5 },
  requestMsMost: 30_000,
  events: { heartbeatMs: 15_000, stallMsMost: 30_000, streamsMost: 500 },
} as const;
