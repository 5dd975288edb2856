import { sql } from "kysely";
import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { desiredRoot } from "../../proto/words/desired.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { ClusterConnection, ClusterRecord } from "../domain/cluster-record.ts";
import type { ClusterFact } from "../domain/facts.ts";
import type { ClusterFilter, Page, PageRequest } from "../domain/queries.ts";
import type { Labels, StatusCounts } from "../domain/records.ts";
import { applicationsLeave } from "./application-status.ts";
import { countsOf, noApplications } from "./counts.ts";
import { prepared, type Database, type Db } from "./database.ts";
import { inOrder, metadataFromRow, readLabels, writeJson } from "./json.ts";
import type { Condition } from "./condition.ts";
import { labelCondition, labelRows } from "./labels.ts";
import { readPage, type List, type Ordering } from "./paging.ts";
import { addToSearch, nameCondition, removeFromSearch } from "./search.ts";

export type Clusters = {
  /** `draft.id` must never have been used; `cluster-added` is appended. */
  readonly add: (
    draft: ClusterFact,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<
    Result<ClusterRecord, { readonly kind: "name-taken" } | { readonly kind: "server-taken" }>
  >;
  readonly find: (name: ClusterName, signal: AbortSignal) => Promise<ClusterRecord | undefined>;
  /** `undefined` also when it was removed. */
  readonly findById: (id: ClusterId, signal: AbortSignal) => Promise<ClusterRecord | undefined>;
  /** By name. */
  readonly list: (
    filter: ClusterFilter,
    page: PageRequest,
    signal: AbortSignal,
  ) => Promise<Page<ClusterRecord>>;
  /** All that were not removed, sorted by name. */
  readonly facts: (signal: AbortSignal) => Promise<readonly ClusterFact[]>;
  /** Replaces whole maps. `cluster-changed` is appended when something differs. */
  readonly setMetadata: (
    name: ClusterName,
    change: { readonly labels?: Labels; readonly annotations?: Labels },
    atMs: number,
    signal: AbortSignal,
  ) => Promise<ClusterRecord | undefined>;
  /**
   * False when there is none. The name is free again, the id never is. Applications that pointed there lose
   * their cluster, status and resources; its certificates and join tokens are worth nothing any more.
   */
  readonly remove: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
};

type ClusterRow = {
  readonly key: number;
  readonly id: ClusterId;
  readonly name: ClusterName;
  readonly server: string;
  readonly labels: string;
  readonly annotations: string;
  readonly created_at_ms: number;
  readonly connection: ClusterConnection["kind"];
  readonly connection_since_ms: number;
  readonly last_seen_at_ms: number | null;
  readonly spoke_version: string;
  readonly kubernetes_version: string;
  readonly certificate_expires_at_ms: number | null;
  readonly desired_version: number;
  readonly stored_version: number;
  readonly locked_at_ms: number | null;
  readonly locked_why: string | null;
};

const clusterColumns = [
  "key",
  "id",
  "name",
  "server",
  "labels",
  "annotations",
  "created_at_ms",
  "connection",
  "connection_since_ms",
  "last_seen_at_ms",
  "spoke_version",
  "kubernetes_version",
  "certificate_expires_at_ms",
  "desired_version",
  "stored_version",
  "locked_at_ms",
  "locked_why",
] as const;

function clusterFromRow(row: ClusterRow, applications: StatusCounts | undefined): ClusterRecord {
  return {
    id: row.id,
    name: row.name,
    server: row.server,
    ...metadataFromRow(row),
    createdAtMs: row.created_at_ms,
    connection:
      row.connection === "never-joined"
        ? { kind: "never-joined" }
        : { kind: row.connection, sinceMs: row.connection_since_ms },
    lastSeenAtMs: row.last_seen_at_ms ?? undefined,
    spokeVersion: row.spoke_version,
    kubernetesVersion: row.kubernetes_version,
    certificateExpiresAtMs: row.certificate_expires_at_ms ?? undefined,
    desiredVersion: row.desired_version,
    storedVersion: row.stored_version,
    locked:
      row.locked_at_ms === null
        ? undefined
        : { sinceMs: row.locked_at_ms, why: row.locked_why ?? "locked" },
    applications: applications ?? noApplications,
  };
}

/** A cluster changes in one transaction with its labels, the counts it is part of, and the event that tells of it. */
export function createClusters(database: Database): Clusters {
  const { db } = database;
  const byName = prepared<{ name: ClusterName }, ClusterRow>((parameter) =>
    live(db).where("name", "=", parameter("name")),
  );
  const byId = prepared<{ id: ClusterId }, ClusterRow>((parameter) =>
    live(db).where("id", "=", parameter("id")),
  );

  const record = async (db: Db, row: ClusterRow | undefined) =>
    row === undefined
      ? undefined
      : clusterFromRow(
          row,
          (await countsOf(db, "cluster", [String(row.key)])).get(String(row.key)),
        );

  return {
    add: (draft, atMs, signal) =>
      database.write(async ({ db, counts, append }) => {
        const taken = await live(db)
          .where((of) => of.or([of("name", "=", draft.name), of("server", "=", draft.server)]))
          .execute();
        if (taken.some(({ name }) => name === draft.name))
          return fail({ kind: "name-taken" as const });
        if (taken.length > 0) return fail({ kind: "server-taken" as const });
        const { key } = await db
          .insertInto("clusters")
          .values({
            ...factColumns(draft),
            id: draft.id,
            name: draft.name,
            server: draft.server,
            created_at_ms: atMs,
            removed_at_ms: null,
            connection: "never-joined",
            connection_since_ms: atMs,
            session_id: null,
            last_seen_at_ms: null,
            spoke_version: "",
            kubernetes_version: "",
            certificate_expires_at_ms: null,
            epoch: 0,
            desired_version: 0,
            desired_root: desiredRoot(new Map()),
            retained_from_version: 0,
            generation_floor: 0,
            stored_version: 0,
            stored_root: null,
          })
          .returning("key")
          .executeTakeFirstOrThrow();
        await writeLabels(db, key, draft.labels);
        await addToSearch(db, "cluster_search", key, draft.name);
        counts.clusters(draft.labels, 1, 0);
        append(
          {
            kind: "cluster-added",
            subject: draft.name,
            cluster: draft.name,
            message: "registered",
          },
          atMs,
        );
        const [row] = await byId(db, { id: draft.id });
        if (row === undefined) throw new TypeError(`cluster ${draft.name} is not there once added`);
        return ok(clusterFromRow(row, undefined));
      }, signal),

    find: (name, signal) =>
      database.read(async (db) => record(db, (await byName(db, { name }))[0]), signal),

    findById: (id, signal) =>
      database.read(async (db) => record(db, (await byId(db, { id }))[0]), signal),

    list: (filter, page, signal) =>
      database.read(
        (db) =>
          readPage<ClusterRow, ClusterRecord>(
            db,
            clusterList,
            clusterConditions(filter),
            byNameOrder,
            page,
            async (rows) => {
              const counts = await countsOf(
                db,
                "cluster",
                rows.map(({ key }) => String(key)),
              );
              return rows.map((row) => clusterFromRow(row, counts.get(String(row.key))));
            },
          ),
        signal,
      ),

    facts: (signal) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom("clusters")
          .select(["id", "name", "server", "labels", "annotations"])
          .where("removed_at_ms", "is", null)
          .orderBy("name")
          .execute();
        return rows.map((row): ClusterFact => ({
          id: row.id,
          name: row.name,
          server: row.server,
          ...metadataFromRow(row),
        }));
      }, signal),

    setMetadata: (name, change, atMs, signal) =>
      database.write(async ({ db, counts, append }) => {
        const [row] = await byName(db, { name });
        if (row === undefined) return undefined;
        const before = metadataFromRow(row);
        const after = {
          labels: change.labels ?? before.labels,
          annotations: change.annotations ?? before.annotations,
        };
        const written = factColumns(after);
        if (written.labels !== row.labels || written.annotations !== row.annotations) {
          const attached = row.connection === "attached" ? 1 : 0;
          await counts.relabel(db, row.key, before.labels, after.labels);
          counts.clusters(before.labels, -1, -attached);
          counts.clusters(after.labels, 1, attached);
          await counts.flush(db);
          await db.updateTable("clusters").set(written).where("key", "=", row.key).execute();
          await writeLabels(db, row.key, after.labels);
          append(
            {
              kind: "cluster-changed",
              subject: name,
              cluster: name,
              message: written.labels === row.labels ? "annotations changed" : "labels changed",
            },
            atMs,
          );
        }
        return record(db, { ...row, ...written });
      }, signal),

    remove: (name, actor, atMs, signal) =>
      database.write(async ({ db, counts, append }) => {
        const [row] = await byName(db, { name });
        if (row === undefined) return false;
        const { key } = row;
        await db.deleteFrom("desired_entries").where("cluster_key", "=", key).execute();
        await db.deleteFrom("tombstones").where("cluster_key", "=", key).execute();
        await db.deleteFrom("stored_bundles").where("cluster_key", "=", key).execute();
        await applicationsLeave(db, counts, key);
        counts.clusters(readLabels(row.labels), -1, row.connection === "attached" ? -1 : 0);
        // Counting needs the labels that go now.
        await counts.flush(db);
        await db.deleteFrom("cluster_labels").where("cluster_key", "=", key).execute();
        await db.deleteFrom("join_tokens").where("cluster_key", "=", key).execute();
        await db.deleteFrom("certificates").where("cluster_key", "=", key).execute();
        await removeFromSearch(db, "cluster_search", key);
        await db
          .updateTable("clusters")
          .set({
            removed_at_ms: atMs,
            session_id: null,
            connection: "detached",
            connection_since_ms: atMs,
          })
          .where("key", "=", key)
          .execute();
        append(
          { kind: "cluster-removed", subject: name, cluster: name, message: `removed by ${actor}` },
          atMs,
        );
        return true;
      }, signal),
  };
}

