import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { suite } from "node:test";
import { ensureAdminToken } from "../../../hub/compose/admin-token.ts";
import { parseApiToken } from "../../../hub/domain/api-token.ts";
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
});
