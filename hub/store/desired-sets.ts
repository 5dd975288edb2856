import { sql, type Selectable } from "kysely";
import type { Blob } from "../../proto/words/bundle.ts";
import {
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
  type SyncPolicy,
  type Tombstone,
} from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId, Generation, Version } from "../../proto/words/ids.ts";
import { findCluster } from "./cluster-keys.ts";
import { pieces, prepared, type Database, type Db } from "./database.ts";
import { readJson } from "./json.ts";
import type { Tables } from "./tables.ts";

export type DesiredSets = {
  readonly current: (
    cluster: ClusterId,
    signal: AbortSignal,
  ) => Promise<{ readonly version: Version; readonly root: Digest }>;
  /**
   * `undefined`: changes since `base` are not retained, or `base` is not ours; ask for digests. From 0, the
   * tombstones that were carried out are left out.
   */
  readonly changeSince: (
    cluster: ClusterId,
    base: Version,
    signal: AbortSignal,
  ) => Promise<DesiredChange | undefined>;
  /**
   * What turns `held` into the desired set. `base` is 0 and means nothing. Tombstones that were never carried
   * out are included whatever is held: a spoke with a wiped disk still has the objects.
   */
  readonly changeAgainst: (
    cluster: ClusterId,
    held: ReadonlyMap<ApplicationName, Digest>,
    signal: AbortSignal,
  ) => Promise<DesiredChange>;
  /** The spoke has everything up to `version` on its disk, blobs included. */
  readonly recordStored: (
    cluster: ClusterId,
    version: Version,
    root: Digest,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /** The tombstone was carried out. No effect when the application has come back since. */
  readonly recordRemoved: (
    cluster: ClusterId,
    application: ApplicationName,
    generation: Generation,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /**
   * Blobs of these applications' bundles, lists included, that were not part of what this cluster had stored
   * for that application; smallest first, within the limits, without repeats.
   */
  readonly lackingBlobs: (
    cluster: ClusterId,
    applications: readonly ApplicationName[],
    limits: { readonly blobBytesMost: number; readonly totalBytesMost: number },
    signal: AbortSignal,
  ) => Promise<readonly Blob[]>;
  /** Drops tombstones carried out before. Deltas that would need them are refused from then on. Returns how many. */
  readonly forgetTombstones: (carriedOutBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

type EntryRow = Selectable<Tables["desired_entries"]>;
type TombstoneRow = Selectable<Tables["tombstones"]>;

export const entryFromRow = (row: EntryRow): DesiredApplication => ({
  application: row.application,
  generation: row.generation,
  revision: row.revision,
  bundle: row.bundle,
  project: row.project,
  destinationNamespace: row.destination_namespace,
  policy: readJson(row.policy) as SyncPolicy,
  trace: row.trace,
  ...(row.service_account === null ? {} : { serviceAccount: row.service_account }),
});

const tombstoneFromRow = (row: TombstoneRow): Tombstone => ({
  application: row.application,
  generation: row.generation,
  cause: row.cause,
  actor: row.actor,
  keepObjects: row.keep_objects === 1,
  ...(row.service_account === null ? {} : { serviceAccount: row.service_account }),
});

/**
 * A change is read at one moment: its entries, tombstones, version and root belong together. Both lists are by
 * application.
 */
export function createDesiredSets(database: Database): DesiredSets {
  const { db } = database;
  const clusterOf = findCluster(db);
  type Since = { cluster: number; base: number };
  const entriesSince = prepared<Since, EntryRow>((parameter) =>
    db
      .selectFrom("desired_entries")
      .selectAll()
      .where("cluster_key", "=", parameter("cluster"))
      .where("changed_version", ">", parameter("base")),
  );
  const tombstonesSince = prepared<Since, TombstoneRow>((parameter) =>
    db
      .selectFrom("tombstones")
      .selectAll()
      .where("cluster_key", "=", parameter("cluster"))
      .where("changed_version", ">", parameter("base")),
  );
  const blobsById = (db: Db, digests: readonly Digest[]) =>
    db.selectFrom("blobs").select(["digest", "bytes"]).where("digest", "in", digests).execute();

  return {
    current: (cluster, signal) =>
      database.read(async (db) => {
        const known = await clusterOf(db, cluster);
        return known === undefined
          ? { version: 0, root: desiredRoot(new Map()) }
          : { version: known.desired_version, root: known.desired_root };
      }, signal),

    changeSince: (cluster, base, signal) =>
      database.read(async (db): Promise<DesiredChange | undefined> => {
        const known = await clusterOf(db, cluster);
        if (
          known === undefined ||
          base < known.retained_from_version ||
          base > known.desired_version
        )
          return undefined;
        const since = { cluster: known.key, base };
        const entries = await entriesSince(db, since);
        const tombstones = await tombstonesSince(db, since);
        return {
          base,
          target: known.desired_version,
          root: known.desired_root,
          upserts: entries.map(entryFromRow).toSorted(byApplication),
          tombstones: tombstones
            // Whoever holds nothing has nothing to do for what is done.
            .filter((row) => base > 0 || row.carried_out_at_ms === null)
            .map(tombstoneFromRow)
            .toSorted(byApplication),
          strays: [],
        };
      }, signal),

    changeAgainst: (cluster, held, signal) =>
      database.read(async (db): Promise<DesiredChange> => {
        const known = await clusterOf(db, cluster);
        const all = { cluster: known?.key ?? 0, base: -1 };
        const entries = known === undefined ? [] : await entriesSince(db, all);
        const tombstones = known === undefined ? [] : await tombstonesSince(db, all);
        const accounted = new Set<ApplicationName>([
          ...entries.map(({ application }) => application),
          ...tombstones.map(({ application }) => application),
        ]);
        return {
          base: 0,
          target: known?.desired_version ?? 0,
          root: known?.desired_root ?? desiredRoot(new Map()),
          upserts: entries
            .filter(({ application, digest }) => held.get(application) !== digest)
            .map(entryFromRow)
            .toSorted(byApplication),
          tombstones: tombstones
            .filter((row) => row.carried_out_at_ms === null || held.has(row.application))
            .map(tombstoneFromRow)
            .toSorted(byApplication),
          strays: [...held.keys()].filter((name) => !accounted.has(name)).toSorted(),
        };
      }, signal),

    recordStored: (cluster, version, root, atMs, signal) =>
      database.write(async ({ db }) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return;
        if (version === known.desired_version && root !== known.desired_root) return;
        await markStored(db, known.key, known.stored_version, version);
        await db
          .updateTable("clusters")
          .set({ stored_version: version, stored_root: root, last_seen_at_ms: atMs })
          .where("key", "=", known.key)
          .execute();
      }, signal),

    recordRemoved: (cluster, application, generation, atMs, signal) =>
      database.write(async ({ db }) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return;
        const { numUpdatedRows } = await db
          .updateTable("tombstones")
          .set({ carried_out_at_ms: atMs })
          .where("cluster_key", "=", known.key)
          .where("application", "=", application)
          .where("generation", "<=", generation)
          .where("carried_out_at_ms", "is", null)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n) return;
        // Status and resources went when the tombstone was written; what the spoke had on disk goes now.
        await db
          .deleteFrom("stored_bundles")
          .where("cluster_key", "=", known.key)
          .where("application", "=", application)
          .execute();
      }, signal),

    lackingBlobs: (cluster, applications, limits, signal) =>
      database.read(async (db) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return [];
        const lacking = new Map<Digest, number>();
        for (const some of pieces(applications)) {
          const { rows } = await sql<{ digest: Digest; size: number }>`
            select b.digest as digest, b.size as size
            from desired_entries as e
            left join stored_bundles as s
              on s.cluster_key = e.cluster_key and s.application = e.application
            join bundle_blobs as bb on bb.bundle = e.bundle
            join blobs as b on b.digest = bb.blob
            where e.cluster_key = ${known.key} and e.application in (${sql.join(some)})
              and b.size <= ${limits.blobBytesMost}
              and not exists (
                select 1 from bundle_blobs as old where old.bundle = s.bundle and old.blob = bb.blob
              )
          `.execute(db);
          for (const { digest, size } of rows) lacking.set(digest, size);
        }
        const chosen: Digest[] = [];
        let totalBytes = 0;
        for (const [digest, size] of [...lacking].toSorted(bySize)) {
          totalBytes += size;
          if (totalBytes > limits.totalBytesMost) break;
          chosen.push(digest);
        }
        const bytes = new Map<Digest, Uint8Array>();
        for (const some of pieces(chosen))
          for (const blob of await blobsById(db, some)) bytes.set(blob.digest, blob.bytes);
        return chosen.flatMap((digest): readonly Blob[] => {
          const found = bytes.get(digest);
          return found === undefined ? [] : [{ digest, bytes: found }];
        });
      }, signal),

    forgetTombstones: (carriedOutBeforeMs, signal) =>
      database.write(async ({ db, breathe }) => {
        const rows = await db
          .selectFrom("tombstones")
          .select((of) => [
            "cluster_key",
            of.fn.count<number | string>("application").as("tombstones"),
            of.fn.max("changed_version").as("version"),
            of.fn.max("generation").as("generation"),
          ])
          .where("carried_out_at_ms", "is not", null)
          .where("carried_out_at_ms", "<", carriedOutBeforeMs)
          .groupBy("cluster_key")
          .execute();
        let forgotten = 0;
        for (const { cluster_key: key, tombstones, version, generation } of rows) {
          // A delta from before would not mention them; a new entry must still outnumber them.
          await db
            .updateTable("clusters")
            .set((of) => ({
              retained_from_version: greater(of.ref("retained_from_version"), version),
              generation_floor: greater(of.ref("generation_floor"), generation),
            }))
            .where("key", "=", key)
            .execute();
          await db
            .deleteFrom("tombstones")
            .where("cluster_key", "=", key)
            .where("carried_out_at_ms", "<", carriedOutBeforeMs)
            .execute();
          forgotten += Number(tombstones);
          await breathe();
        }
        return forgotten;
      }, signal),
  };
}

