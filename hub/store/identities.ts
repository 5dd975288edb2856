import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import { clonedWhy, judgeIdentity, type IdentityFacts } from "../domain/identity.ts";
import { findCluster } from "./cluster-keys.ts";
import { prepared, type Database, type Db, type Writing } from "./database.ts";

/** What the hub makes of a certificate that names this cluster. */
export type IdentityStanding =
  | { readonly kind: "trusted" }
  /** Not issued by us to this cluster, or the cluster is removed. */
  | { readonly kind: "unknown" }
  /** Cut off. */
  | { readonly kind: "void" }
  | { readonly kind: "locked"; readonly why: string };

/** What somebody had to show for a certificate: a join token, or the certificate before it. */
type IssuedFor =
  | { readonly kind: "token"; readonly id: string }
  | { readonly kind: "certificate"; readonly serial: string };

export type Identities = {
  /**
   * Gives the certificate the cluster's next number. False, and nothing recorded, when what it was issued
   * for is not good any more: the cluster was removed, locked or cut off since it was presented.
   */
  readonly recordCertificate: (
    certificate: {
      readonly cluster: ClusterId;
      readonly serial: string;
      readonly publicKey: Digest;
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
      readonly issuedFor: IssuedFor;
    },
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Of a certificate that was presented before and is still in use. */
  readonly standing: (
    cluster: ClusterId,
    serial: string,
    signal: AbortSignal,
  ) => Promise<IdentityStanding>;
  /**
   * Of a certificate that is presented now, which is remembered. An older one than the newest ever presented
   * locks the cluster: `cloned` the first time, `locked` from then on. `cluster-locked` is appended.
   */
  readonly present: (
    cluster: ClusterId,
    serial: string,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<IdentityStanding | { readonly kind: "cloned"; readonly why: string }>;
  /** No identity and no join token of the cluster is taken any more. False when there is no such cluster. */
  readonly lock: (
    name: ClusterName,
    why: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Takes the cluster's identities as before; the next one presented is the one in use. */
  readonly unlock: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Every certificate and join token made so far is void for good, and the lock is gone. */
  readonly cutOff: (
    name: ClusterName,
    actor: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
};

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

/**
 * Whatever locks, frees or moves on an identity is judged again inside its transaction: who comes second sees
 * who came first.
 */
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
