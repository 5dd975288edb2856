import { sql } from "kysely";
import { bundleBlob, type Blob, type Bundle } from "../../proto/words/bundle.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { findCluster } from "./cluster-keys.ts";
import { pieces, prepared, type Database, type Db } from "./database.ts";
import { preparedRows } from "./prepared-rows.ts";
import type { Tables } from "./tables.ts";

export type Blobs = {
  /**
   * One transaction. `blobs` holds what may be new; the bundle's own list need not be among them. Every other
   * blob of `entries` must be there or given. Returns how many blobs were new, the list included.
   */
  readonly putBundle: (
    bundle: Digest,
    blobs: readonly Blob[],
    entries: Bundle,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<number>;
  readonly hasBundle: (bundle: Digest, signal: AbortSignal) => Promise<boolean>;
  /** Only when an application offered to this cluster has a bundle that is, or lists, this blob. */
  readonly readFor: (
    cluster: ClusterId,
    digest: Digest,
    signal: AbortSignal,
  ) => Promise<Uint8Array | undefined>;
  /** For the hub itself. */
  readonly read: (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Drops bundles last put before that nobody is offered or has stored, then their blobs. Returns how many blobs. */
  readonly forgetUnused: (olderThanMs: number, signal: AbortSignal) => Promise<number>;
};

/** A bundle is there with all of its blobs or not at all. What is forgotten goes in pieces, each of one transaction. */
export function createBlobs(database: Database): Blobs {
  const { db } = database;
  const clusterOf = findCluster(db);
  type Bytes = { bytes: Uint8Array };
  const byDigest = prepared<{ digest: Digest }, Bytes>((parameter) =>
    db.selectFrom("blobs").select("bytes").where("digest", "=", parameter("digest")),
  );
  // From the cluster's few entries to the blob, not from the blob: thousands of bundles may list it.
  const offered = prepared<{ cluster: number; digest: Digest }, { bundle: Digest }>((parameter) =>
    db
      .selectFrom("desired_entries as e")
      .innerJoin("bundle_blobs as bb", "bb.bundle", "e.bundle")
      .select("e.bundle")
      .where("e.cluster_key", "=", parameter("cluster"))
      .where("bb.blob", "=", parameter("digest"))
      .limit(1),
  );
  const useBundle = prepared<{ digest: Digest; atMs: number }, { digest: Digest }>((parameter) =>
    db
      .updateTable("bundles")
      .set({ used_at_ms: parameter("atMs") })
      .where("digest", "=", parameter("digest"))
      .returning("digest"),
  );
  const addBundles = preparedRows((rows: readonly Tables["bundles"][]) =>
    db.insertInto("bundles").values(rows),
  );
  const addReferences = preparedRows((rows: readonly Tables["bundle_blobs"][]) =>
    db.insertInto("bundle_blobs").values(rows),
  );
  const addBlobs = preparedRows<Tables["blobs"], { digest: Digest }>((rows) =>
    db
      .insertInto("blobs")
      .values(rows)
      .onConflict((conflict) => conflict.column("digest").doNothing())
      .returning("digest"),
  );
  const read = async (db: Db, digest: Digest) => (await byDigest(db, { digest }))[0]?.bytes;

  return {
    putBundle: (bundle, blobs, entries, atMs, signal) => {
      const list = bundleBlob(entries);
      if (list.digest !== bundle)
        throw new TypeError(`bundle ${bundle} is not the list it came with, ${list.digest}`);
      const wanted = new Set<Digest>([list.digest, ...entries.entries.map(({ blob }) => blob)]);
      const given = [list, ...blobs.filter(({ digest }) => wanted.has(digest))];
      return database.write(async ({ db }) => {
        if ((await useBundle(db, { digest: bundle, atMs })).length > 0) return 0;
        const added = await addBlobs(
          db,
          given.map(({ digest, bytes }) => ({
            digest,
            size: bytes.byteLength,
            bytes,
            stored_at_ms: atMs,
          })),
        );
        const objects = entries.entries.length;
        await addBundles(db, [{ digest: bundle, objects, used_at_ms: atMs }]);
        await addReferences(
          db,
          [...wanted].map((blob) => ({ bundle, blob })),
        );
        return added.length;
      }, signal);
    },

    hasBundle: (bundle, signal) =>
      database.read(async (db) => {
        const found = await db
          .selectFrom("bundles")
          .select("digest")
          .where("digest", "=", bundle)
          .executeTakeFirst();
        return found !== undefined;
      }, signal),

    readFor: (cluster: ClusterId, digest, signal) =>
      database.read(async (db) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return undefined;
        const [listed] = await offered(db, { cluster: known.key, digest });
        return listed === undefined ? undefined : read(db, digest);
      }, signal),

    read: (digest, signal) => database.read((db) => read(db, digest), signal),

    forgetUnused: async (olderThanMs, signal) => {
      // A transaction a piece, so that a long clearing keeps nobody waiting.
      let forgotten = 0;
      let after = "";
      for (;;) {
        const piece = await database.write(({ db }) => forgetSome(db, olderThanMs, after), signal);
        forgotten += piece.forgotten;
        if (piece.last === undefined) return forgotten;
        after = piece.last;
      }
    },
  };
}

const bundlesAtOnce = 200;

/** The next unused bundles by digest, and the blobs that no other bundle needs. */
async function forgetSome(
  db: Db,
  olderThanMs: number,
  after: string,
): Promise<{ readonly forgotten: number; readonly last: Digest | undefined }> {
  const { rows: unused } = await sql<{ digest: Digest }>`
    select b.digest as digest from bundles as b
    where b.digest > ${after} and b.used_at_ms < ${olderThanMs}
      and not exists (select 1 from desired_entries as e where e.bundle = b.digest)
      and not exists (select 1 from stored_bundles as s where s.bundle = b.digest)
      and not exists (select 1 from applications as a where a.bundle = b.digest)
    order by b.digest limit ${bundlesAtOnce}
  `.execute(db);
  let forgotten = 0;
  for (const { digest } of unused) {
    const needed = await db
      .selectFrom("bundle_blobs")
      .select("blob")
      .where("bundle", "=", digest)
      .execute();
    await db.deleteFrom("bundles").where("digest", "=", digest).execute();
    for (const some of pieces(needed.map(({ blob }) => blob))) {
      const { numDeletedRows } = await db
        .deleteFrom("blobs")
        .where("digest", "in", some)
        .where((of) =>
          of.not(
            of.exists(
              of
                .selectFrom("bundle_blobs")
                .select("bundle_blobs.bundle")
                .whereRef("bundle_blobs.blob", "=", "blobs.digest"),
            ),
          ),
        )
        .executeTakeFirstOrThrow();
      forgotten += Number(numDeletedRows);
    }
  }
  return { forgotten, last: unused.length < bundlesAtOnce ? undefined : unused.at(-1)?.digest };
}
