import { sql, type RawBuilder } from "kysely";
import type { HealthState } from "../../proto/words/health.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { parseObjectKey } from "../../proto/words/object-key.ts";
import type { ResourceReport } from "../../proto/words/report.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { ApplicationFilter, ApplicationSort, Page, PageRequest } from "../domain/queries.ts";
import type { ApplicationRecord } from "../domain/records.ts";
import { applicationFromRow, type ApplicationRow } from "./application-rows.ts";
import { healthRank, syncRank } from "./application-status.ts";
import { prepared, type Database } from "./database.ts";
import { readJson } from "./json.ts";
import { never, type Condition } from "./condition.ts";
import { labelCondition } from "./labels.ts";
import { readPage, type List, type Ordering } from "./paging.ts";
import { nameCondition } from "./search.ts";

export type Applications = {
  readonly find: (
    name: ApplicationName,
    signal: AbortSignal,
  ) => Promise<ApplicationRecord | undefined>;
  /** Equals are ordered by name, in the same direction. */
  readonly list: (
    filter: ApplicationFilter,
    sort: { readonly by: ApplicationSort; readonly descending: boolean },
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<ApplicationRecord>>;
  /** Sorted by key; empty for an application nobody knows. */
  readonly resources: (
    name: ApplicationName,
    signal: AbortSignal,
  ) => Promise<readonly ResourceReport[]>;
};

/** Applications as publishing and reports left them; nothing is written here. */
export function createApplications(database: Database): Applications {
  const { db } = database;
  const byName = prepared<{ name: ApplicationName }, ApplicationRow>((parameter) =>
    db
      .selectFrom("applications as a")
      .innerJoin("application_documents as d", "d.application", "a.name")
      .selectAll("a")
      .select("d.document")
      .where("a.name", "=", parameter("name")),
  );
  const resourcesOf = prepared<{ application: ApplicationName }, ResourceRow>((parameter) =>
    db
      .selectFrom("resources")
      .select(resourceColumns)
      .where("application", "=", parameter("application"))
      .orderBy("object"),
  );

  return {
    find: (name, signal) =>
      database.read(async (db) => {
        const [row] = await byName(db, { name });
        return row === undefined ? undefined : applicationFromRow(row);
      }, signal),

    list: (filter, sort, page, signal) =>
      database.read(
        (db) =>
          readPage<ApplicationRow, ApplicationRecord>(
            db,
            applicationList,
            applicationConditions(filter),
            orderings[sort.by](sort.descending),
            page,
            (rows) => rows.map(applicationFromRow),
          ),
        signal,
      ),

    resources: (name, signal) =>
      database.read(async (db) => {
        const rows = await resourcesOf(db, { application: name });
        return rows.map(resourceFromRow).toSorted(byKey);
      }, signal),
  };
}

/** Sorted as spokes sort: by code units, which a database need not do beyond ASCII. */
const byKey = (left: ResourceReport, right: ResourceReport): number =>
  left.key < right.key ? -1 : 1;

export const resourceColumns = [
  "object",
  "version",
  "sync_status",
  "health",
  "message",
  "images",
  "awaits_prune",
] as const;

export type ResourceRow = {
  readonly object: ResourceReport["key"];
  readonly version: string;
  readonly sync_status: SyncStatus;
  readonly health: HealthState | null;
  readonly message: string;
  readonly images: string;
  readonly awaits_prune: number;
};

export const resourceFromRow = (row: ResourceRow): ResourceReport => ({
  key: row.object,
  version: row.version,
  syncStatus: row.sync_status,
  health: row.health ?? undefined,
  message: row.message,
  images: readJson(row.images) as readonly string[],
  awaitsPrune: row.awaits_prune === 1,
});

const applicationList: List = {
  select: sql`a.*, (
    select d.document from application_documents as d where d.application = a.name
  ) as document`,
  from: sql`applications as a`,
  identity: sql`a.name = p.name`,
};

const orderName = (by: ApplicationSort): string => `applications by ${by}`;

const byColumn =
  (
    by: ApplicationSort,
    column: RawBuilder<unknown>,
    type: "text" | "number",
    valueOf: (row: ApplicationRow) => string | number,
  ) =>
  (descending: boolean): Ordering<ApplicationRow> => ({
    order: {
      name: orderName(by),
      columns: [column, sql`a.name`],
      types: [type, "text"],
      descending,
    },
    keyOf: (row) => [valueOf(row), row.name],
    own: false,
  });

const orderings: Readonly<
  Record<ApplicationSort, (descending: boolean) => Ordering<ApplicationRow>>
> = {
  name: (descending) => ({
    order: { name: orderName("name"), columns: [sql`a.name`], types: ["text"], descending },
    keyOf: ({ name }) => [name],
    own: true,
  }),
  cluster: byColumn("cluster", sql`a.cluster_name`, "text", (row) => row.cluster_name),
  health: byColumn("health", sql`a.health_rank`, "number", (row) => row.health_rank),
  sync: byColumn("sync", sql`a.sync_rank`, "number", (row) => row.sync_rank),
  changed: byColumn("changed", sql`a.changed_at_ms`, "number", (row) => row.changed_at_ms),
};

function applicationConditions(filter: ApplicationFilter): readonly Condition[] {
  const conditions: Condition[] = [];
  if (filter.cluster !== undefined)
    // No cluster has the empty name; applications without one do.
    conditions.push(
      filter.cluster === ""
        ? never
        : {
            ...textEquals("cluster_name", filter.cluster),
            range: { order: orderName("cluster"), least: filter.cluster, most: filter.cluster },
          },
    );
  if (filter.set !== undefined) {
    const test = sql`a.origin_kind = 'application-set' and a.origin_name = ${filter.set}`;
    conditions.push({
      test: sql`a.origin_kind || '' = 'application-set' and a.origin_name || '' = ${filter.set}`,
      source: namesWhere(test),
      inOrder: { kind: "index", test },
    });
  }
  if (filter.project !== undefined) conditions.push(textEquals("project", filter.project));
  if (filter.revision !== undefined) conditions.push(textEquals("revision", filter.revision));
  if (filter.syncStatus !== undefined)
    conditions.push(rankIn("sync_rank", filter.syncStatus.map(syncRank), orderName("sync")));
  if (filter.health !== undefined)
    conditions.push(rankIn("health_rank", filter.health.map(healthRank), orderName("health")));
  if (filter.troubled === true) {
    const test = sql`a.problem_code is not null`;
    conditions.push({
      test,
      source: namesWhere(sql`${test} and a.name > ''`),
      inOrder: { kind: "index", test },
    });
  }
  for (const requirement of filter.selector ?? [])
    conditions.push(
      labelCondition(requirement, {
        ofRow: sql`application_labels as l where l.application = a.name`,
        all: sql`select l.application as name from application_labels as l where`,
        walk: {
          from: sql`application_labels as l`,
          tie: sql`a.name = l.application`,
          column: sql`l.application`,
        },
      }),
    );
  for (const requirement of filter.clusterSelector ?? []) {
    const condition = labelCondition(requirement, {
      ofRow: sql`cluster_labels as l where l.cluster_key = a.cluster_key`,
      all: sql`select a.name as name from cluster_labels as l
        cross join applications as a where a.cluster_key = l.cluster_key and`,
    });
    // Without a cluster there are no labels to say anything about.
    conditions.push({
      ...condition,
      test: sql`a.cluster_key is not null and ${condition.test}`,
    });
  }
  if (filter.text !== undefined && filter.text !== "")
    conditions.push(
      nameCondition(filter.text, {
        from: sql`applications as a`,
        key: sql`a.key`,
        name: sql`a.name`,
        identity: sql`a.name as name`,
        search: "application_search",
      }),
    );
  return conditions;
}

const namesWhere = (test: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`select a.name as name from applications as a where ${test}`;

function textEquals(column: "cluster_name" | "project" | "revision", value: string): Condition {
  const test = sql`a.${sql.ref(column)} = ${value}`;
  return {
    test: sql`a.${sql.ref(column)} || '' = ${value}`,
    source: namesWhere(test),
    inOrder: { kind: "index", test },
  };
}

function rankIn(
  column: "sync_rank" | "health_rank",
  ranks: readonly number[],
  order: string,
): Condition {
  if (ranks.length === 0) return never;
  const [only] = ranks;
  return {
    test: sql`a.${sql.ref(column)} + 0 in (${sql.join(ranks)})`,
    source: namesWhere(sql`a.${sql.ref(column)} in (${sql.join(ranks)})`),
    // Several values lie apart in the index: only one is a walk by name.
    ...(ranks.length === 1
      ? { inOrder: { kind: "index", test: sql`a.${sql.ref(column)} = ${only}` } }
      : {}),
    range: { order, least: Math.min(...ranks), most: Math.max(...ranks) },
  };
}

/** The parts that are columns of their own. */
export function objectColumns(key: ResourceReport["key"]): {
  readonly api_group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  const parts = parseObjectKey(key);
  if (!parts.ok) throw new TypeError(parts.problem);
  const { group, kind, namespace, name } = parts.value;
  return { api_group: group, kind, namespace, name };
}
