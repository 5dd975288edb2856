import type { ConditionReport, OperationReport, ResourceReport } from "../../proto/words/report.ts";
import type { DesiredApplication, SyncPolicy, TombstoneCause } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Health, HealthState } from "../../proto/words/health.ts";
import type {
  ApplicationName,
  ClusterId,
  ClusterName,
  Generation,
  Version,
} from "../../proto/words/ids.ts";
import type { CommandKind } from "../../proto/words/link-messages.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { Origin } from "./origin.ts";
import type { SetCondition } from "./set-status.ts";

/** What the hub remembers, as nouns. The store keeps them; loops write them; the HTTP API shows them. */

/** A readable reason why something is not as Git says, with a stable code (`WH-…`, see docs/troubleshooting.md). */
export type Problem = {
  readonly code: string;
  readonly message: string;
  /** Since when it has been this same problem. */
  readonly sinceMs: number;
};

export type Labels = Readonly<Record<string, string>>;

export type ClusterConnection =
  /** Registered, and no spoke has ever enrolled. */
  | { readonly kind: "never-joined" }
  | { readonly kind: "attached"; readonly sinceMs: number }
  | { readonly kind: "detached"; readonly sinceMs: number };

export type ClusterRecord = {
  readonly id: ClusterId;
  readonly name: ClusterName;
  /** What templates see as `server` and destinations may name; `defaultServer` where nobody says. */
  readonly server: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly createdAtMs: number;
  readonly connection: ClusterConnection;
  readonly lastSeenAtMs: number | undefined;
  readonly spokeVersion: string;
  readonly kubernetesVersion: string;
  readonly certificateExpiresAtMs: number | undefined;
  /** Why none of its identities is taken; `undefined` while they are. */
  readonly locked: { readonly sinceMs: number; readonly why: string } | undefined;
  /** The newest version of the desired set, and the newest the spoke says it has on disk. */
  readonly desiredVersion: Version;
  readonly storedVersion: Version;
  readonly applications: StatusCounts;
};

/** How many applications are in which state. Absent keys are zero. */
export type StatusCounts = {
  readonly total: number;
  readonly sync: Readonly<Partial<Record<SyncStatus, number>>>;
  readonly health: Readonly<Partial<Record<HealthState, number>>>;
};

export type RepositoryRecord = {
  readonly url: string;
  /** Where its branches are known to be: revision as asked for (`main`, `HEAD`, a tag) to commit. */
  readonly heads: Readonly<Record<string, string>>;
  readonly fetchedAtMs: number | undefined;
  readonly checkedAtMs: number | undefined;
  readonly problem: Problem | undefined;
};

export type ApplicationSetRecord = {
  readonly name: string;
  readonly project: string;
  /** File in the fleet repository, and the commit it was last read at. */
  readonly path: string;
  readonly commit: string;
  /** The document as written, as canonical JSON text. */
  readonly document: string;
  readonly generatedAtMs: number;
  readonly problem: Problem | undefined;
  /** What it was found to be when it was last generated; empty before it ever was. */
  readonly conditions: readonly SetCondition[];
  readonly applications: StatusCounts;
};

/** A place manifests come from, resolved. */
export type SourceRecord = {
  readonly repoURL: string;
  readonly path: string;
  readonly targetRevision: string;
};

export type ApplicationRecord = {
  readonly name: ApplicationName;
  readonly origin: Origin;
  readonly project: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly source: SourceRecord;
  /** The destination as written, and the cluster it names when there is one. */
  readonly destination: {
    readonly name: string;
    readonly server: string;
    readonly namespace: string;
  };
  readonly cluster: ClusterName | undefined;
  readonly policy: SyncPolicy;
  /** The Application as generated, as canonical JSON text. */
  readonly document: string;
  /** The commit whose rendering this is; empty before the first. */
  readonly revision: string;
  readonly generation: Generation;
  readonly bundle: Digest | undefined;
  readonly objects: number;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** Why Git's newest is not what is offered: template, render, destination. */
  readonly problem: Problem | undefined;
  readonly status: ApplicationStatus;
};

