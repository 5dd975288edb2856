import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { Trouble } from "../../proto/kit/trouble.ts";
import { authorityFile } from "../link/authority.ts";
import { databaseFile } from "../store/database.ts";
import type { Store } from "../store/store.ts";

// A hub that has worked has both its database and its authority. With one of them gone it would begin anew
// beside the other, and every cluster would be a stranger to it: it must not start at all.

/** Where the hub's certificate authority is, in its data folder. */
export const authorityFolder = (folder: string): string => join(folder, "authority");

const authorityIn = (folder: string): string => join(authorityFolder(folder), authorityFile);

/** Throws when there is an authority and no database. To be asked before the database is opened. */
export async function refuseLostDatabase(folder: string): Promise<void> {
  if (!(await exists(authorityIn(folder)))) return;
  const database = join(folder, databaseFile);
  // The authority is made after the first migration, so that an empty database is one that was emptied.
  if (((await sizeOf(database)) ?? 0) === 0)
    throw new Error(
      `${database} is empty or gone, and this hub has worked before; restore a backup of it, or remove ` +
        `${folder} to begin anew, after which every cluster has to join again`,
    );
}

/** Throws when there are clusters and no authority. To be asked before the authority is opened. */
export async function refuseLostAuthority(
  folder: string,
  store: Pick<Store, "clusters">,
  signal: AbortSignal,
): Promise<void> {
  const authority = authorityIn(folder);
  if (await exists(authority)) return;
  const { length } = await store.clusters.facts(signal);
  if (length > 0)
    throw new Error(
      `${authority} is gone, and ${length} clusters are registered; restore a backup of it, since with a ` +
        `new authority every one of them would have to join again`,
    );
}

const exists = async (file: string): Promise<boolean> => (await sizeOf(file)) !== undefined;

/** `undefined`: there is no such file. One that cannot be looked at is not gone: Trouble is thrown. */
const sizeOf = (file: string): Promise<number | undefined> =>
  stat(file).then(
    ({ size }) => size,
    (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw new Trouble(`${file} cannot be looked at`, { cause: error });
    },
  );
