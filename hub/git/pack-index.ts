import { readFileSync } from "node:fs";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";

export type PackIndex = {
  readonly count: number;
  readonly packChecksum: Buffer;
  readonly find: (oid: string) => number | undefined;
  readonly collectPrefix: (prefix: string, most: number, into: Set<string>) => void;
  /** Where the entry that begins at `offset` ends. */
  readonly endOf: (offset: number, packEnd: number) => number;
};

const indexMagic = 0xff744f63;
const oidBytes = 20;
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