/** What the cluster says of an application. Before the first report: `Unknown`, generation 0. */
export type ApplicationStatus = {
  readonly syncStatus: SyncStatus;
  readonly health: Health;
  readonly storedGeneration: Generation;
  readonly appliedGeneration: Generation;
  readonly healthyGeneration: Generation;
  readonly appliedRevision: string;
  readonly operation: OperationReport | undefined;
  readonly conditions: readonly ConditionReport[];
  readonly reportedAtMs: number | undefined;
};

/** One object somewhere in the fleet. */
export type FleetResource = {
  readonly cluster: ClusterName;
  readonly application: ApplicationName;
  readonly resource: ResourceReport;
};

export type CommandRecord = {
  readonly id: string;
  readonly order: CommandKind;
  readonly application: ApplicationName;
  readonly cluster: ClusterName;
  readonly generation: Generation;
  readonly prune: boolean;
  readonly actor: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly state: "waiting" | "succeeded" | "failed" | "expired";
  readonly message: string;
  readonly finishedAtMs: number | undefined;
};

export const tokenScopes = ["read", "write"] as const;

export type TokenScope = (typeof tokenScopes)[number];

export type TokenRecord = {
  /** The public part, safe to show: `wht_<8 characters>`. */
  readonly id: string;
  readonly name: string;
  /** `write` includes `read`. */
  readonly scope: TokenScope;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
};

/** "Something about X changed": read X again. Sequence grows strictly, without going back. */
export type FleetEvent = {
  readonly sequence: number;
  readonly atMs: number;
  readonly kind: FleetEventKind;
  /** Name of the application, cluster, set or repository. */
  readonly subject: string;
  /** The cluster it happened in; empty when that says nothing. */
  readonly cluster: string;
  /** One sentence. */
  readonly message: string;
};

export const fleetEventKinds = [
  "application-created",
  "application-changed",
  "application-removed",
  "application-status",
  "application-problem",
  "set-changed",
  "set-problem",
  "repository-fetched",
  "repository-problem",
  "cluster-added",
  "cluster-changed",
  "cluster-attached",
  "cluster-detached",
  "cluster-removed",
  "cluster-locked",
  "cluster-unlocked",
  "cluster-cut-off",
  "command-created",
  "command-finished",
] as const;

export type FleetEventKind = (typeof fleetEventKinds)[number];

export type FleetEventDraft = Omit<FleetEvent, "sequence" | "atMs">;

/**
 * A spoke holds a newer generation of an application than the one it is offered, or than the order to remove
 * it: the hub was restored from a backup.
 */
export type Overtaking = {
  readonly what: "offer" | "removal";
  readonly cluster: ClusterId;
  readonly application: ApplicationName;
  /** The one the spoke holds. */
  readonly generation: Generation;
};

/** One step of recording what an origin generated. */
export type ApplicationChange =
  | {
      readonly kind: "write";
      readonly record: ApplicationDraft;
      /** `undefined` keeps what the cluster was offered before: a problem, or an unknown destination. */
      readonly desired:
        | { readonly cluster: ClusterId; readonly entry: DesiredApplication }
        | undefined;
      /** The cluster it leaves, when its destination changed. */
      readonly leaves: TombstoneDraft | undefined;
      /** Whose it has been so far, when it is taken over. */
      readonly takenFrom?: Origin;
    }
  | {
      readonly kind: "remove";
      readonly name: ApplicationName;
      readonly tombstone: TombstoneDraft | undefined;
    };

/** All of an ApplicationRecord that publishing decides. */
export type ApplicationDraft = Omit<
  ApplicationRecord,
  "status" | "createdAtMs" | "changedAtMs" | "cluster"
> & {
  readonly clusterId: ClusterId | undefined;
  /** Whether removal leaves the objects in the cluster: no finalizer, or the set preserves resources. */
  readonly keepObjects: boolean;
};

export type TombstoneDraft = {
  readonly cluster: ClusterId;
  readonly application: ApplicationName;
  readonly generation: Generation;
  readonly cause: TombstoneCause;
  readonly actor: string;
  readonly keepObjects: boolean;
};

/** What publishing knows of an application from before. */
export type PublishedApplication = {
  readonly draft: ApplicationDraft;
  /** The entry now offered, and to which cluster. */
  readonly desired: { readonly cluster: ClusterId; readonly entry: DesiredApplication } | undefined;
};
