import { FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { printFloat } from "../floats.ts";
import { int, int64, typedList, type GoValue } from "../value.ts";
import { toFloat, toInteger } from "./convert.ts";

/** sprig's arithmetic. Integers are int64: they truncate, and wrap around. */

const divided = (by: bigint): bigint => {
  if (by === 0n) throw new FunctionError("runtime error: integer divide by zero");
  return by;
};

const fold = (
  start: bigint,
  values: readonly GoValue[],
  combine: (a: bigint, b: bigint) => bigint,
): GoValue =>
  int64(
    values.reduce<bigint>(
      (total, value) => BigInt.asIntN(64, combine(total, toInteger(value))),
      start,
    ),
  );

/** How long lists made out of numbers may be. */
const listMost = 100_000;

export const numberFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["add", takesMany([], "any", (_, values) => fold(0n, values, (a, b) => a + b))],
  ["add1", takes(["any"], ([value]) => int64(toInteger(value) + 1n))],
  ["sub", takes(["any", "any"], ([a, b]) => int64(toInteger(a) - toInteger(b)))],
  ["mul", takesMany(["any"], "any", ([a], values) => fold(toInteger(a), values, (x, y) => x * y))],
  ["div", takes(["any", "any"], ([a, b]) => int64(toInteger(a) / divided(toInteger(b))))],
  ["mod", takes(["any", "any"], ([a, b]) => int64(toInteger(a) % divided(toInteger(b))))],
  [
    "max",
    takesMany(["any"], "any", ([a], values) =>
      fold(toInteger(a), values, (x, y) => (y > x ? y : x)),
    ),
  ],
  [
    "biggest",
    takesMany(["any"], "any", ([a], values) =>
      fold(toInteger(a), values, (x, y) => (y > x ? y : x)),
    ),
  ],
  [
    "min",
    takesMany(["any"], "any", ([a], values) =>
      fold(toInteger(a), values, (x, y) => (y < x ? y : x)),
    ),
  ],
  [
    "maxf",
    takesMany(["any"], "any", ([a], values) => Math.max(toFloat(a), ...values.map(toFloat))),
  ],
  [
    "minf",
    takesMany(["any"], "any", ([a], values) => Math.min(toFloat(a), ...values.map(toFloat))),
  ],
  ["add1f", takes(["any"], ([value]) => decimals([value, 1], add))],
  ["addf", takesMany([], "any", (_, values) => decimals([0, ...values], add))],
  ["subf", takesMany(["any"], "any", ([a], values) => decimals([a, ...values], subtract))],
  ["mulf", takesMany(["any"], "any", ([a], values) => decimals([a, ...values], multiply))],
  ["divf", takesMany(["any"], "any", ([a], values) => decimals([a, ...values], divide))],
  ["ceil", takes(["any"], ([value]) => Math.ceil(toFloat(value)))],
  ["floor", takes(["any"], ([value]) => Math.floor(toFloat(value)))],
  [
    "round",
    takesMany(["any", "int"], "float64", ([value, places], [at]) =>
      roundAt(toFloat(value), Number(places), at ?? 0.5),
    ),
  ],
  ["until", takes(["int"], ([count]) => steps(0n, count, count < 0n ? -1n : 1n))],
  ["untilStep", takes(["int", "int", "int"], ([start, stop, step]) => steps(start, stop, step))],
  ["seq", takesMany([], "int", (_, values) => sequence(values))],
];

function steps(start: bigint, stop: bigint, step: bigint): GoValue {
  const values: bigint[] = [];
  // A step away from the goal, or none, makes an empty list.
  if (step === 0n || (stop < start ? step > 0n : step < 0n)) return typedList("int", values);
  for (let value = start; stop < start ? value > stop : value < stop; value += step) {
    if (values.length >= listMost) throw new FunctionError(`makes more than ${listMost} numbers`);
    values.push(int(value));
  }
  return typedList("int", values);
}

/** `seq 5`, `seq 2 5`, `seq 1 2 9`, all ends included, as text. */
function sequence(values: readonly bigint[]): string {
  const [a, b, c] = values;
  const listed = (start: bigint, stop: bigint, step: bigint): string => {
    const list = steps(start, stop + (step < 0n ? -1n : 1n), step);
    return Array.isArray(list) ? list.join(" ") : "";
  };
  if (a === undefined) return "";
  if (b === undefined) return listed(1n, a, a < 1n ? -1n : 1n);
  if (c === undefined) return listed(a, b, b < a ? -1n : 1n);
  if (values.length > 3) return "";
  return (c < a && b > 0n) || (c > a && b < 0n) || b === 0n ? "" : listed(a, c, b);
}

function roundAt(value: number, places: number, at: number): number {
  const power = 10 ** places;
  const digit = power * value;
  const fraction = digit - Math.trunc(digit);
  return (fraction >= at ? Math.ceil(digit) : Math.floor(digit)) / power;
}

// The `…f` functions count in decimals, so that 0.1 and 0.2 are 0.3.

/** `digits × 10^-scale`. */
type Decimal = { readonly digits: bigint; readonly scale: number };

function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value))
    throw new FunctionError(`Cannot create a Decimal from ${printFloat(value)}`);
  const [mantissa = "0", exponent = "0"] = value.toExponential().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

const numberOf = ({ digits, scale }: Decimal): number => Number(`${digits}e-${scale}`);

function decimals(
  values: readonly GoValue[],
  combine: (a: Decimal, b: Decimal) => Decimal,
): number {
  const [first, ...others] = values.map((value) => decimalOf(toFloat(value)));
  return numberOf(others.reduce(combine, first ?? { digits: 0n, scale: 0 }));
}

function aligned(a: Decimal, b: Decimal): readonly [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [
    a.digits * 10n ** BigInt(scale - a.scale),
    b.digits * 10n ** BigInt(scale - b.scale),
    scale,
  ];
}

const add = (a: Decimal, b: Decimal): Decimal => {
  const [x, y, scale] = aligned(a, b);
  return { digits: x + y, scale };
};

const subtract = (a: Decimal, b: Decimal): Decimal => {
  const [x, y, scale] = aligned(a, b);
  return { digits: x - y, scale };
};

const multiply = (a: Decimal, b: Decimal): Decimal => ({
  digits: a.digits * b.digits,
  scale: a.scale + b.scale,
});

/** Digits behind the point of a quotient. */
const divisionPlaces = 16;

const divide = (a: Decimal, b: Decimal): Decimal => {
  if (b.digits === 0n) throw new FunctionError("decimal division by 0");
  const [x, y] = aligned(a, b);
  const top = x * 10n ** BigInt(divisionPlaces);
  const whole = top / y;
  const rest = top % y;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const size = y < 0n ? -y : y;
  const away = top < 0n !== y < 0n ? -1n : 1n;
  return { digits: twice >= size ? whole + away : whole, scale: divisionPlaces };
};
