import { healthStates, type HealthState } from "../../proto/words/health.ts";
import { syncStatuses, type SyncStatus } from "../../proto/words/sync-status.ts";
import type {
  ApplicationReport,
  ConditionReport,
  OperationReport,
} from "../../proto/words/report.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Origin } from "../domain/origin.ts";
import type { ApplicationStatus } from "../domain/records.ts";
import type { CountedApplication, CountLedger } from "./counts.ts";
import type { Db } from "./database.ts";
import { readJson, writeJson } from "./json.ts";
import type { StatusColumns } from "./tables.ts";

export const syncRank = (status: SyncStatus): number => syncStatuses.indexOf(status);

export const healthRank = (state: HealthState): number => healthStates.indexOf(state);

/** Before the first report. */
export const unreported: StatusColumns = {
  sync_status: "Unknown",
  sync_rank: syncRank("Unknown"),
  health: "Unknown",
  health_rank: healthRank("Unknown"),
  health_message: "",
  stored_generation: 0,
  applied_generation: 0,
  healthy_generation: 0,
  applied_revision: "",
  operation: null,
  conditions: "[]",
  reported_at_ms: null,
  report_digest: null,
};

/** Of an application whose newest generation its cluster has not got yet: whatever was synced is so no more. */
export const fallenBehind = {
  sync_status: "OutOfSync",
  sync_rank: syncRank("OutOfSync"),
} as const;

/** `generation` is the one offered now: a report that does not know it cannot say that it is synced. */
export const statusToRow = (
  report: ApplicationReport,
  digest: Digest,
  generation: number,
  atMs: number,
): StatusColumns => ({
  sync_status: report.syncStatus,
  sync_rank: syncRank(report.syncStatus),
  health: report.health.state,
  health_rank: healthRank(report.health.state),
  health_message: report.health.message,
  stored_generation: report.storedGeneration,
  applied_generation: report.appliedGeneration,
  healthy_generation: report.healthyGeneration,
  applied_revision: report.appliedRevision,
  operation: report.operation === undefined ? null : writeJson(report.operation),
  conditions: writeJson(report.conditions),
  reported_at_ms: atMs,
  report_digest: digest,
  ...(report.syncStatus === "Synced" && report.storedGeneration < generation ? fallenBehind : {}),
});

export const statusFromRow = (row: StatusColumns): ApplicationStatus => ({
  syncStatus: row.sync_status,
  health: { state: row.health, message: row.health_message },
  storedGeneration: row.stored_generation,
  appliedGeneration: row.applied_generation,
  healthyGeneration: row.healthy_generation,
  appliedRevision: row.applied_revision,
  operation: row.operation === null ? undefined : operationFromJson(row.operation),
  conditions: readJson(row.conditions) as readonly ConditionReport[],
  reportedAtMs: row.reported_at_ms ?? undefined,
});

/** JSON has no place for "still running". */
function operationFromJson(text: string): OperationReport {
  const operation = readJson(text) as Omit<OperationReport, "finishedAtMs"> & {
    finishedAtMs?: number;
  };
  return { ...operation, finishedAtMs: operation.finishedAtMs };
}

type CountedRow = {
  readonly origin_kind: Origin["kind"];
  readonly origin_name: string;
  readonly cluster_key: number | null;
  readonly sync_status: SyncStatus;
  readonly health: HealthState;
};

export const countedFromRow = (row: CountedRow): CountedApplication => ({
  clusterKey: row.cluster_key ?? undefined,
  set: row.origin_kind === "application-set" ? row.origin_name : undefined,
  syncStatus: row.sync_status,
  health: row.health,
});

/** A cluster goes: its applications have no cluster, no status and no resources from now on. */
export async function applicationsLeave(
  db: Db,
  counts: CountLedger,
  clusterKey: number,
): Promise<void> {
  const rows = await db
    .selectFrom("applications")
    .select(["origin_kind", "origin_name", "cluster_key", "sync_status", "health"])
    .where("cluster_key", "=", clusterKey)
    .execute();
  for (const row of rows) {
    const before = countedFromRow(row);
    counts.application(before, {
      clusterKey: undefined,
      set: before.set,
      syncStatus: unreported.sync_status,
      health: unreported.health,
    });
  }
  await db.deleteFrom("resources").where("cluster_key", "=", clusterKey).execute();
  // The empty digest makes the next publication write the application, whatever it says.
  await db
    .updateTable("applications")
    .set({ cluster_key: null, cluster_name: "", draft_digest: "", ...unreported })
    .where("cluster_key", "=", clusterKey)
    .execute();
  await db
    .updateTable("applications")
    .set({ drafted_cluster_key: null, draft_digest: "" })
    .where("drafted_cluster_key", "=", clusterKey)
    .execute();
}
