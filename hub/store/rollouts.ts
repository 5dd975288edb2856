import type { Selectable } from "kysely";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ApplicationStatus } from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import { statusFromRow } from "./application-status.ts";
import { pieces, type Db } from "./database.ts";
import { readJson, writeJson } from "./json.ts";
import type { Tables } from "./tables.ts";

const statusOf = (row: Selectable<Tables["rollout_statuses"]>): RolloutStatus => ({
  application: row.application,
  status: row.status,
  step: row.step,
  message: row.message,
  targetRevisions: readJson(row.target_revisions) as readonly string[],
  sinceMs: row.since_ms ?? undefined,
});

/** The statuses of a set by name, no more than `most`. */
export async function readRollout(
  db: Db,
  set: string,
  most: number,
): Promise<readonly RolloutStatus[]> {
  const rows = await db
    .selectFrom("rollout_statuses")
    .selectAll()
    .where("set_name", "=", set)
    .orderBy("application")
    .limit(most)
    .execute();
  return rows.map(statusOf);
}

/** Everything publishing asks about the rollout of a set. */
export async function readRolloutRecord(db: Db, set: string): Promise<RolloutRecord> {
  const statuses = await readRollout(db, set, Number.MAX_SAFE_INTEGER);
  const applications = await db
    .selectFrom("applications")
    .selectAll()
    .where("origin_kind", "=", "application-set")
    .where("origin_name", "=", set)
    .execute();
  const reported = new Map<ApplicationName, ApplicationStatus>(
    applications.map((row) => [row.name, statusFromRow(row)]),
  );
  const left = await db
    .selectFrom("rollout_statuses as r")
    .innerJoin("tombstones as t", "t.application", "r.application")
    .select("r.application")
    .where("r.set_name", "=", set)
    .where("t.carried_out_at_ms", "is", null)
    .execute();
  return { statuses, reported, leaving: new Set(left.map(({ application }) => application)) };
}

/** Inside publishing's transaction. */
export async function writeRollout(db: Db, set: string, change: RolloutChange): Promise<void> {
  switch (change.kind) {
    case "unchanged":
      return;
    case "cleared":
      await db.deleteFrom("rollout_statuses").where("set_name", "=", set).execute();
      return;
    case "changed":
      for (const some of pieces(change.dropped))
        await db
          .deleteFrom("rollout_statuses")
          .where("set_name", "=", set)
          .where("application", "in", some)
          .execute();
      for (const status of change.written) await writeStatus(db, set, status);
  }
}

async function writeStatus(db: Db, set: string, status: RolloutStatus): Promise<void> {
  const row = {
    status: status.status,
    step: status.step,
    message: status.message,
    target_revisions: writeJson([...status.targetRevisions]),
    since_ms: status.sinceMs ?? null,
  };
  await db
    .insertInto("rollout_statuses")
    .values({ set_name: set, application: status.application, ...row })
    .onConflict((conflict) => conflict.columns(["set_name", "application"]).doUpdateSet(row))
    .execute();
}
