import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { digestOfText } from "../../proto/words/digest.ts";
import { parseObjectKey, type ObjectKey } from "../../proto/words/object-key.ts";
import type { InventoryEntry } from "../domain/inventory.ts";

const shardLimits = { entriesMost: 1_500, bytesMost: 256 * 1024 };

export type ShardLimits = typeof shardLimits;

/** Shards of one application by number; numbers may have gaps. */
export type Shards = ReadonlyMap<number, readonly InventoryEntry[]>;

/** What must be written, in this order, for one application to own `entries`. */
export type ShardPlan = {
  /** How the shards are afterwards. Shard 0 always stays, so that owning nothing is told from unknown. */
  readonly shards: Shards;
  readonly writes: readonly number[];
  /** After the writes. */
  readonly deletes: readonly number[];
};

/**
 * Spreads entries over shards so that few are written.
 *
 * An entry stays in the shard it is in, so no crash between two writes can lose it; new ones go where there
 * is room. Shards that only gain are written first and shards that only lose last: whatever was written
 * when a crash comes, everything old that stays is there, and nothing is dropped before all new is in.
 */
export function planShards(
  before: Shards,
  entries: readonly InventoryEntry[],
  limits: ShardLimits = shardLimits,
): ShardPlan {
  const homes = new Map<ObjectKey, number>();
  for (const [shard, held] of before) for (const { key } of held) homes.set(key, shard);

  const after = new Map<number, InventoryEntry[]>([[0, []]]);
  const bytes = new Map<number, number>();
  const put = (shard: number, entry: InventoryEntry): void => {
    const held = after.get(shard);
    if (held === undefined) after.set(shard, [entry]);
    else held.push(entry);
    bytes.set(shard, (bytes.get(shard) ?? 0) + roomFor(entry));
  };
  const homeless: InventoryEntry[] = [];
  for (const entry of entries) {
    const home = homes.get(entry.key);
    if (home === undefined) homeless.push(entry);
    else put(home, entry);
  }
  let shard = 0;
  for (const entry of homeless) {
    const fits = (): boolean =>
      (after.get(shard)?.length ?? 0) < limits.entriesMost &&
      (bytes.get(shard) ?? 0) + roomFor(entry) <= limits.bytesMost;
    while (!fits() && (after.get(shard)?.length ?? 0) > 0) shard += 1;
    put(shard, entry);
  }

  const changes = [...after]
    .filter(([number, held]) => {
      const held0 = before.get(number);
      return held0 === undefined || printShard(held0) !== printShard(held);
    })
    .map(([number, held]) => ({ number, rank: writeRank(before.get(number) ?? [], held) }));
  return {
    shards: after,
    writes: changes.toSorted((a, b) => a.rank - b.rank || a.number - b.number).map((c) => c.number),
    deletes: [...before.keys()].filter((number) => !after.has(number)),
  };
}

/** 0: loses nothing; 1: gains and loses; 2: only loses. */
function writeRank(before: readonly InventoryEntry[], after: readonly InventoryEntry[]): number {
  const kept = new Set(after.map(({ key }) => key));
  if (before.every(({ key }) => kept.has(key))) return 0;
  const known = new Set(before.map(({ key }) => key));
  return after.every(({ key }) => known.has(key)) ? 2 : 1;
}

/** As large as the entry's line may become, so that an entry that is filled in never has to move. */
const roomFor = (entry: InventoryEntry): number =>
  Buffer.byteLength(entry.key) + entry.version.length + 200;

/** One JSON list a line, sorted by key. */
export const printShard = (entries: readonly InventoryEntry[]): string =>
  entries
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, version, uid, applied, fingerprint }) =>
      JSON.stringify([key, version, uid, applied, fingerprint]),
    )
    .join("\n");

/** Reads what `printShard` wrote. Lines that are anything else are left out and counted. */
export function parseShard(text: string): {
  readonly entries: readonly InventoryEntry[];
  readonly badLines: number;
} {
  const entries: InventoryEntry[] = [];
  let badLines = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const entry = parseLine(line);
    if (entry.ok) entries.push(entry.value);
    else badLines += 1;
  }
  return { entries, badLines };
}

function parseLine(line: string): Result<InventoryEntry, string> {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch (error) {
    return fail(String(error));
  }
  if (!isTexts(fields)) return fail("line is not a list of texts");
  const [key, version, uid, applied, fingerprint] = fields;
  if (
    key === undefined ||
    version === undefined ||
    uid === undefined ||
    applied === undefined ||
    fingerprint === undefined ||
    !parseObjectKey(key).ok
  )
    return fail("line is not an inventory entry");
  return ok({ key: key as ObjectKey, version, uid, applied, fingerprint });
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

/** An application's name in a form that fits into names and labels: 16 hexadecimal digits. */
export const shortDigest = (application: string): string => digestOfText(application).slice(0, 16);

/** `wheelhouse-inventory-<short digest>[-<shard>]`. */
export const shardName = (application: string, shard: number): string =>
  `wheelhouse-inventory-${shortDigest(application)}${shard === 0 ? "" : `-${shard}`}`;
