import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import { clonedWhy, judgeIdentity, type IdentityFacts } from "../domain/identity.ts";
import { findCluster } from "./cluster-keys.ts";
import { prepared, type Database, type Db, type Writing } from "./database.ts";
import type { Identities, IdentityStanding } from "./store.ts";

type IdentityRow = {
  readonly key: number;
  readonly name: string;
  readonly generation: number;
  readonly identity_least: number;
  readonly identity_used: number;
  readonly identity_used_since_ms: number;
  readonly locked_at_ms: number | null;
  readonly locked_why: string | null;
};

export function createIdentities(database: Database): Identities {
  const { db } = database;
  const clusterOf = findCluster(db);
  // Asked at every call, and every few seconds of an open stream.
  const bySerial = prepared<{ serial: string; cluster: ClusterId }, IdentityRow>((parameter) =>
    db
      .selectFrom("certificates as t")
      .innerJoin("clusters as c", "c.key", "t.cluster_key")
      .select([
        "c.key",
        "c.name",
        "t.generation",
        "c.identity_least",
        "c.identity_used",
        "c.identity_used_since_ms",
        "c.locked_at_ms",
        "c.locked_why",
      ])
      .where("t.serial", "=", parameter("serial"))
      .where("c.id", "=", parameter("cluster"))
      .where("c.removed_at_ms", "is", null),
  );

  return {
    recordCertificate: (certificate, signal) =>
      database.write(async ({ db }) => {
        const { issuedFor } = certificate;
        const holds =
          issuedFor.kind === "token"
            ? await tokenStands(db, certificate.cluster, issuedFor.id)
            : stands((await bySerial(db, { ...certificate, serial: issuedFor.serial }))[0]);
        const cluster = await clusterOf(db, certificate.cluster);
        if (cluster === undefined || !holds) return false;
        const { identity_newest: certificateNumber } = await db
          .updateTable("clusters")
          .set((of) => ({
            certificate_expires_at_ms: certificate.notAfterMs,
            identity_newest: of("identity_newest", "+", 1),
          }))
          .where("key", "=", cluster.key)
          .returning("identity_newest")
          .executeTakeFirstOrThrow();
        await db
          .insertInto("certificates")
          .values({
            serial: certificate.serial,
            cluster_key: cluster.key,
            public_key: certificate.publicKey,
            not_before_ms: certificate.notBeforeMs,
            not_after_ms: certificate.notAfterMs,
            generation: certificateNumber,
          })
          .execute();
        return true;
      }, signal),

    standing: async (cluster, serial, signal) => {
      const row = await database.read(
        async (db) => (await bySerial(db, { serial, cluster }))[0],
        signal,
      );
      return standingOf(row);
    },

    present: async (cluster, serial, nowMs, signal) => {
      const judged = async (db: Db) => {
        const [row] = await bySerial(db, { serial, cluster });
        return row && { row, verdict: judgeIdentity(factsOf(row), nowMs) };
      };
      const found = await database.read(judged, signal);
      if (found === undefined) return { kind: "unknown" };
      const { verdict } = found;
      if (verdict.kind === "good") return { kind: "trusted" };
      if (verdict.kind === "void" || verdict.kind === "locked") return verdict;
      return database.write(async (writing) => {
        // Somebody else may have come in between.
        const again = await judged(writing.db);
        if (again === undefined) return { kind: "unknown" as const };
        switch (again.verdict.kind) {
          case "good":
            return { kind: "trusted" as const };
          case "newer":
            await writing.db
              .updateTable("clusters")
              .set({ identity_used: again.row.generation, identity_used_since_ms: nowMs })
              .where("key", "=", again.row.key)
              .execute();
            return { kind: "trusted" as const };
          case "cloned":
            await lock(writing, again.row, clonedWhy, nowMs);
            return { kind: "cloned" as const, why: clonedWhy };
          default:
            return again.verdict;
        }
      }, signal);
    },

    lock: (name, why, atMs, signal) =>
      database.write(async (writing) => {
        const row = await liveByName(writing.db, name);
        if (row === undefined) return false;
        await lock(writing, row, why, atMs);
        return true;
      }, signal),

    unlock: (name, actor, atMs, signal) =>
      database.write(async ({ db, append }) => {
        const row = await liveByName(db, name);
        if (row === undefined) return false;
        await db
          .updateTable("clusters")
          // Whichever identity comes first is the one in use from then on.
          .set({
            locked_at_ms: null,
            locked_why: null,
            identity_used: 0,
            identity_used_since_ms: 0,
          })
          .where("key", "=", row.key)
          .execute();
        if (row.locked_at_ms !== null)
          append(
            {
              kind: "cluster-unlocked",
              subject: name,
              cluster: name,
              message: `unlocked by ${actor}`,
            },
            atMs,
          );
        return true;
      }, signal),

    cutOff: (name, actor, atMs, signal) =>
      database.write(async ({ db, append }) => {
        const row = await liveByName(db, name);
        if (row === undefined) return false;
        await db
          .updateTable("clusters")
          .set((of) => ({
            identity_least: of("identity_newest", "+", 1),
            identity_used: 0,
            identity_used_since_ms: 0,
            locked_at_ms: null,
            locked_why: null,
          }))
          .where("key", "=", row.key)
          .execute();
        await db.deleteFrom("join_tokens").where("cluster_key", "=", row.key).execute();
        append(
          {
            kind: "cluster-cut-off",
            subject: name,
            cluster: name,
            message: `every certificate and join token made void by ${actor}`,
          },
          atMs,
        );
        return true;
      }, signal),
  };
}

