import { takes, type TemplateFunction } from "../function.ts";
import { GoInteger, NamedInteger } from "../value.ts";
import { printDuration } from "./duration.ts";

const most = (1n << 63n) - 1n;
const least = -(1n << 63n);

/** Go's `time.Duration`: nanoseconds in an int64. */
export class GoDuration extends NamedInteger {
  constructor(nanoseconds: bigint) {
    super("time.Duration", BigInt.asIntN(64, nanoseconds));
  }

  override get kind(): "int64" {
    return "int64";
  }

  override like(value: bigint): GoDuration {
    return new GoDuration(value);
  }

  get text(): string {
    return printDuration(this.value);
  }

  method(name: string): TemplateFunction | undefined {
    return methods.get(name)?.(this.value);
  }
}

/** A duration that does not fit is the longest there is. */
export const saturated = (nanoseconds: bigint): GoDuration =>
  new GoDuration(nanoseconds > most ? most : nanoseconds < least ? least : nanoseconds);

const second = 1_000_000_000n;

const number = (value: () => number): TemplateFunction => takes([], value);

const int64 = (value: bigint): TemplateFunction => takes([], () => new GoInteger("int64", value));

/** As many of a unit as floating point has it. */
const inUnits = (value: bigint, unit: bigint): TemplateFunction =>
  number(() => Number(value / unit) + Number(value % unit) / Number(unit));

const methods: ReadonlyMap<string, (value: bigint) => TemplateFunction> = new Map<
  string,
  (value: bigint) => TemplateFunction
>([
  ["Hours", (value) => inUnits(value, 3600n * second)],
  ["Minutes", (value) => inUnits(value, 60n * second)],
  ["Seconds", (value) => inUnits(value, second)],
  ["Milliseconds", (value) => int64(value / 1_000_000n)],
  ["Microseconds", (value) => int64(value / 1000n)],
  ["Nanoseconds", int64],
  ["String", (value) => takes([], () => printDuration(value))],
  ["Abs", (value) => takes([], () => saturated(value < 0n ? -value : value))],
  [
    "Truncate",
    (value) =>
      takes(["duration"], ([unit]) =>
        unit.value <= 0n ? new GoDuration(value) : new GoDuration(value - (value % unit.value)),
      ),
  ],
  [
    "Round",
    (value) =>
      takes(["duration"], ([unit]) =>
        unit.value <= 0n ? new GoDuration(value) : saturated(roundedTo(value, unit.value)),
      ),
  ],
]);

/** To the nearest multiple of a unit; halves go away from zero. */
function roundedTo(value: bigint, unit: bigint): bigint {
  const rest = value % unit;
  const size = rest < 0n ? -rest : rest;
  if (size * 2n < unit) return value - rest;
  return value < 0n ? value - (unit - size) : value + (unit - size);
}
