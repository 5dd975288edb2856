import { randomBytes } from "node:crypto";
import { access, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../../proto/kit/log.ts";
import { apiTokenBytes, makeApiToken } from "../domain/api-token.ts";
import type { Store } from "../store/store.ts";

/**
 * Leaves an admin token in `file`, mode 0600, unless there is one already.
 *
 * The store knows the token before the file holds it: a crash in between costs an unused hash, never a file whose
 * token is refused.
 */
export async function ensureAdminToken(
  file: string,
  store: Pick<Store, "tokens">,
  nowMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  if (await exists(file)) return;
  const token = makeApiToken(randomBytes(apiTokenBytes));
  await store.tokens.create(
    {
      id: token.id,
      secretHash: token.secretHash,
      name: "admin",
      scope: "write",
      createdAtMs: nowMs,
      expiresAtMs: undefined,
      revokedAtMs: undefined,
    },
    signal,
  );
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Whole or not there: a crash must not leave an empty file that the next start takes for a token.
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(`${token.text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  log.info("admin token created", { file, id: token.id });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
