import { digestOf, type Digest } from "./digest.ts";
import type { Health, HealthState } from "./health.ts";
import type { ApplicationName, Generation } from "./ids.ts";
import type { ObjectKey } from "./object-key.ts";
import type { SyncStatus } from "./sync-status.ts";

/** One object of an application as a spoke sees it. Never holds a value of a Secret. */
export type ResourceReport = {
  readonly key: ObjectKey;
  /** API version without the group: `v1`. */
  readonly version: string;
  readonly syncStatus: SyncStatus;
  /** `undefined` for kinds without a health check. */
  readonly health: HealthState | undefined;
  /** Why it is not well or not in sync; empty when there is nothing to say. */
  readonly message: string;
  /** Images of its containers, as written, without repeats, sorted. */
  readonly images: readonly string[];
  /** Owned, gone from the bundle, and still in the cluster. */
  readonly awaitsPrune: boolean;
};

export const operationPhases = ["Running", "Succeeded", "Failed"] as const;

export type OperationPhase = (typeof operationPhases)[number];

/** The last sync of an application in one cluster. */
export type OperationReport = {
  readonly phase: OperationPhase;
  readonly generation: Generation;
  readonly message: string;
  readonly startedAtMs: number;
  /** `undefined` while it runs. */
  readonly finishedAtMs: number | undefined;
};

/** Something an operator should know about an application, with a stable code. */
export type ConditionReport = { readonly code: string; readonly message: string };

/** The newest state of one application in one cluster. Replaces every older report of it. */
export type ApplicationReport = {
  readonly application: ApplicationName;
  /** The newest generation the spoke has stored; while it is being removed, one less than that of the order. */
  readonly storedGeneration: Generation;
  /** The newest generation whose sync succeeded; 0 for none. */
  readonly appliedGeneration: Generation;
  /** The newest generation seen Healthy after it was applied; 0 for none. */
  readonly healthyGeneration: Generation;
  /** The commit of the applied generation; empty for none. */
  readonly appliedRevision: string;
  readonly syncStatus: SyncStatus;
  readonly health: Health;
  readonly operation: OperationReport | undefined;
  readonly conditions: readonly ConditionReport[];
  /** Sorted by key. */
  readonly resources: readonly ResourceReport[];
};

/** Identity of a report, so that both sides can tell whether the hub holds the newest. */
export const reportDigest = (report: ApplicationReport): Digest =>
  digestOf({
    application: report.application,
    generations: [report.storedGeneration, report.appliedGeneration, report.healthyGeneration],
    revision: report.appliedRevision,
    syncStatus: report.syncStatus,
    health: { ...report.health },
    operation:
      report.operation === undefined
        ? null
        : { ...report.operation, finishedAtMs: report.operation.finishedAtMs ?? null },
    conditions: report.conditions.map((condition) => ({ ...condition })),
    resources: report.resources.map((resource) => ({
      ...resource,
      health: resource.health ?? null,
    })),
  });
