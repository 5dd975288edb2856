import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { constants, inflateSync } from "node:zlib";
import { isMissing } from "../../proto/kit/is-missing.ts";
import type { BaseCache } from "./base-cache.ts";
import { applyDelta, deltaSizes } from "./delta.ts";
import type { GitObject, ObjectLimits, ObjectType } from "./git-object.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { readPackIndex, type PackIndex } from "./pack-index.ts";

/** One pack, open for reading. `find` says where an object lies in it; `read` and `size` are asked by that offset. */
export type Pack = {
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
export function openPack(
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
