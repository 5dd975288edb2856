import { sql, type RawBuilder } from "kysely";
import type { Db } from "./database.ts";
import type { Condition } from "./condition.ts";

/** The search tables: rowid is the key of the named row. SQLite's own; PostgreSQL has pg_trgm for this. */
type SearchTable = "cluster_search" | "application_set_search" | "application_search";

export async function addToSearch(
  db: Db,
  table: SearchTable,
  key: number,
  name: string,
): Promise<void> {
  await sql`insert into ${sql.table(table)} (rowid, name) values (${key}, ${name})`.execute(db);
}

export async function removeFromSearch(db: Db, table: SearchTable, key: number): Promise<void> {
  await sql`delete from ${sql.table(table)} where rowid = ${key}`.execute(db);
}

/** The named table of a list. */
export type Named = {
  /** The table with its alias, its key and its name. */
  readonly from: RawBuilder<unknown>;
  readonly key: RawBuilder<unknown>;
  readonly name: RawBuilder<unknown>;
  /** What to select as the row's identity. */
  readonly identity: RawBuilder<unknown>;
  readonly search: SearchTable;
};

/**
 * Names that hold `text`, whatever its case.
 *
 * From three letters on the index finds them. One or two letters are in so many names that a walk in the
 * asked order soon has its page; it reads on only while they are in none.
 */
export function nameCondition(text: string, named: Named): Condition {
  const lower = text.toLowerCase();
  const pattern = `%${lower.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
  const test = sql`${named.name} like ${pattern} escape '\\'`;
  const letters = Array.from(lower);
  if (letters.length < 3) return { test };
  const triples = new Set(letters.slice(2).map((_, at) => letters.slice(at, at + 3).join("")));
  const match = [...triples].map((triple) => `"${triple.replaceAll('"', '""')}"`).join(" AND ");
  const search = sql.table(named.search);
  return {
    test,
    source: sql`select ${named.identity} from ${search} cross join ${named.from}
      where ${search} match ${match} and ${named.key} = ${search}.rowid and ${test}`,
  };
}
