import type { Digest } from "../../proto/words/digest.ts";
import type { TokenRecord } from "../domain/token-record.ts";
import { prepared, type Database } from "./database.ts";
import type { Tables } from "./tables.ts";

export type Tokens = {
  readonly create: (
    token: TokenRecord & { readonly secretHash: Digest },
    signal: AbortSignal,
  ) => Promise<void>;
  /** `undefined` when revoked or expired. */
  readonly findBySecret: (
    secretHash: Digest,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<TokenRecord | undefined>;
  /** Oldest first, revoked ones included. */
  readonly list: (signal: AbortSignal) => Promise<readonly TokenRecord[]>;
  /** False: there is none, or it was revoked before. */
  readonly revoke: (id: string, atMs: number, signal: AbortSignal) => Promise<boolean>;
};

/** All but the hash: that one never leaves the store. */
const columns = ["id", "name", "scope", "created_at_ms", "expires_at_ms", "revoked_at_ms"] as const;

type TokenRow = Pick<Tables["tokens"], (typeof columns)[number]>;

const tokenFromRow = (row: TokenRow): TokenRecord => ({
  id: row.id,
  name: row.name,
  scope: row.scope,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms ?? undefined,
  revokedAtMs: row.revoked_at_ms ?? undefined,
});

/** A token that is revoked is refused from the next question on. */
export function createTokens(database: Database): Tokens {
  const { db } = database;
  // Asked once a request.
  const bySecret = prepared<{ secretHash: Digest }, TokenRow>((parameter) =>
    db.selectFrom("tokens").select(columns).where("secret_hash", "=", parameter("secretHash")),
  );

  return {
    create: (token, signal) =>
      database.write(async ({ db }) => {
        await db
          .insertInto("tokens")
          .values({
            id: token.id,
            name: token.name,
            scope: token.scope,
            secret_hash: token.secretHash,
            created_at_ms: token.createdAtMs,
            expires_at_ms: token.expiresAtMs ?? null,
            revoked_at_ms: token.revokedAtMs ?? null,
          })
          .execute();
      }, signal),

    findBySecret: (secretHash, nowMs, signal) =>
      database.read(async (db) => {
        const [row] = await bySecret(db, { secretHash });
        if (row === undefined || row.revoked_at_ms !== null) return undefined;
        if (row.expires_at_ms !== null && nowMs >= row.expires_at_ms) return undefined;
        return tokenFromRow(row);
      }, signal),

    list: (signal) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom("tokens")
          .select(columns)
          .orderBy("created_at_ms")
          .orderBy("id")
          .execute();
        return rows.map(tokenFromRow);
      }, signal),

    revoke: (id, atMs, signal) =>
      database.write(async ({ db }) => {
        const { numUpdatedRows } = await db
          .updateTable("tokens")
          .set({ revoked_at_ms: atMs })
          .where("id", "=", id)
          .where("revoked_at_ms", "is", null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows > 0n;
      }, signal),
  };
}
