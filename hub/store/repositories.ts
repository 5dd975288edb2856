import type { Selectable } from "kysely";
import type { FleetEventDraft } from "../domain/records.ts";
import type { RepositoryRecord } from "../domain/repository-record.ts";
import type { Database } from "./database.ts";
import { readJson, writeJson } from "./json.ts";
import { problemFromRow, problemToRow } from "./problem.ts";
import type { Tables } from "./tables.ts";

export type RepositoryRecords = {
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

const repositoryFromRow = (row: Selectable<Tables["repositories"]>): RepositoryRecord => ({
  url: row.url,
  heads: readJson(row.heads) as RepositoryRecord["heads"],
  fetchedAtMs: row.fetched_at_ms ?? undefined,
  checkedAtMs: row.checked_at_ms ?? undefined,
  problem: problemFromRow(row),
});

/** A record is replaced whole, in one transaction with its events. */
export function createRepositoryRecords(database: Database): RepositoryRecords {
  return {
    record: (repository, events, atMs, signal) =>
      database.write(async ({ db, append }) => {
        const row = {
          heads: writeJson(repository.heads),
          fetched_at_ms: repository.fetchedAtMs ?? null,
          checked_at_ms: repository.checkedAtMs ?? null,
          ...problemToRow(repository.problem),
        };
        await db
          .insertInto("repositories")
          .values({ url: repository.url, ...row })
          .onConflict((conflict) => conflict.column("url").doUpdateSet(row))
          .execute();
        for (const event of events) append(event, atMs);
      }, signal),

    find: (url, signal) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom("repositories")
          .selectAll()
          .where("url", "=", url)
          .executeTakeFirst();
        return row === undefined ? undefined : repositoryFromRow(row);
      }, signal),

    list: (signal) =>
      database.read(async (db) => {
        const rows = await db.selectFrom("repositories").selectAll().orderBy("url").execute();
        return rows.map(repositoryFromRow);
      }, signal),
  };
}
