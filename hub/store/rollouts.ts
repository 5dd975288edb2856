import type { Selectable } from "kysely";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { ApplicationStatus } from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import { statusFromRow } from "./application-status.ts";
import { eachPiece, pieces, rowsAtOnce, type Database, type Db, type Writing } from "./database.ts";
import { readJson, writeJson } from "./json.ts";
import { preparedRows } from "./prepared-rows.ts";
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

export type WriteRollout = (
  writing: Pick<Writing, "db" | "breathe">,
  set: string,
  change: RolloutChange,
) => Promise<void>;

/** Inside publishing's transaction. */
export function writerOfRollouts(db: Db): WriteRollout {
  const write = preparedRows((rows: readonly Tables["rollout_statuses"][]) =>
    db
      .insertInto("rollout_statuses")
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(["set_name", "application"]).doUpdateSet((of) => ({
          status: of.ref("excluded.status"),
          step: of.ref("excluded.step"),
          message: of.ref("excluded.message"),
          target_revisions: of.ref("excluded.target_revisions"),
          since_ms: of.ref("excluded.since_ms"),
        })),
      ),
  );
  return async (writing, set, change) => {
    switch (change.kind) {
      case "unchanged":
        return;
      case "cleared":
        await clearRollout(writing.db, set);
        return;
      case "changed":
        for (const some of pieces(change.dropped))
          await writing.db
            .deleteFrom("rollout_statuses")
            .where("set_name", "=", set)
            .where("application", "in", some)
            .execute();
        for (const some of pieces(change.written)) {
          await write(
            writing.db,
            some.map((status) => rowOf(set, status)),
          );
          await writing.breathe();
        }
    }
  };
}

export async function clearRollout(db: Db, set: string): Promise<void> {
  await db.deleteFrom("rollout_statuses").where("set_name", "=", set).execute();
}

const rowOf = (set: string, status: RolloutStatus): Tables["rollout_statuses"] => ({
  set_name: set,
  application: status.application,
  status: status.status,
  step: status.step,
  message: status.message,
  target_revisions: writeJson([...status.targetRevisions]),
  since_ms: status.sinceMs ?? null,
});
