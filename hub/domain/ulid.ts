const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** How many random bytes `makeUlid` wants: five bits of each are used. */
export const ulidBytes = 16;

/**
 * A ULID: 48 bits of time and 80 of chance as 26 characters of Crockford's base 32, so that ids sort by age.
 *
 * `atMs` is milliseconds since the epoch, up to the year 10889.
 */
export function makeUlid(atMs: number, random: Uint8Array): string {
  if (random.length !== ulidBytes)
    throw new RangeError(`a ULID takes ${ulidBytes} random bytes, got ${random.length}`);
  let time = "";
  for (let rest = atMs, place = 0; place < 10; place += 1, rest = Math.floor(rest / 32))
    time = `${alphabet[rest % 32] ?? ""}${time}`;
  return time + [...random].map((byte) => alphabet[byte & 31] ?? "").join("");
}
