import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { ensureAdminToken } from "../../../hub/compose/admin-token.ts";
import { apiTokenBytes, makeApiToken, parseApiToken } from "../../../hub/domain/api-token.ts";
import { openStore } from "../../../hub/store/store.ts";
import { silentLog } from "../../../proto/kit/log.ts";

suite("the admin token", () => {
  const signal = new AbortController().signal;

  const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), "wheelhouse-admin-"));
    try {
      await work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test("is left once, in a file that only its owner reads, and works", () =>
    inFolder(async (folder) => {
      const store = await openStore({ folder });
      const file = join(folder, "admin-token");
      // What a start that was killed left behind is no token.
      writeFileSync(`${file}.new`, "", { mode: 0o600 });
      await ensureAdminToken(file, store, 1, silentLog, signal);
      const text = readFileSync(file, "utf8").trim();
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const token = parseApiToken(text);
      assert.ok(token.ok);
      const found = await store.tokens.findBySecret(token.value.secretHash, 2, signal);
      assert.equal(found?.scope, "write");
      await ensureAdminToken(file, store, 3, silentLog, signal);
      assert.equal(readFileSync(file, "utf8").trim(), text);
      assert.equal((await store.tokens.list(signal)).length, 1);
      store.close();
    }));

  test("that somebody else wrote is taken as it is, and once", () =>
    inFolder(async (folder) => {
      const store = await openStore({ folder });
      const file = join(folder, "mounted");
      const given = makeApiToken(new Uint8Array(apiTokenBytes).fill(7));
      writeFileSync(file, `${given.text}\n`, { mode: 0o400 });
      for (const nowMs of [1, 2]) await ensureAdminToken(file, store, nowMs, silentLog, signal);
      const found = await store.tokens.findBySecret(given.secretHash, 3, signal);
      assert.deepEqual([found?.id, found?.scope], [given.id, "write"]);
      assert.equal((await store.tokens.list(signal)).length, 1);
      store.close();
    }));

  test("that was revoked stays revoked, whatever its file says", () =>
    inFolder(async (folder) => {
      const store = await openStore({ folder });
      const file = join(folder, "admin-token");
      await ensureAdminToken(file, store, 1, silentLog, signal);
      const token = parseApiToken(readFileSync(file, "utf8").trim());
      assert.ok(token.ok);
      assert.ok(await store.tokens.revoke(token.value.id, 2, signal));
      await ensureAdminToken(file, store, 3, silentLog, signal);
      assert.equal(await store.tokens.findBySecret(token.value.secretHash, 4, signal), undefined);
      store.close();
    }));

  test("that is none stops the start, without being repeated", () =>
    inFolder(async (folder) => {
      const store = await openStore({ folder });
      const file = join(folder, "mounted");
      writeFileSync(file, "hunter2\n");
      await assert.rejects(ensureAdminToken(file, store, 1, silentLog, signal), (error: Error) => {
        assert.match(
          error.message,
          /admin token file .* is not of the form wht_.*restore a backup of it, or remove it/,
        );
        assert.ok(!error.message.includes("hunter2"));
        return true;
      });
      assert.deepEqual(await store.tokens.list(signal), []);
      store.close();
    }));
});
