import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import type { Log } from "../../proto/kit/log.ts";
import { Trouble } from "../../proto/kit/trouble.ts";
import { apiTokenBytes, makeApiToken, parseApiToken, type ApiToken } from "../domain/api-token.ts";
import type { Store } from "../store/store.ts";

/**
 * Sees to it that the token in `file` is one of an administrator. Without a file a new token is left there, mode
 * 0600; a file that somebody else wrote, such as a mounted Secret, is taken as it is. A token that was revoked stays
 * revoked.
 *
 * The store knows a new token before the file holds it: a crash in between costs an unused hash, never a file whose
 * token is refused. Throws Trouble when the file cannot be read or holds no API token.
 */
export async function ensureAdminToken(
  file: string,
  store: Pick<Store, "tokens">,
  nowMs: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const given = await readToken(file);
  if (given !== undefined) return takeToken(given);
  const token = makeApiToken(randomBytes(apiTokenBytes));
  await record(token);
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

  async function takeToken(token: ApiToken): Promise<void> {
    const known = (await store.tokens.list(signal)).find(({ id }) => id === token.id);
    if (known === undefined) {
      await record(token);
      log.info("admin token taken from its file", { file, id: token.id });
    } else if ((await store.tokens.findBySecret(token.secretHash, nowMs, signal)) === undefined) {
      log.warn("admin token in its file is not good", {
        file,
        id: token.id,
        problem: "it was revoked, or another token has its id",
      });
    }
  }

  async function record({ id, secretHash }: ApiToken): Promise<void> {
    await store.tokens.create(
      {
        id,
        secretHash,
        name: "admin",
        scope: "write",
        createdAtMs: nowMs,
        expiresAtMs: undefined,
        revokedAtMs: undefined,
      },
      signal,
    );
  }
}

/** `undefined`: there is no file. */
async function readToken(file: string): Promise<ApiToken | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new Trouble(`admin token file ${file} cannot be read`, { cause: error });
  });
  if (text === undefined) return undefined;
  const token = parseApiToken(text.trim());
  // Said without repeating it: it may be a secret of something else.
  if (!token.ok)
    throw new Trouble(
      `admin token file ${file} cannot be used: ${token.problem}; restore a backup of it, ` +
        `or remove it, and the next start leaves a new one`,
    );
  return token.value;
}
