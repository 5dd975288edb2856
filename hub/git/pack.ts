import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { constants, inflateSync } from "node:zlib";
import { MirrorDamaged } from "./mirror-damaged.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export type GitObject = { readonly type: ObjectType; readonly bytes: Uint8Array };

export type ObjectLimits = {
  /** An object larger than this is not read. */
  readonly objectBytesMost: number;
  /** Memory for bases of deltas. */
  readonly cacheBytesMost: number;
};

export const objectLimits: ObjectLimits = {
  objectBytesMost: 25 * 1024 * 1024,
  cacheBytesMost: 32 * 1024 * 1024,
};

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

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

type Pack = {
  readonly name: string;
  readonly bytes: number;
  readonly count: number;
  readonly find: (oid: string) => number | undefined;
  readonly collectPrefix: (prefix: string, most: number, into: Set<string>) => void;
  readonly read: (offset: number, depth: number) => GitObject;
  readonly size: (offset: number) => number;
  readonly close: () => void;
};

type Entry = {
  readonly type: ObjectType | "ofs-delta" | "ref-delta";
  /** Size once inflated; of a delta, that of the delta itself. */
  readonly size: number;
  /** Where the compressed bytes begin and end. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly baseOid: string;
};

const entryTypes: ReadonlyMap<number, Entry["type"]> = new Map([
  [1, "commit"],
  [2, "tree"],
  [3, "blob"],
  [4, "tag"],
  [6, "ofs-delta"],
  [7, "ref-delta"],
]);

/** Git itself makes chains of at most 50 (4,095 by force); a longer one is an attack or a loop. */
const deltaDepthMost = 4_096;
const headerBytesMost = 32;
const oidBytes = 20;

/** `undefined` when the two files are not both there and whole, as after a kill in the middle of a fetch. */
function openPack(
  path: string,
  name: string,
  limits: ObjectLimits,
  bases: BaseCache,
  readBase: (oid: string, depth: number) => GitObject,
): Pack | undefined {
  const index = readPackIndex(`${path}.idx`);
  if (index === undefined) return undefined;
  let file: number;
  try {
    file = openSync(`${path}.pack`, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const bytes = fstatSync(file).size;
  const packEnd = bytes - oidBytes;
  if (!packIsWhole(file, bytes, index)) {
    closeSync(file);
    return undefined;
  }
  let open = true;

  const slice = (start: number, length: number): Buffer => {
    if (!open) throw new MirrorDamaged(`pack ${name} was closed`);
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = readSync(file, buffer, done, length - done, start + done);
      if (count === 0) break;
      done += count;
    }
    return buffer.subarray(0, done);
  };

  const entryAt = (offset: number): Entry => {
    const header = slice(offset, Math.min(headerBytesMost, packEnd - offset));
    let at = 0;
    const next = (): number => {
      const byte = header[at];
      if (byte === undefined) throw new MirrorDamaged(`pack ${name} is broken at ${offset}`);
      at += 1;
      return byte;
    };
    let byte = next();
    const type = entryTypes.get((byte >> 4) & 7);
    if (type === undefined)
      throw new MirrorDamaged(`pack ${name} has an unknown entry at ${offset}`);
    let size = byte & 15;
    for (let factor = 16; byte >= 128; factor *= 128) {
      byte = next();
      size += (byte & 127) * factor;
    }
    let baseOffset = 0;
    let baseOid = "";
    if (type === "ofs-delta") {
      byte = next();
      let distance = byte & 127;
      while (byte >= 128) {
        byte = next();
        distance = (distance + 1) * 128 + (byte & 127);
      }
      baseOffset = offset - distance;
      if (distance === 0 || baseOffset < 12)
        throw new MirrorDamaged(`pack ${name} has a delta without a base at ${offset}`);
    } else if (type === "ref-delta") {
      baseOid = header.subarray(at, at + oidBytes).toString("hex");
      at += oidBytes;
    }
    return {
      type,
      size,
      start: offset + at,
      end: index.endOf(offset, packEnd),
      baseOffset,
      baseOid,
    };
  };

  const inflated = (entry: Entry): Buffer => {
    if (entry.size > limits.objectBytesMost)
      throw new MirrorDamaged(
        `an object of ${entry.size} bytes is larger than ${limits.objectBytesMost}`,
      );
    try {
      const result = inflateSync(slice(entry.start, entry.end - entry.start), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: Math.max(1, entry.size),
      });
      if (result.length === entry.size) return result;
    } catch (error) {
      throw new MirrorDamaged(`pack ${name} cannot be inflated at ${entry.start}`, error);
    }
    throw new MirrorDamaged(`pack ${name} has an entry of the wrong size at ${entry.start}`);
  };

  const baseOf = (entry: Entry, depth: number): GitObject => {
    if (depth >= deltaDepthMost)
      throw new MirrorDamaged(`pack ${name} has an endless chain of deltas`);
    return entry.type === "ofs-delta"
      ? read(entry.baseOffset, depth + 1)
      : readBase(entry.baseOid, depth + 1);
  };

  const read = (offset: number, depth: number): GitObject => {
    const key = `${name} ${offset}`;
    const kept = bases.get(key);
    if (kept !== undefined) return kept;
    const entry = entryAt(offset);
    let object: GitObject;
    if (entry.type === "ofs-delta" || entry.type === "ref-delta") {
      const base = baseOf(entry, depth);
      object = { type: base.type, bytes: applyDelta(base.bytes, inflated(entry), limits, name) };
    } else {
      object = { type: entry.type, bytes: inflated(entry) };
    }
    // Only what may be somebody's base is worth keeping: whoever asks for a blob keeps it himself.
    if (depth > 0 || object.type === "tree") bases.put(key, object);
    return object;
  };

  const size = (offset: number): number => {
    const entry = entryAt(offset);
    const isDelta = entry.type === "ofs-delta" || entry.type === "ref-delta";
    return isDelta ? deltaSizes(inflated(entry), name).result : entry.size;
  };

  return {
    name,
    bytes,
    count: index.count,
    find: index.find,
    collectPrefix: index.collectPrefix,
    read,
    size,
    close: () => {
      if (open) closeSync(file);
      open = false;
    },
  };
}

function packIsWhole(file: number, bytes: number, index: PackIndex): boolean {
  if (bytes < 12 + oidBytes) return false;
  const head = Buffer.alloc(12);
  const tail = Buffer.alloc(oidBytes);
  readSync(file, head, 0, 12, 0);
  readSync(file, tail, 0, oidBytes, bytes - oidBytes);
  return (
    head.toString("latin1", 0, 4) === "PACK" &&
    head.readUInt32BE(4) === 2 &&
    head.readUInt32BE(8) >= index.count &&
    tail.equals(index.packChecksum)
  );
}

type PackIndex = {
  readonly count: number;
  readonly packChecksum: Buffer;
  readonly find: (oid: string) => number | undefined;
  readonly collectPrefix: (prefix: string, most: number, into: Set<string>) => void;
  /** Where the entry that begins at `offset` ends. */
  readonly endOf: (offset: number, packEnd: number) => number;
};

const indexMagic = 0xff744f63;
const fanoutStart = 8;
const namesStart = fanoutStart + 256 * 4;

/** Reads a version 2 index. `undefined` when the file is absent, of another version, or cut short. */
export function readPackIndex(path: string): PackIndex | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (bytes.length < namesStart + 2 * oidBytes) return undefined;
  if (bytes.readUInt32BE(0) !== indexMagic || bytes.readUInt32BE(4) !== 2) return undefined;
  const count = bytes.readUInt32BE(fanoutStart + 255 * 4);
  const offsetsStart = namesStart + count * (oidBytes + 4);
  const largeStart = offsetsStart + count * 4;
  const trailer = bytes.length - 2 * oidBytes;
  if (trailer < largeStart || (trailer - largeStart) % 8 !== 0) return undefined;

  const offsetAt = (place: number): number => {
    const offset = bytes.readUInt32BE(offsetsStart + place * 4);
    if (offset < 0x80000000) return offset;
    const large = largeStart + (offset - 0x80000000) * 8;
    if (large + 8 > trailer)
      throw new MirrorDamaged(`index ${path} names an offset it does not have`);
    return Number(bytes.readBigUInt64BE(large));
  };
  const nameAt = (place: number): string =>
    bytes.toString("hex", namesStart + place * oidBytes, namesStart + (place + 1) * oidBytes);

  /** The first place whose name is not below `prefix` filled up with zeros. */
  const firstNotBelow = (prefix: string): number => {
    const wanted = Buffer.from(prefix.padEnd(2 * oidBytes, "0"), "hex");
    const first = wanted[0] ?? 0;
    let low = first === 0 ? 0 : bytes.readUInt32BE(fanoutStart + (first - 1) * 4);
    let high = Math.min(count, bytes.readUInt32BE(fanoutStart + first * 4));
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = namesStart + middle * oidBytes;
      if (bytes.compare(wanted, 0, oidBytes, start, start + oidBytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  let sortedOffsets: Float64Array | undefined;
  return {
    count,
    packChecksum: bytes.subarray(trailer, trailer + oidBytes),
    find: (oid) => {
      const place = firstNotBelow(oid);
      return place < count && nameAt(place) === oid ? offsetAt(place) : undefined;
    },
    collectPrefix: (prefix, most, into) => {
      for (let place = firstNotBelow(prefix); place < count && into.size < most; place += 1) {
        const name = nameAt(place);
        if (!name.startsWith(prefix)) return;
        into.add(name);
      }
    },
    endOf: (offset, packEnd) => {
      sortedOffsets ??= Float64Array.from({ length: count }, (_, place) =>
        offsetAt(place),
      ).toSorted();
      let low = 0;
      let high = sortedOffsets.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sortedOffsets[middle] ?? Infinity) <= offset) low = middle + 1;
        else high = middle;
      }
      return Math.min(sortedOffsets[low] ?? packEnd, packEnd);
    },
  };
}

