import type { ConditionReport, OperationReport } from "../../proto/words/report.ts";
import type { DesiredApplication, SyncPolicy, TombstoneCause } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Health, HealthState } from "../../proto/words/health.ts";
import type { ApplicationName, ClusterId, ClusterName, Generation } from "../../proto/words/ids.ts";
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

/** How many applications are in which state. Absent keys are zero. */
export type StatusCounts = {
  readonly total: number;
  readonly sync: Readonly<Partial<Record<SyncStatus, number>>>;
  readonly health: Readonly<Partial<Record<HealthState, number>>>;
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
