import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { BaseCache } from "./base-cache.ts";
import { objectLimits, type GitObject, type ObjectLimits } from "./git-object.ts";
import { readLoose } from "./loose-object.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { openPack, type Pack } from "./pack.ts";

/**
 * The objects of one bare repository, read straight from its packs and loose files.
 *
 * Reading is synchronous: an object costs some ten microseconds from the file cache, less than a turn of the
 * event loop. Whoever reads thousands yields between them. Not safe for use while `close` is pending.
 */
export type ObjectStore = {
  /** `undefined` when there is no such object. Throws MirrorDamaged when there is one that cannot be read. */
  readonly read: (oid: string) => GitObject | undefined;
  readonly has: (oid: string) => boolean;
  /** Bytes of an object, without reading it whole. `undefined` when there is no such object. */
  readonly size: (oid: string) => number | undefined;
  /** Full ids that begin with `prefix` (4 or more lower-case hexadecimal digits), at most `most`. */
  readonly withPrefix: (prefix: string, most: number) => readonly string[];
  /** Looks for packs that came or went since. Readers of packs that went keep what they hold. */
  readonly refresh: () => void;
  readonly packs: () => readonly PackFile[];
  /** Name of a pack that holds the object. */
  readonly packOf: (oid: string) => string | undefined;
  readonly close: () => void;
};

export type PackFile = { readonly name: string; readonly bytes: number; readonly objects: number };

/** Opens the objects under `gitFolder`. Packs whose index is missing or broken are as good as absent. */
export function openObjects(gitFolder: string, limits: ObjectLimits = objectLimits): ObjectStore {
  const packFolder = join(gitFolder, "objects", "pack");
  const packs = new Map<string, Pack>();
  const bases = new BaseCache(limits.cacheBytesMost);

  const refresh = (): void => {
    const names = new Set(
      listFolder(packFolder)
        .filter((name) => name.endsWith(".idx"))
        .map((name) => name.slice(0, -".idx".length)),
    );
    for (const [name, pack] of packs) {
      if (names.has(name)) continue;
      packs.delete(name);
      pack.close();
    }
    for (const name of names) {
      if (packs.has(name)) continue;
      const pack = openPack(join(packFolder, name), name, limits, bases, readBase);
      if (pack !== undefined) packs.set(name, pack);
    }
  };

  const find = (oid: string): { readonly pack: Pack; readonly offset: number } | undefined => {
    for (const pack of packs.values()) {
      const offset = pack.find(oid);
      if (offset !== undefined) return { pack, offset };
    }
    return undefined;
  };

  const readBase = (oid: string, depth: number): GitObject => {
    const place = find(oid);
    const object =
      place === undefined
        ? readLoose(gitFolder, oid, limits)
        : place.pack.read(place.offset, depth);
    if (object === undefined) throw new MirrorDamaged(`base ${oid} of a delta is missing`);
    return object;
  };

  refresh();
  return {
    read: (oid) => {
      const place = find(oid);
      return place === undefined
        ? readLoose(gitFolder, oid, limits)
        : place.pack.read(place.offset, 0);
    },
    has: (oid) => find(oid) !== undefined || readLoose(gitFolder, oid, limits) !== undefined,
    size: (oid) => {
      const place = find(oid);
      return place === undefined
        ? readLoose(gitFolder, oid, limits)?.bytes.length
        : place.pack.size(place.offset);
    },
    withPrefix: (prefix, most) => {
      const found = new Set<string>();
      for (const pack of packs.values()) pack.collectPrefix(prefix, most, found);
      const loosePrefix = prefix.slice(2);
      for (const name of listFolder(join(gitFolder, "objects", prefix.slice(0, 2))))
        if (found.size < most && name.startsWith(loosePrefix)) found.add(prefix.slice(0, 2) + name);
      return [...found];
    },
    refresh,
    packs: () =>
      [...packs.values()].map(({ name, bytes, count }) => ({ name, bytes, objects: count })),
    packOf: (oid) => find(oid)?.pack.name,
    close: () => {
      for (const pack of packs.values()) pack.close();
      packs.clear();
    },
  };
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