type DeltaSizes = { readonly base: number; readonly result: number; readonly start: number };

function deltaSizes(delta: Uint8Array, pack: string): DeltaSizes {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = delta[at];
      if (byte === undefined || factor > 2 ** 49)
        throw new MirrorDamaged(`pack ${pack} has a broken delta`);
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const base = next();
  const result = next();
  return { base, result, start: at };
}

/** Copies and insertions of a delta, each checked against both ends. */
function applyDelta(
  base: Uint8Array,
  delta: Uint8Array,
  limits: ObjectLimits,
  pack: string,
): Uint8Array {
  const sizes = deltaSizes(delta, pack);
  const broken = (): MirrorDamaged => new MirrorDamaged(`pack ${pack} has a broken delta`);
  if (sizes.base !== base.length) throw broken();
  if (sizes.result > limits.objectBytesMost)
    throw new MirrorDamaged(
      `an object of ${sizes.result} bytes is larger than ${limits.objectBytesMost}`,
    );
  const result = Buffer.allocUnsafe(sizes.result);
  let written = 0;
  let at = sizes.start;
  const byteIf = (present: number): number => {
    if (present === 0) return 0;
    const byte = delta[at];
    if (byte === undefined) throw broken();
    at += 1;
    return byte;
  };
  while (at < delta.length) {
    const command = delta[at] ?? 0;
    at += 1;
    if (command === 0) throw broken();
    if (command < 128) {
      if (at + command > delta.length || written + command > result.length) throw broken();
      result.set(delta.subarray(at, at + command), written);
      at += command;
      written += command;
      continue;
    }
    const from =
      byteIf(command & 1) +
      byteIf(command & 2) * 0x100 +
      byteIf(command & 4) * 0x10000 +
      byteIf(command & 8) * 0x1000000;
    const asked =
      byteIf(command & 16) + byteIf(command & 32) * 0x100 + byteIf(command & 64) * 0x10000;
    const length = asked === 0 ? 0x10000 : asked;
    if (from + length > base.length || written + length > result.length) throw broken();
    result.set(base.subarray(from, from + length), written);
    written += length;
  }
  if (written !== result.length) throw broken();
  return result;
}

