import { takes, type TemplateFunction } from "../function.ts";
import { GoInteger, type GoValue } from "../value.ts";

/** Durations need no clock. */
export const durationFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["duration", takes(["any"], ([seconds]) => printDuration(secondsOf(seconds) * second))],
  ["durationRound", takes(["any"], ([value]) => roundDuration(value))],
];

const second = 1_000_000_000n;
const minute = 60n * second;
const hour = 60n * minute;

/** Only text and int64 count; an int does not, as sprig has it. */
function secondsOf(value: GoValue): bigint {
  if (typeof value === "string")
    return /^[+-]?[0-9]{1,18}$/.test(value) ? BigInt(value.replace(/^\+/, "")) : 0n;
  return value instanceof GoInteger && value.type === "int64" ? value.value : 0n;
}

/** time.Duration's text: `1h1m1.5s`. */
function printDuration(nanoseconds: bigint): string {
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

function parseDuration(text: string): bigint {
  const found =
    /^([+-]?)((?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|m|h)|\.[0-9]+(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(
      text,
    );
  if (found === null) return 0n;
  let total = 0n;
  for (const [, number = "", unit = ""] of (found[2] ?? "").matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    const [whole = "", fraction = ""] = number.split(".");
    const size = unitSizes.get(unit) ?? 0n;
    const digits = fraction.slice(0, 18);
    total += BigInt(whole === "" ? "0" : whole) * size;
    total += (BigInt(digits === "" ? "0" : digits) * size) / 10n ** BigInt(digits.length);
  }
  return found[1] === "-" ? -total : total;
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
function roundDuration(value: GoValue): string {
  const size =
    typeof value === "string"
      ? parseDuration(value)
      : value instanceof GoInteger && value.type === "int64"
        ? value.value
        : 0n;
  const positive = size < 0n ? -size : size;
  const found = roundUnits.find(([unit]) => positive > unit);
  return found === undefined ? "0s" : `${positive / found[0]}${found[1]}`;
}
