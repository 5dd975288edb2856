import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { isWholeId } from "./commit-id.ts";

/** What outlives a restart. Written after everything it names is on disk, whole. */
export type MirrorState = {
  /** Each name the remote has for it (`refs/heads/main`, a commit id) and where that was. */
  readonly tips: Readonly<Record<string, string>>;
  /** Each revision asked for and its commit. */
  readonly heads: Readonly<Record<string, string>>;
  /** Snapshots without history, because the history is too large. */
  readonly snapshots: boolean;
};

export const emptyState: MirrorState = { tips: {}, heads: {}, snapshots: false };

const stateFile = "wheelhouse.json";

/** `undefined` when the folder has no note, one of another repository, or one that cannot be understood. */
export async function readState(folder: string, url: string): Promise<MirrorState | undefined> {
  try {
    const text = await readFile(join(folder, stateFile), "utf8");
    const value = JSON.parse(text) as { readonly url?: unknown } & Partial<MirrorState>;
    if (value.url !== url) return undefined;
    return {
      tips: commitsIn(value.tips),
      heads: commitsIn(value.heads),
      snapshots: value.snapshots === true,
    };
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const commitsIn = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(typeof value === "object" && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && isWholeId(entry[1]),
    ),
  );

/** All of it or nothing, whenever the process is killed. */
export async function writeState(folder: string, url: string, state: MirrorState): Promise<void> {
  const unfinished = join(folder, `${stateFile}.tmp`);
  await writeFile(unfinished, JSON.stringify({ url, ...state }, undefined, 2));
  await rename(unfinished, join(folder, stateFile));
}
