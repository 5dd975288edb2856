import { sql } from "kysely";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import type { Origin } from "../domain/origin.ts";
import type { PublishedApplication } from "../domain/records.ts";
import { draftFromRow, type ApplicationRow } from "./application-rows.ts";
import { eachPiece, rowsAtOnce, type Database, type Db } from "./database.ts";
import { entryFromRow } from "./desired-sets.ts";

/**
 * In pieces, so that a large origin holds nobody up. What changes meanwhile (a cluster goes, what is offered gets
 * another number) may be read as it was or as it is; recording looks again at what a cluster is offered.
 */
export async function readPublished(
  database: Database,
  origin: Origin,
  signal: AbortSignal,
): Promise<readonly PublishedApplication[]> {
  const published: PublishedApplication[] = [];
  await eachPiece(
    (after) => database.read((db) => publishedAfter(db, origin, after), signal),
    (one) => {
      published.push(one);
      return one.draft.name;
    },
  );
  return published;
}

async function publishedAfter(
  db: Db,
  origin: Origin,
  after: string,
): Promise<readonly PublishedApplication[]> {
  const rows = await selectPublished(db)
    .where("a.origin_kind", "=", origin.kind)
    .where("a.origin_name", "=", origin.name)
    .where("a.name", ">", after as ApplicationName)
    .orderBy("a.name")
    .limit(rowsAtOnce)
    .execute();
  return withOffered(db, rows);
}

export const publishedNamed = async (
  db: Db,
  names: readonly ApplicationName[],
): Promise<readonly PublishedApplication[]> =>
  withOffered(db, await selectPublished(db).where("a.name", "in", names).execute());

const selectPublished = (db: Db) =>
  db
    .selectFrom("applications as a")
    .innerJoin("application_documents as d", "d.application", "a.name")
    .leftJoin("clusters as c", "c.key", "a.drafted_cluster_key")
    .selectAll("a")
    .select(["d.document", "c.id as drafted_cluster"]);

type PublishedRow = ApplicationRow & { readonly drafted_cluster: ClusterId | null };

/** Adds what clusters are offered of these applications. */
async function withOffered(
  db: Db,
  rows: readonly PublishedRow[],
): Promise<readonly PublishedApplication[]> {
  if (rows.length === 0) return [];
  const offered = await db
    .selectFrom("desired_entries as e")
    .innerJoin("clusters as c", "c.key", "e.cluster_key")
    .selectAll("e")
    .select("c.id as cluster")
    .where(
      "e.application",
      "in",
      rows.map(({ name }) => name),
    )
    .execute();
  const entries = new Map(
    offered.map((row) => [row.application, { cluster: row.cluster, entry: entryFromRow(row) }]),
  );
  return rows.map(({ drafted_cluster: cluster, ...row }): PublishedApplication => ({
    draft: draftFromRow(row satisfies ApplicationRow, cluster ?? undefined),
    desired: entries.get(row.name),
  }));
}

/**
 * Every origin that has a set or an application.
 *
 * Hops from name to name through the index over origins: its cost is that of the origins, not of their
 * applications.
 */
export async function distinctOrigins(db: Db): Promise<readonly Origin[]> {
  const { rows: sets } = await sql<{ name: string }>`
    with recursive hop (name) as (
      select min(origin_name) from applications where origin_kind = 'application-set'
      union all
      select (
        select min(a.origin_name) from applications as a
        where a.origin_kind = 'application-set' and a.origin_name > hop.name
      ) from hop where hop.name is not null
    )
    select name from hop where name is not null
    union select name from application_sets
    order by name
  `.execute(db);
  const plain = await db
    .selectFrom("applications")
    .select("origin_name")
    .distinct()
    .where("origin_kind", "=", "application")
    .orderBy("origin_name")
    .execute();
  return [
    ...sets.map(({ name }): Origin => ({ kind: "application-set", name })),
    ...plain.map((row): Origin => ({ kind: "application", name: row.origin_name })),
  ];
}