const looseHead = /^(commit|tree|blob|tag) (\d{1,15})\0/;
const looseHeadBytesMost = 32;

function readLoose(gitFolder: string, oid: string, limits: ObjectLimits): GitObject | undefined {
  let compressed: Buffer;
  try {
    compressed = readFileSync(join(gitFolder, "objects", oid.slice(0, 2), oid.slice(2)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const whole = inflateSync(compressed, {
      maxOutputLength: limits.objectBytesMost + looseHeadBytesMost,
    });
    const head = looseHead.exec(whole.toString("latin1", 0, looseHeadBytesMost));
    const bytes = whole.subarray(head?.[0].length ?? 0);
    if (head !== null && bytes.length === Number(head[2]))
      return { type: head[1] as ObjectType, bytes };
  } catch (error) {
    throw new MirrorDamaged(`object ${oid} cannot be inflated`, error);
  }
  throw new MirrorDamaged(`object ${oid} is broken`);
}

/** Least recently used objects go first once their bytes pass the limit. */
class BaseCache {
  readonly #bytesMost: number;
  readonly #kept = new Map<string, GitObject>();
  #bytes = 0;

  constructor(bytesMost: number) {
    this.#bytesMost = bytesMost;
  }

  get(key: string): GitObject | undefined {
    const object = this.#kept.get(key);
    if (object === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, object);
    return object;
  }

  put(key: string, object: GitObject): void {
    if (object.bytes.length > this.#bytesMost / 4 || this.#kept.has(key)) return;
    this.#kept.set(key, object);
    this.#bytes += object.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#bytesMost) return;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
