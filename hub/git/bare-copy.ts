import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { completeCommit } from "./complete-commit.ts";
import type { ObjectLimits } from "./git-object.ts";
import { emptyState, readState, writeState, type MirrorState } from "./mirror-state.ts";
import { openObjects, type ObjectStore } from "./objects.ts";
import { checkPack, joinPacks, removePack, sweepPacks } from "./pack-files.ts";

/** What is held of one repository on disk. One writes, any number may read. */
export type BareCopy = {
  readonly folder: string;
  readonly objects: ObjectStore;
  readonly state: MirrorState;
  /** The commit behind an id, through annotated tags; `undefined` unless all of its files are here. */
  readonly completeCommit: (oid: string, signal: AbortSignal) => Promise<string | undefined>;
  /** From now on only snapshots are kept. Outlives a restart with the next `note`. */
  readonly giveUpHistory: () => void;
  /** Puts under `haveRef` what the next fetch may build on: a commit with all of its history, or nothing. */
  readonly placeHave: (commit: string | undefined) => Promise<void>;
  /** Makes what a fetch left readable. Throws MirrorDamaged for a pack that differs from its own checksum. */
  readonly takeIn: (signal: AbortSignal) => Promise<void>;
  /** Makes `state` what it is, also after a restart. */
  readonly note: (state: MirrorState) => Promise<void>;
  /** Many packs become one. Where each is a snapshot of its own, those that no tip lives in go. */
  readonly tidy: (packsMost: number, signal: AbortSignal) => Promise<void>;
  readonly close: () => void;
};

/** The ref by which a fetch finds what is here already. */
export const haveRef = "refs/wheelhouse/have";

/** Opens what the disk holds of a repository; whatever cannot be used is made again, empty. */
export async function openBareCopy(
  folder: string,
  url: string,
  limits: ObjectLimits,
): Promise<BareCopy> {
  const packFolder = join(folder, "objects", "pack");
  await sweepPacks(packFolder);
  const noted = await readState(folder, url);
  if (noted === undefined) await makeFolder(folder, url);
  // Refs that isomorphic-git wrote may name objects that never arrived.
  await rm(join(folder, "refs"), { recursive: true, force: true });
  await mkdir(join(folder, "refs", "heads"), { recursive: true });
  const objects = openObjects(folder, limits);
  let state = noted ?? emptyState;
  // Trees known to be here with everything below them.
  const completeTrees = new Set<string>();
  const packNames = (): readonly string[] => objects.packs().map(({ name }) => name);

  return {
    folder,
    objects,
    get state() {
      return state;
    },
    completeCommit: (oid, signal) => completeCommit(objects, oid, completeTrees, signal),
    giveUpHistory: () => {
      state = { ...state, snapshots: true };
    },
    placeHave: async (commit) => {
      await rm(join(folder, haveRef), { force: true });
      if (commit === undefined) return;
      await mkdir(join(folder, "refs", "wheelhouse"), { recursive: true });
      await writeFile(join(folder, haveRef), `${commit}\n`);
    },
    takeIn: async (signal) => {
      const before = new Set(packNames());
      await sweepPacks(packFolder);
      objects.refresh();
      for (const name of packNames())
        if (!before.has(name)) await checkPack(join(packFolder, `${name}.pack`), signal);
    },
    note: async (next) => {
      await writeState(folder, url, next);
      state = next;
    },
    tidy: async (packsMost, signal) => {
      const names = packNames();
      if (names.length <= packsMost) return;
      if (state.snapshots) {
        const needed = new Set(Object.values(state.tips).map((tip) => objects.packOf(tip)));
        for (const name of names) if (!needed.has(name)) await removePack(packFolder, name);
      } else {
        await joinPacks(packFolder, names, signal);
      }
      objects.refresh();
    },
    close: objects.close,
  };
}

async function makeFolder(folder: string, url: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "objects", "pack"), { recursive: true });
  await mkdir(join(folder, "refs", "heads"), { recursive: true });
  await writeFile(join(folder, "HEAD"), "ref: refs/heads/main\n");
  await writeState(folder, url, emptyState);
}