/** SQLite's two-armed max() is greatest() elsewhere; this is both. */
const greater = (column: unknown, least: number) =>
  sql<number>`case when ${column} > ${least} then ${column} else ${least} end`;

const byApplication = (
  left: { readonly application: string },
  right: { readonly application: string },
): number => (left.application < right.application ? -1 : 1);

const bySize = (
  [leftDigest, left]: readonly [string, number],
  [rightDigest, right]: readonly [string, number],
): number => left - right || (leftDigest < rightDigest ? -1 : 1);

/** The spoke has every entry that changed after `before`, up to `version`, on its disk. */
export async function markStored(
  db: Db,
  clusterKey: number,
  before: number,
  version: number,
): Promise<void> {
  await db
    .insertInto("stored_bundles")
    .columns(["cluster_key", "application", "bundle", "version"])
    .expression((of) =>
      of
        .selectFrom("desired_entries")
        .select(["cluster_key", "application", "bundle", "changed_version"])
        .where("cluster_key", "=", clusterKey)
        .where("changed_version", ">", before)
        .where("changed_version", "<=", version),
    )
    .onConflict((conflict) =>
      conflict.columns(["cluster_key", "application"]).doUpdateSet((of) => ({
        bundle: of.ref("excluded.bundle"),
        version: of.ref("excluded.version"),
      })),
    )
    .execute();
}

/** The root over what a cluster is offered now. */
export function findRoot(db: Db): (db: Db, cluster: number) => Promise<Digest> {
  const digestsOf = prepared<{ cluster: number }, Pick<EntryRow, "application" | "digest">>(
    (parameter) =>
      db
        .selectFrom("desired_entries")
        .select(["application", "digest"])
        .where("cluster_key", "=", parameter("cluster")),
  );
  return async (db, cluster) => {
    const rows = await digestsOf(db, { cluster });
    return desiredRoot(new Map(rows.map(({ application, digest }) => [application, digest])));
  };
}