function standingOf(row: IdentityRow | undefined): IdentityStanding {
  if (row === undefined) return { kind: "unknown" };
  const facts = factsOf(row);
  // Whether it is the newest is asked of who presents one, not of who goes on with one.
  const verdict = judgeIdentity({ ...facts, used: facts.certificateNumber }, facts.usedSinceMs);
  return verdict.kind === "void" || verdict.kind === "locked" ? verdict : { kind: "trusted" };
}

const stands = (row: IdentityRow | undefined): boolean => standingOf(row).kind === "trusted";

/** Whether the token is still there and its cluster takes it. */
async function tokenStands(db: Db, cluster: ClusterId, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("join_tokens as t")
    .innerJoin("clusters as c", "c.key", "t.cluster_key")
    .select("c.locked_at_ms")
    .where("t.id", "=", id)
    .where("c.id", "=", cluster)
    .executeTakeFirst();
  return row !== undefined && row.locked_at_ms === null;
}

const factsOf = (row: IdentityRow): IdentityFacts => ({
  certificateNumber: row.generation,
  least: row.identity_least,
  used: row.identity_used,
  usedSinceMs: row.identity_used_since_ms,
  locked: row.locked_at_ms === null ? undefined : (row.locked_why ?? "locked"),
});

const liveByName = (db: Db, name: ClusterName) =>
  db
    .selectFrom("clusters")
    .select(["key", "name", "locked_at_ms"])
    .where("name", "=", name)
    .where("removed_at_ms", "is", null)
    .executeTakeFirst();

/** Locking what is locked keeps since when and why. */
async function lock(
  { db, append }: Pick<Writing, "db" | "append">,
  {
    key,
    name,
    locked_at_ms: lockedAtMs,
  }: { key: number; name: string; locked_at_ms: number | null },
  why: string,
  atMs: number,
): Promise<void> {
  if (lockedAtMs !== null) return;
  await db
    .updateTable("clusters")
    .set({ locked_at_ms: atMs, locked_why: why })
    .where("key", "=", key)
    .execute();
  append({ kind: "cluster-locked", subject: name, cluster: name, message: why }, atMs);
}
