import { sql, type RawBuilder } from "kysely";
import { parseClusterName, type ApplicationName, type ClusterName } from "../../proto/words/ids.ts";
import type { FleetResource } from "../domain/fleet-resource.ts";
import type { Page, PageRequest, ResourceFilter } from "../domain/queries.ts";
import type { StatusCounts } from "../domain/records.ts";
import { resourceColumns, resourceFromRow, type ResourceRow } from "./applications.ts";
import { statusCounts, type StateCount } from "./counts.ts";
import type { Database, Db } from "./database.ts";
import { never, type Condition } from "./condition.ts";
import { readPage, type List, type Ordering } from "./paging.ts";

export type FleetGroup = {
  /** Value of the label; empty for what has none, and for the whole fleet. */
  readonly value: string;
  readonly clusters: { readonly total: number; readonly attached: number };
  readonly applications: StatusCounts;
};

export type Fleet = {
  /**
   * Counts kept up to date on write. Without `groupBy`, one group. With a cluster label's key, one group per
   * value, by value; clusters without it, and applications without a cluster, are under the empty value.
   */
  readonly summary: (
    groupBy: string | undefined,
    signal: AbortSignal,
  ) => Promise<readonly FleetGroup[]>;
  /** By application, then object key. */
  readonly resources: (
    filter: ResourceFilter,
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<FleetResource>>;
};

/** Answers about all clusters at once, each of one moment, from counts that every write keeps. */
export function createFleet(database: Database): Fleet {
  return {
    summary: (groupBy, signal) =>
      database.read(async (db) => {
        const whole = await wholeFleet(db);
        return groupBy === undefined || groupBy === ""
          ? [asGroup("", whole)]
          : groups(db, groupBy, whole);
      }, signal),

    resources: (filter, page, signal) =>
      database.read(
        async (db) =>
          readPage<FleetRow, FleetResource>(
            db,
            resourceList,
            await resourceConditions(db, filter),
            byApplication,
            page,
            (rows) =>
              rows.map((row) => ({
                cluster: row.cluster,
                application: row.application,
                resource: resourceFromRow(row),
              })),
          ),
        signal,
      ),
  };
}

type FleetRow = ResourceRow & {
  readonly application: ApplicationName;
  readonly cluster: ClusterName;
};

type Counted = {
  readonly clusters: FleetGroup["clusters"];
  readonly states: readonly StateCount[];
};

const asGroup = (value: string, { clusters, states }: Counted): FleetGroup => ({
  value,
  clusters,
  applications: statusCounts(states),
});

async function wholeFleet(db: Db): Promise<Counted> {
  const clusters = await db
    .selectFrom("cluster_counts")
    .select(["clusters as total", "attached"])
    .where("label", "=", "")
    .where("value", "=", "")
    .executeTakeFirst();
  const states = await db
    .selectFrom("status_counts")
    .select(["sync_status", "health", "applications"])
    .where("scope", "=", "fleet")
    .where("subject", "=", "")
    .execute();
  return { clusters: clusters ?? { total: 0, attached: 0 }, states };
}

async function groups(db: Db, label: string, whole: Counted): Promise<readonly FleetGroup[]> {
  const clusters = await db
    .selectFrom("cluster_counts")
    .select(["value", "clusters as total", "attached"])
    .where("label", "=", label)
    .orderBy("value")
    .execute();
  const states = await db
    .selectFrom("status_counts")
    .select(["value", "sync_status", "health", "applications"])
    .where("scope", "=", "label")
    .where("subject", "=", label)
    .execute();
  const statesByValue = Map.groupBy(states, ({ value }) => value);
  // A label that is there and empty groups like one that is not there.
  const named = clusters
    .filter(({ value }) => value !== "")
    .map(({ value, total, attached }) => ({
      value,
      counted: { clusters: { total, attached }, states: statesByValue.get(value) ?? [] },
    }));
  const rest = asGroup(
    "",
    remainder(
      whole,
      named.map(({ counted }) => counted),
    ),
  );
  const shown = named.map(({ value, counted }) => asGroup(value, counted));
  return rest.clusters.total > 0 || rest.applications.total > 0 ? [rest, ...shown] : shown;
}

/** What the fleet has and no group has. */
function remainder(whole: Counted, named: readonly Counted[]): Counted {
  const left = new Map<string, StateCount>();
  const add = (row: StateCount, sign: 1 | -1) => {
    const key = `${row.sync_status} ${row.health}`;
    const before = left.get(key)?.applications ?? 0;
    left.set(key, { ...row, applications: before + sign * row.applications });
  };
  for (const row of whole.states) add(row, 1);
  for (const row of named.flatMap(({ states }) => states)) add(row, -1);
  const sum = (of: (group: Counted) => number) =>
    named.reduce((total, group) => total + of(group), 0);
  return {
    clusters: {
      total: whole.clusters.total - sum(({ clusters }) => clusters.total),
      attached: whole.clusters.attached - sum(({ clusters }) => clusters.attached),
    },
    states: [...left.values()],
  };
}

const resourceList: List = {
  select: sql`r.application, c.name as cluster, ${sql.join(
    resourceColumns.map((column) => sql.ref(`r.${column}`)),
  )}`,
  from: sql`resources as r`,
  identity: sql`r.application = p.application and r.object = p.object`,
  beside: { join: sql`cross join clusters as c`, test: sql`c.key = r.cluster_key` },
};

const byApplication: Ordering<FleetRow> = {
  order: {
    name: "resources",
    columns: [sql`r.application`, sql`r.object`],
    types: ["text", "text"],
    descending: false,
  },
  keyOf: ({ application, object }) => [application, object],
  own: true,
};

async function resourceConditions(db: Db, filter: ResourceFilter): Promise<readonly Condition[]> {
  // The rarest kind of condition first: of several that are not rare, the first is walked.
  const conditions: Condition[] = [];
  if (filter.image !== undefined) conditions.push(imageCondition(filter.image));
  if (filter.application !== undefined) {
    const test = sql`r.application = ${filter.application}`;
    conditions.push({ test, source: objectsWhere(test) });
  }
  if (filter.name !== undefined) conditions.push(textEquals("name", filter.name));
  if (filter.cluster !== undefined) {
    const key = await keyOfCluster(db, filter.cluster);
    conditions.push(key === undefined ? never : inCluster(key));
  }
  if (filter.health !== undefined) conditions.push(healthCondition(filter.health));
  if (filter.kind !== undefined) conditions.push(textEquals("kind", filter.kind));
  if (filter.namespace !== undefined) conditions.push(textEquals("namespace", filter.namespace));
  if (filter.group !== undefined) conditions.push(textEquals("api_group", filter.group));
  return conditions;
}

async function keyOfCluster(db: Db, text: string): Promise<number | undefined> {
  const name = parseClusterName(text);
  // What is no name is no cluster's name.
  if (!name.ok) return undefined;
  const cluster = await db
    .selectFrom("clusters")
    .select("key")
    .where("name", "=", name.value)
    .where("removed_at_ms", "is", null)
    .executeTakeFirst();
  return cluster?.key;
}

const objectsWhere = (test: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`select r.application, r.object from resources as r where ${test}`;

function textEquals(column: "api_group" | "kind" | "name" | "namespace", value: string): Condition {
  const test = sql`r.${sql.ref(column)} = ${value}`;
  return {
    test: sql`r.${sql.ref(column)} || '' = ${value}`,
    source: objectsWhere(test),
    inOrder: { kind: "index", test },
  };
}

function inCluster(key: number): Condition {
  const test = sql`r.cluster_key = ${key}`;
  return {
    test: sql`r.cluster_key + 0 = ${key}`,
    source: objectsWhere(test),
    inOrder: { kind: "index", test },
  };
}

function healthCondition(states: NonNullable<ResourceFilter["health"]>): Condition {
  if (states.length === 0) return never;
  const test = sql`r.health || '' in (${sql.join(states)})`;
  // Only what is not Healthy has an index: the rest is most of the fleet.
  return states.includes("Healthy")
    ? { test }
    : {
        test,
        source: objectsWhere(sql`r.health <> 'Healthy' and r.health in (${sql.join(states)})`),
      };
}

/** A whole reference, or everything that begins as `prefix*` says. */
function imageCondition(image: string): Condition {
  const prefix = image.endsWith("*") ? image.slice(0, -1) : undefined;
  const matches =
    prefix === undefined
      ? sql`i.image = ${image}`
      : sql`i.image >= ${prefix} and i.image < ${`${prefix}\u{10ffff}`}`;
  return {
    test: sql`exists (
      select 1 from resource_images as i
      where i.application = r.application and i.object = r.object and ${matches}
    )`,
    source: sql`select distinct i.application, i.object from resource_images as i where ${matches}`,
    ...(prefix === undefined
      ? {
          inOrder: {
            kind: "table",
            from: sql`resource_images as i`,
            where: sql`${matches} and r.application = i.application and r.object = i.object`,
            columns: [sql`i.application`, sql`i.object`],
          },
        }
      : {}),
  };
}
