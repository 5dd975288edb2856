import type { Selectable } from "kysely";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ApplicationStatus } from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import { statusFromRow } from "./application-status.ts";
import { eachPiece, pieces, rowsAtOnce, type Database, type Db } from "./database.ts";
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
  const rows = await statusesAfter(db, set, "", most);
  return rows.map(statusOf);
}

/** Everything publishing asks about the rollout of a set. In pieces, so that a large set holds nobody up. */
export async function readRolloutRecord(
  database: Database,
  set: string,
  signal: AbortSignal,
): Promise<RolloutRecord> {
  const statuses: RolloutStatus[] = [];
  await eachPiece(
    (after) => database.read((db) => statusesAfter(db, set, after, rowsAtOnce), signal),
    (row) => {
      statuses.push(statusOf(row));
      return row.application;
    },
  );
  const reported = new Map<ApplicationName, ApplicationStatus>();
  await eachPiece(
    (after) => database.read((db) => applicationsAfter(db, set, after), signal),
    (row) => {
      reported.set(row.name, statusFromRow(row));
      return row.name;
    },
  );
  const left = await database.read(
    (db) =>
      db
        .selectFrom("rollout_statuses as r")
        .innerJoin("tombstones as t", "t.application", "r.application")
        .select("r.application")
        .where("r.set_name", "=", set)
        .where("t.carried_out_at_ms", "is", null)
        .execute(),
    signal,
  );
  return { statuses, reported, leaving: new Set(left.map(({ application }) => application)) };
}

const statusesAfter = (db: Db, set: string, after: string, most: number) =>
  db
    .selectFrom("rollout_statuses")
    .selectAll()
    .where("set_name", "=", set)
    .where("application", ">", after as ApplicationName)
    .orderBy("application")
    .limit(most)
    .execute();

const applicationsAfter = (db: Db, set: string, after: string) =>
  db
    .selectFrom("applications")
    .selectAll()
    .where("origin_kind", "=", "application-set")
    .where("origin_name", "=", set)
    .where("name", ">", after as ApplicationName)
    .orderBy("name")
    .limit(rowsAtOnce)
    .execute();

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
