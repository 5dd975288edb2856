import assert from "node:assert/strict";
import { atMs, digest, hour, signal } from "./builders.ts";
import type { Case } from "./case.ts";

export function tokenCases(it: Case): void {
  const token = {
    id: "wht_abcdefgh",
    name: "ci",
    scope: "write" as const,
    createdAtMs: atMs,
    expiresAtMs: atMs + hour,
    revokedAtMs: undefined,
  };

  it("are found by the hash of their secret while they are good", async (store) => {
    await store.tokens.create({ ...token, secretHash: digest("s") }, signal);
    const find = (secret: string, nowMs: number) =>
      store.tokens.findBySecret(digest(secret), nowMs, signal);
    assert.deepEqual(await find("s", atMs), token);
    assert.equal(await find("t", atMs), undefined);
    assert.equal(await find("s", atMs + hour), undefined);
    assert.equal(await store.tokens.revoke(token.id, atMs + 1, signal), true);
    assert.equal(await store.tokens.revoke(token.id, atMs + 2, signal), false);
    assert.equal(await find("s", atMs), undefined);
  });

  it("are listed oldest first, without their hashes", async (store) => {
    const admin = { ...token, id: "wht_zz", createdAtMs: atMs - 1, expiresAtMs: undefined };
    await store.tokens.create({ ...token, secretHash: digest("s") }, signal);
    await store.tokens.create({ ...admin, secretHash: digest("t") }, signal);
    assert.deepEqual(await store.tokens.list(signal), [admin, token]);
  });
}
