import type { Selectable } from "kysely";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import { findCluster } from "./cluster-keys.ts";
import { prepared, type Db } from "./database.ts";
import { findRoot } from "./desired-sets.ts";
import { preparedColumns, preparedRows } from "./prepared-rows.ts";
import { writerOfRollouts } from "./rollouts.ts";
import type { Tables } from "./tables.ts";

/* How a publication reads and writes what it changes, much of it for many applications with one statement. */

export type KnownApplication = Selectable<Tables["applications"]>;
export type EntryRow = Tables["desired_entries"];

type DocumentRow = Tables["application_documents"];
type LabelRow = Tables["application_labels"];
type TombstoneRow = Tables["tombstones"];
type Place = { readonly cluster: number; readonly application: ApplicationName };
type Named = { readonly application: ApplicationName };

export type PublishingStatements = ReturnType<typeof prepareStatements>;

/** Prepared once for a database; each runs in the transaction it is given, and those over rows do nothing for none. */
export function prepareStatements(db: Db) {
  return {
    clusterOf: findCluster(db),
    rootOf: findRoot(db),
    writeRollout: writerOfRollouts(db),
    clusterIdOf: prepared<{ key: number }, { id: ClusterId }>((parameter) =>
      db.selectFrom("clusters").select("id").where("key", "=", parameter("key")),
    ),
    setDesired: prepared<{ cluster: number; version: number; root: Digest }, unknown>((parameter) =>
      db
        .updateTable("clusters")
        .set({ desired_version: parameter("version"), desired_root: parameter("root") })
        .where("key", "=", parameter("cluster")),
    ),
    applicationsOf: preparedRows<Named, KnownApplication>((rows) =>
      db.selectFrom("applications").selectAll().where("name", "in", rows.map(nameOf)),
    ),
    addApplications: preparedRows((rows: readonly Omit<KnownApplication, "key">[]) =>
      db.insertInto("applications").values(rows),
    ),
    updateApplication: preparedColumns(
      ({ key, ...columns }: Partial<KnownApplication> & { readonly key: number }) =>
        db.updateTable("applications").set(columns).where("key", "=", key),
    ),
    removeApplication: prepared<{ key: number }, unknown>((parameter) =>
      db.deleteFrom("applications").where("key", "=", parameter("key")),
    ),
    documentOf: prepared<Named, { document: string }>((parameter) =>
      db
        .selectFrom("application_documents")
        .select("document")
        .where("application", "=", parameter("application")),
    ),
    writeDocuments: preparedRows((rows: readonly DocumentRow[]) =>
      db
        .insertInto("application_documents")
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column("application")
            .doUpdateSet((of) => ({ document: of.ref("excluded.document") }))
            .whereRef("application_documents.document", "<>", "excluded.document"),
        ),
    ),
    dropLabels: preparedRows((rows: readonly Named[]) =>
      db.deleteFrom("application_labels").where("application", "in", rows.map(nameOf)),
    ),
    addLabels: preparedRows((rows: readonly LabelRow[]) =>
      db.insertInto("application_labels").values(rows),
    ),
    addToSearch: preparedRows<Named, unknown>((rows) =>
      db
        .insertInto("application_search")
        .columns(["rowid", "name"])
        .expression((of) =>
          of
            .selectFrom("applications")
            .select(["key", "name"])
            .where("name", "in", rows.map(nameOf))
            // A search table writes down what it holds before it takes a row that is not behind all others.
            .orderBy("key"),
        ),
    ),
    removeFromSearch: preparedRows((rows: readonly { readonly key: number }[]) =>
      db.deleteFrom("application_search").where(
        "rowid",
        "in",
        rows.map(({ key }) => key),
      ),
    ),
    dropResources: prepared<Named, unknown>((parameter) =>
      db.deleteFrom("resources").where("application", "=", parameter("application")),
    ),
    entriesOf: preparedRows<Named, EntryRow>((rows) =>
      db.selectFrom("desired_entries").selectAll().where("application", "in", rows.map(nameOf)),
    ),
    addEntries: preparedRows((rows: readonly EntryRow[]) =>
      db.insertInto("desired_entries").values(rows),
    ),
    updateEntry: preparedColumns(({ application, ...columns }: Partial<EntryRow> & Named) =>
      db.updateTable("desired_entries").set(columns).where("application", "=", application),
    ),
    dropEntry: prepared<Named, unknown>((parameter) =>
      db.deleteFrom("desired_entries").where("application", "=", parameter("application")),
    ),
    tombstoneGeneration: prepared<Place, { generation: number }>((parameter) =>
      db
        .selectFrom("tombstones")
        .select("generation")
        .where("cluster_key", "=", parameter("cluster"))
        .where("application", "=", parameter("application")),
    ),
    addTombstone: prepared<TombstoneRow, unknown>((parameter) =>
      db.insertInto("tombstones").values({
        cluster_key: parameter("cluster_key"),
        application: parameter("application"),
        generation: parameter("generation"),
        cause: parameter("cause"),
        actor: parameter("actor"),
        keep_objects: parameter("keep_objects"),
        changed_version: parameter("changed_version"),
        carried_out_at_ms: parameter("carried_out_at_ms"),
        service_account: parameter("service_account"),
      }),
    ),
    dropTombstone: prepared<Place, unknown>((parameter) =>
      db
        .deleteFrom("tombstones")
        .where("cluster_key", "=", parameter("cluster"))
        .where("application", "=", parameter("application")),
    ),
  };
}

const nameOf = ({ application }: Named): ApplicationName => application;

/** Rows that a publication has decided on and not written yet: many of a table go with one statement. */
export type WaitingRows = {
  /** Whose they are: what the store has of these is not all. */
  readonly names: Set<ApplicationName>;
  readonly applications: Omit<KnownApplication, "key">[];
  readonly documents: DocumentRow[];
  /** Whose labels go, for others or for good. */
  readonly unlabelled: Named[];
  readonly labels: LabelRow[];
  readonly entries: EntryRow[];
  /** Whose names are found from now on, and the keys of those that are not. */
  readonly found: Named[];
  readonly lost: { readonly key: number }[];
};

export const noRows = (): WaitingRows => ({
  names: new Set(),
  applications: [],
  documents: [],
  unlabelled: [],
  labels: [],
  entries: [],
  found: [],
  lost: [],
});

/**
 * Writes what waits, inside the transaction that decided on it. In the order that references ask for: applications
 * before what is theirs, labels that go before labels that come.
 */
export async function writeRows(
  db: Db,
  statements: PublishingStatements,
  rows: WaitingRows,
): Promise<void> {
  await statements.addApplications(db, rows.applications);
  await statements.writeDocuments(db, rows.documents);
  await statements.dropLabels(db, rows.unlabelled);
  await statements.addLabels(db, rows.labels);
  await statements.addEntries(db, rows.entries);
  // All together: SQLite writes down the search rows it holds whenever a statement follows that it might undo.
  await statements.addToSearch(db, rows.found);
  await statements.removeFromSearch(db, rows.lost);
}