const live = (db: Db) =>
  db.selectFrom("clusters").select(clusterColumns).where("removed_at_ms", "is", null);

/** Keys in a fixed order, so that equal maps are equal text. */
const factColumns = ({ labels, annotations }: { labels: Labels; annotations: Labels }) => ({
  labels: writeJson(inOrder(labels)),
  annotations: writeJson(inOrder(annotations)),
});

async function writeLabels(db: Db, clusterKey: number, labels: Labels): Promise<void> {
  await db.deleteFrom("cluster_labels").where("cluster_key", "=", clusterKey).execute();
  const rows = labelRows(labels).map((row) => ({ cluster_key: clusterKey, ...row }));
  if (rows.length > 0) await db.insertInto("cluster_labels").values(rows).execute();
}

const clusterList: List = {
  select: sql.join(clusterColumns.map((column) => sql.ref(`c.${column}`))),
  from: sql`clusters as c`,
  identity: sql`c.key = p.key`,
  beside: { join: sql``, test: sql`c.removed_at_ms is null` },
};

const byNameOrder: Ordering<ClusterRow> = {
  order: { name: "clusters", columns: [sql`c.name`], types: ["text"], descending: false },
  keyOf: ({ name }) => [name],
  own: true,
};

function clusterConditions(filter: ClusterFilter): readonly Condition[] {
  const conditions = (filter.selector ?? []).map((requirement) =>
    labelCondition(requirement, {
      ofRow: sql`cluster_labels as l where l.cluster_key = c.key`,
      all: sql`select l.cluster_key as key from cluster_labels as l where`,
    }),
  );
  if (filter.connection !== undefined)
    conditions.push({
      test: sql`c.connection || '' = ${filter.connection}`,
      inOrder: { kind: "index", test: sql`c.connection = ${filter.connection}` },
    });
  if (filter.text !== undefined && filter.text !== "")
    conditions.push(
      nameCondition(filter.text, {
        from: sql`clusters as c`,
        key: sql`c.key`,
        name: sql`c.name`,
        identity: sql`c.key as key`,
        search: "cluster_search",
      }),
    );
  return conditions;
}
