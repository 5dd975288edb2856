import { fail, ok, type Result } from "../../../../proto/kit/result.ts";
import { quoteBytes } from "./quote-bytes.ts";

/** Durations as Go's package time reads and writes them, in nanoseconds. */

const second = 1_000_000_000n;
const minute = 60n * second;
const hour = 60n * minute;

const unitSizes: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1000n],
  ["µs", 1000n],
  ["μs", 1000n],
  ["ms", 1_000_000n],
  ["s", second],
  ["m", minute],
  ["h", hour],
]);

const sizeMost = 1n << 63n;

/** `300ms`, `-1.5h`, `2h45m`. Fails with Go's sentence. */
export function parseDuration(text: string): Result<bigint, string> {
  const invalid = (what: string): Result<bigint, string> =>
    fail(`time: ${what} ${quoteBytes(text)}`);
  const negative = text.startsWith("-");
  let rest = negative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return ok(0n);
  if (rest === "") return invalid("invalid duration");
  let total = 0n;
  while (rest !== "") {
    const number = /^(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?/.exec(rest);
    if (number === null) return invalid("invalid duration");
    const [written, whole = "", fraction = ""] = number;
    const size = wholeNumber(whole);
    if (size === undefined) return invalid("invalid duration");
    rest = rest.slice(written.length);
    const [unitName = ""] = /^[^.0-9]*/.exec(rest) ?? [];
    if (unitName === "") return invalid("missing unit in duration");
    const unit = unitSizes.get(unitName);
    if (unit === undefined) return invalid(`unknown unit ${quoteBytes(unitName)} in duration`);
    rest = rest.slice(unitName.length);
    if (size > sizeMost / unit) return invalid("invalid duration");
    const part = size * unit + fractionOf(fraction, unit);
    total += part;
    if (part > sizeMost || total > sizeMost) return invalid("invalid duration");
  }
  if (negative) return ok(BigInt.asIntN(64, -total));
  return total >= sizeMost ? invalid("invalid duration") : ok(total);
}

/** `undefined` beyond 2 to the 63rd. */
function wholeNumber(digits: string): bigint | undefined {
  const significant = digits.replace(/^0+/, "");
  if (significant.length > 19) return undefined;
  const value = BigInt(significant === "" ? "0" : significant);
  return value > sizeMost ? undefined : value;
}

/** Go counts with the digits that fit 63 bits, in floating point. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits.slice(0, 20)) {
    if (value > (sizeMost - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > sizeMost) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** `1h1m1.5s`. */
export function printDuration(nanoseconds: bigint): string {
  const wrapped = BigInt.asIntN(64, nanoseconds);
  if (wrapped === 0n) return "0s";
  const sign = wrapped < 0n ? "-" : "";
  const size = wrapped < 0n ? -wrapped : wrapped;
  if (size < second) {
    const [unit, name] =
      size < 1000n ? [1n, "ns"] : size < 1_000_000n ? [1000n, "µs"] : [1_000_000n, "ms"];
    return `${sign}${withFraction(size, unit)}${name}`;
  }
  const seconds = `${withFraction(size % minute, second)}s`;
  const minutes = size >= minute ? `${(size / minute) % 60n}m` : "";
  const hours = size >= hour ? `${size / hour}h` : "";
  return sign + hours + minutes + seconds;
}

function withFraction(size: bigint, unit: bigint): string {
  const width = unit.toString().length - 1;
  const rest = size % unit;
  if (rest === 0n) return (size / unit).toString();
  return `${size / unit}.${rest.toString().padStart(width, "0").replace(/0+$/, "")}`;
}

const roundUnits: readonly (readonly [bigint, string])[] = [
  [365n * 24n * hour, "y"],
  [30n * 24n * hour, "mo"],
  [24n * hour, "d"],
  [hour, "h"],
  [minute, "m"],
  [second, "s"],
];

/** The largest unit that fits, and how many of it. */
export function roundDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const found = roundUnits.find(([unit]) => size > unit);
  return found === undefined ? "0s" : `${size / found[0]}${found[1]}`;
}
