import { sql, type Selectable } from "kysely";
import type { ApplicationSetFilter, Page, PageRequest } from "../domain/queries.ts";
import type { ApplicationSetRecord, StatusCounts } from "../domain/records.ts";
import type { SetCondition } from "../domain/set-status.ts";
import type { RolloutStatus } from "../domain/rollout/rollout.ts";
import { countsOf, noApplications } from "./counts.ts";
import { prepared, type Database, type Db } from "./database.ts";
import type { Condition } from "./condition.ts";
import { readJson, writeJson } from "./json.ts";
import { readPage, type List, type Ordering } from "./paging.ts";
import { clearRollout, readRollout } from "./rollouts.ts";
import { problemFromRow, problemToRow } from "./problem.ts";
import { addToSearch, nameCondition, removeFromSearch } from "./search.ts";
import type { Tables } from "./tables.ts";

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

type ApplicationSetRow = Selectable<Tables["application_sets"]>;

const setFromRow = (
  row: ApplicationSetRow,
  applications: StatusCounts | undefined,
): ApplicationSetRecord => ({
  name: row.name,
  project: row.project,
  path: row.path,
  commit: row.commit_sha,
  document: row.document,
  generatedAtMs: row.generated_at_ms,
  problem: problemFromRow(row),
  conditions: row.conditions === null ? [] : (readJson(row.conditions) as readonly SetCondition[]),
  applications: applications ?? noApplications,
});

/** Sets as publishing recorded them last; it alone writes them. */
export function createApplicationSets(database: Database): ApplicationSets {
  const byName = prepared<{ name: string }, ApplicationSetRow>((parameter) =>
    database.db.selectFrom("application_sets").selectAll().where("name", "=", parameter("name")),
  );

  return {
    find: (name, signal) =>
      database.read(async (db) => {
        const [row] = await byName(db, { name });
        if (row === undefined) return undefined;
        return setFromRow(row, (await countsOf(db, "set", [name])).get(name));
      }, signal),

    rollout: (name, most, signal) => database.read((db) => readRollout(db, name, most), signal),

    list: (filter, page, signal) =>
      database.read(
        (db) =>
          readPage<ApplicationSetRow, ApplicationSetRecord>(
            db,
            setList,
            setConditions(filter),
            byNameOrder,
            page,
            async (rows) => {
              const counts = await countsOf(
                db,
                "set",
                rows.map(({ name }) => name),
              );
              return rows.map((row) => setFromRow(row, counts.get(row.name)));
            },
          ),
        signal,
      ),
  };
}

const setList: List = {
  select: sql`s.*`,
  from: sql`application_sets as s`,
  identity: sql`s.name = p.name`,
};

const byNameOrder: Ordering<ApplicationSetRow> = {
  order: { name: "application sets", columns: [sql`s.name`], types: ["text"], descending: false },
  keyOf: ({ name }) => [name],
  own: true,
};

function setConditions(filter: ApplicationSetFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (filter.project !== undefined) {
    const test = sql`s.project = ${filter.project}`;
    conditions.push({
      test: sql`s.project || '' = ${filter.project}`,
      source: sql`select s.name as name from application_sets as s where ${test}`,
      inOrder: { kind: "index", test },
    });
  }
  if (filter.troubled === true) {
    const test = sql`s.problem_code is not null`;
    conditions.push({
      test,
      source: sql`select s.name as name from application_sets as s where ${test} and s.name > ''`,
      inOrder: { kind: "index", test },
    });
  }
  if (filter.text !== undefined && filter.text !== "")
    conditions.push(
      nameCondition(filter.text, {
        from: sql`application_sets as s`,
        key: sql`s.key`,
        name: sql`s.name`,
        identity: sql`s.name as name`,
        search: "application_set_search",
      }),
    );
  return conditions;
}

/** Inside publishing's transaction. */
export async function writeSet(
  db: Db,
  set: Omit<ApplicationSetRecord, "applications">,
): Promise<void> {
  const row = {
    name: set.name,
    project: set.project,
    path: set.path,
    commit_sha: set.commit,
    document: set.document,
    generated_at_ms: set.generatedAtMs,
    conditions: writeJson(set.conditions),
    ...problemToRow(set.problem),
  };
  const { numUpdatedRows } = await db
    .updateTable("application_sets")
    .set(row)
    .where("name", "=", set.name)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  const { key } = await db
    .insertInto("application_sets")
    .values(row)
    .returning("key")
    .executeTakeFirstOrThrow();
  await addToSearch(db, "application_set_search", key, set.name);
}

export async function removeSet(db: Db, name: string): Promise<void> {
  await clearRollout(db, name);
  const removed = await db
    .deleteFrom("application_sets")
    .where("name", "=", name)
    .returning("key")
    .executeTakeFirst();
  if (removed !== undefined) await removeFromSearch(db, "application_set_search", removed.key);
}
