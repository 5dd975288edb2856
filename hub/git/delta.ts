import type { ObjectLimits } from "./git-object.ts";
import { MirrorDamaged } from "./mirror-damaged.ts";

type DeltaSizes = { readonly base: number; readonly result: number; readonly start: number };

/** What the head of a delta says of its two ends, and where its commands begin. */
export function deltaSizes(delta: Uint8Array, pack: string): DeltaSizes {
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
export function applyDelta(
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
