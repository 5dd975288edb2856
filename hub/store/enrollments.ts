import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import { findCluster } from "./cluster-keys.ts";
import type { Database } from "./database.ts";
import { UnknownCluster } from "./trouble.ts";

export type Enrollments = {
  readonly createToken: (
    token: {
      readonly id: string;
      readonly secretHash: Digest;
      readonly cluster: ClusterId;
      readonly createdAtMs: number;
      readonly expiresAtMs: number;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  /**
   * Atomic. The same token with the same public key may be used again until it expires. A wrong secret and a
   * removed cluster are `unknown`, like a token nobody made.
   */
  readonly useToken: (
    use: {
      readonly id: string;
      readonly secretHash: Digest;
      readonly publicKey: Digest;
      readonly nowMs: number;
    },
    signal: AbortSignal,
  ) => Promise<
    Result<
      { readonly cluster: ClusterId; readonly name: ClusterName },
      | { readonly kind: "unknown" }
      | { readonly kind: "expired"; readonly atMs: number }
      | { readonly kind: "used"; readonly atMs: number }
      | { readonly kind: "locked"; readonly why: string }
    >
  >;
  /** Drops join tokens and certificates whose life ended before. Returns how many. */
  readonly forget: (endedBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

/** A token is used inside one transaction: of two keys that come with it at once, one has it. */
export function createEnrollments(database: Database): Enrollments {
  const clusterOf = findCluster(database.db);

  return {
    createToken: (token, signal) =>
      database.write(async ({ db }) => {
        const cluster = await clusterOf(db, token.cluster);
        if (cluster === undefined) throw new UnknownCluster(token.cluster);
        await db
          .insertInto("join_tokens")
          .values({
            id: token.id,
            secret_hash: token.secretHash,
            cluster_key: cluster.key,
            created_at_ms: token.createdAtMs,
            expires_at_ms: token.expiresAtMs,
            used_at_ms: null,
            public_key: null,
          })
          .execute();
      }, signal),

    useToken: (use, signal) =>
      database.write(async ({ db }) => {
        const token = await db
          .selectFrom("join_tokens as t")
          .innerJoin("clusters as c", "c.key", "t.cluster_key")
          .select([
            "t.expires_at_ms",
            "t.used_at_ms",
            "t.public_key",
            "c.id",
            "c.name",
            "c.locked_at_ms",
            "c.locked_why",
          ])
          .where("t.id", "=", use.id)
          .where("t.secret_hash", "=", use.secretHash)
          .where("c.removed_at_ms", "is", null)
          .executeTakeFirst();
        if (token === undefined) return fail({ kind: "unknown" as const });
        if (token.locked_at_ms !== null)
          return fail({ kind: "locked" as const, why: token.locked_why ?? "locked" });
        if (use.nowMs >= token.expires_at_ms)
          return fail({ kind: "expired" as const, atMs: token.expires_at_ms });
        if (token.used_at_ms !== null && token.public_key !== use.publicKey)
          return fail({ kind: "used" as const, atMs: token.used_at_ms });
        if (token.used_at_ms === null) {
          await db
            .updateTable("join_tokens")
            .set({ used_at_ms: use.nowMs, public_key: use.publicKey })
            .where("id", "=", use.id)
            .execute();
        }
        return ok({ cluster: token.id, name: token.name });
      }, signal),

    forget: (endedBeforeMs, signal) =>
      database.write(async ({ db }) => {
        const tokens = await db
          .deleteFrom("join_tokens")
          .where("expires_at_ms", "<", endedBeforeMs)
          .executeTakeFirstOrThrow();
        const certificates = await db
          .deleteFrom("certificates")
          .where("not_after_ms", "<", endedBeforeMs)
          .executeTakeFirstOrThrow();
        return Number(tokens.numDeletedRows + certificates.numDeletedRows);
      }, signal),
  };
}
