import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../proto/kit/is-missing.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";
import { readPackIndex } from "./pack-index.ts";

/**
 * Removes what a kill in the middle of a fetch leaves behind: packs without an index, indexes without a pack,
 * pairs that do not belong together, and temporary files.
 */
export async function sweepPacks(packFolder: string): Promise<void> {
  const names = await readdir(packFolder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const present = new Set(names);
  for (const name of names) {
    const base = name.replace(/\.(pack|idx)$/, "");
    const paired = present.has(`${base}.pack`) && present.has(`${base}.idx`);
    const keep = base !== name && paired && (await isWhole(join(packFolder, base)));
    if (!keep) await rm(join(packFolder, name), { recursive: true, force: true });
  }
}

async function isWhole(path: string): Promise<boolean> {
  const index = readPackIndex(`${path}.idx`);
  if (index === undefined) return false;
  const { size } = await stat(`${path}.pack`).catch(() => ({ size: 0 }));
  if (size < headerBytes + checksumBytes) return false;
  const file = await open(`${path}.pack`, "r");
  try {
    const tail = await readExactly(file, size - checksumBytes, checksumBytes);
    return tail.equals(index.packChecksum);
  } finally {
    await file.close();
  }
}

const headerBytes = 12;
const checksumBytes = 20;

/** Reads a pack once and compares it with its own checksum. Throws MirrorDamaged when they differ. */
export async function checkPack(path: string, signal: AbortSignal): Promise<void> {
  const { size } = await stat(path);
  const hash = createHash("sha1");
  const body = createReadStream(path, { end: size - checksumBytes - 1, signal });
  for await (const chunk of body) hash.update(chunk as Buffer);
  const file = await open(path, "r");
  try {
    const tail = await readExactly(file, size - checksumBytes, checksumBytes);
    if (!tail.equals(hash.digest())) throw new MirrorDamaged("a pack came with a wrong checksum");
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Offsets from here on need the wide table of an index, which a joined one does not write. */
const joinedBytesMost = 0x7fffffff;

/**
 * Makes one pack of many and removes them; returns false, having changed nothing, when it would be too large.
 *
 * Entries are copied as they are: a delta names its base by distance, and the distance stays. Dying at any
 * point leaves either the old packs, or both, which is as good.
 */
export async function joinPacks(
  packFolder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const parts = await Promise.all(
    names.map(async (name) => ({
      name,
      bytes: (await stat(join(packFolder, `${name}.pack`))).size,
    })),
  );
  const bodies = parts.map(({ bytes }) => bytes - headerBytes - checksumBytes);
  if (bodies.reduce((sum, bytes) => sum + bytes, headerBytes) > joinedBytesMost) return false;

  let entries = 0;
  for (const { name } of parts) {
    const file = await open(join(packFolder, `${name}.pack`), "r");
    try {
      entries += (await readExactly(file, 8, 4)).readUInt32BE(0);
    } finally {
      await file.close();
    }
  }
  const header = Buffer.alloc(headerBytes);
  header.write("PACK", "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(entries, 8);

  const unfinished = join(packFolder, "joining.tmp");
  const hash = createHash("sha1").update(header);
  const rows: IndexRow[] = [];
  const output = await open(unfinished, "w");
  let checksum: Buffer;
  try {
    await output.write(header);
    let position = headerBytes;
    for (const { name, bytes } of parts) {
      const shift = position - headerBytes;
      rows.push(...(await indexRows(join(packFolder, `${name}.idx`), shift)));
      const body = createReadStream(join(packFolder, `${name}.pack`), {
        start: headerBytes,
        end: bytes - checksumBytes - 1,
        signal,
      });
      for await (const chunk of body) {
        hash.update(chunk as Buffer);
        await output.write(chunk as Buffer);
        position += (chunk as Buffer).length;
      }
    }
    checksum = hash.digest();
    await output.write(checksum);
    await output.sync();
  } finally {
    await output.close();
  }

  const joined = `pack-${checksum.toString("hex")}`;
  await rename(unfinished, join(packFolder, `${joined}.pack`));
  const unfinishedIndex = join(packFolder, "joining-idx.tmp");
  await writeFile(unfinishedIndex, indexBytes(rows, checksum));
  await rename(unfinishedIndex, join(packFolder, `${joined}.idx`));
  for (const { name } of parts) await removePack(packFolder, name);
  return true;
}

/** The index goes first: a pack without one is garbage that the next sweep removes. */
export async function removePack(packFolder: string, name: string): Promise<void> {
  await rm(join(packFolder, `${name}.idx`), { force: true });
  await rm(join(packFolder, `${name}.pack`), { force: true });
}

type IndexRow = { readonly oid: Buffer; readonly crc: number; readonly offset: number };

async function indexRows(path: string, shift: number): Promise<readonly IndexRow[]> {
  const bytes = await readFile(path);
  const count = bytes.readUInt32BE(8 + 255 * 4);
  const namesStart = 8 + 256 * 4;
  const crcStart = namesStart + count * 20;
  const offsetStart = crcStart + count * 4;
  return Array.from({ length: count }, (_, place) => ({
    oid: bytes.subarray(namesStart + place * 20, namesStart + (place + 1) * 20),
    crc: bytes.readUInt32BE(crcStart + place * 4),
    offset: bytes.readUInt32BE(offsetStart + place * 4) + shift,
  }));
}

function indexBytes(rows: readonly IndexRow[], packChecksum: Buffer): Buffer {
  const sorted = rows
    .toSorted((a, b) => Buffer.compare(a.oid, b.oid))
    // The same object may have come twice; one place is enough to find it.
    .filter((row, place, all) => place === 0 || !row.oid.equals(all[place - 1]?.oid ?? row.oid));
  const head = Buffer.alloc(8 + 256 * 4);
  head.writeUInt32BE(0xff744f63, 0);
  head.writeUInt32BE(2, 4);
  let place = 0;
  for (let first = 0; first < 256; first += 1) {
    while (place < sorted.length && (sorted[place]?.oid[0] ?? 256) <= first) place += 1;
    head.writeUInt32BE(place, 8 + first * 4);
  }
  const numbers = (read: (row: IndexRow) => number): Buffer => {
    const buffer = Buffer.alloc(sorted.length * 4);
    for (const [index, row] of sorted.entries()) buffer.writeUInt32BE(read(row), index * 4);
    return buffer;
  };
  const body = Buffer.concat([
    head,
    ...sorted.map(({ oid }) => oid),
    numbers(({ crc }) => crc),
    numbers(({ offset }) => offset),
    packChecksum,
  ]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}
