import { unreachable } from "../../../proto/kit/unreachable.ts";
import { goInfinity } from "./value.ts";

/** How Go writes float64 numbers: strconv.FormatFloat and the verbs of printf, digit for digit. */

/** A float64 as `%v` prints it: shortest digits that round-trip, with an exponent below -4 and from 6 on. */
export function printFloat(value: number): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  // Whole numbers below a million are what nearly every template prints.
  if (value < 1e6 && value > -1e6 && Number.isInteger(value) && !Object.is(value, -0))
    return String(value);
  const { negative, digits, exponent } = shortest(value);
  const sign = negative ? "-" : "";
  return exponent < -4 || exponent >= 6
    ? sign + withExponent(digits, exponent)
    : sign + plain(digits, exponent);
}

type Decimal = {
  readonly negative: boolean;
  /** Without leading zeros; the point stands after the first. */
  readonly digits: string;
  readonly exponent: number;
};

function shortest(value: number): Decimal {
  const negative = value < 0 || Object.is(value, -0);
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return { negative, digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

const withExponent = (digits: string, exponent: number, letter = "e"): string => {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits[0] ?? "0"}${fraction}${letter}${exponent < 0 ? "-" : "+"}${power}`;
};

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, "0");
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** `value × 10^places`, rounded to a whole number, ties to even, without any error of its own. */
function scaled(value: number, places: number): bigint {
  const [numerator, denominator] = fractionOf(Math.abs(value));
  const top = places >= 0 ? numerator * 10n ** BigInt(places) : numerator;
  const bottom = places >= 0 ? denominator : denominator * 10n ** BigInt(-places);
  const whole = top / bottom;
  const rest = (top % bottom) * 2n;
  return rest > bottom || (rest === bottom && whole % 2n === 1n) ? whole + 1n : whole;
}

/** A finite float64, without its sign, as an exact fraction. */
function fractionOf(value: number): readonly [bigint, bigint] {
  const { mantissa, exponent } = partsOf(value);
  return exponent >= 0 ? [mantissa << BigInt(exponent), 1n] : [mantissa, 1n << BigInt(-exponent)];
}

/** strconv.FormatFloat with a precision; the verbs of printf. */
export function formatFloat(value: number, verb: "e" | "f" | "g", precision: number): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  switch (verb) {
    case "f": {
      const digits = scaled(value, precision)
        .toString()
        .padStart(precision + 1, "0");
      const point = digits.length - precision;
      return sign + digits.slice(0, point) + (precision > 0 ? `.${digits.slice(point)}` : "");
    }
    case "e": {
      const { digits, exponent } = rounded(value, precision + 1);
      return sign + withExponent(digits.padEnd(precision + 1, "0"), exponent);
    }
    case "g": {
      const wanted = precision === 0 ? 1 : precision;
      const { digits, exponent } = rounded(value, wanted);
      const trimmed = digits.replace(/0+$/, "") || "0";
      return exponent < -4 || exponent >= wanted
        ? sign + withExponent(trimmed, exponent)
        : sign + plain(trimmed, exponent);
    }
    default:
      return unreachable(verb, "verb");
  }
}

/** `%b`: the mantissa as an integer and the power of two. */
export function binaryFloat(value: number): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  const { sign, mantissa, exponent } = partsOf(value);
  return `${sign}${mantissa}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}

/** `%x`: one digit before the point, as many after it as are needed, or `precision` of them, rounded half to even. */
export function hexFloat(value: number, precision: number | undefined): string {
  if (!Number.isFinite(value)) return goInfinity(value);
  const parts = partsOf(value);
  let { mantissa } = parts;
  let exponent = mantissa === 0n ? 0 : parts.exponent + 52;
  // Subnormal numbers start with zeros; the first digit is always 1.
  while (mantissa !== 0n && mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent -= 1;
  }
  if (precision !== undefined && precision < 13) {
    const dropped = BigInt(4 * (13 - precision));
    const half = 1n << (dropped - 1n);
    const rest = mantissa & ((1n << dropped) - 1n);
    mantissa >>= dropped;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa += 1n;
    mantissa <<= dropped;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, "0");
  const shown =
    precision === undefined
      ? digits.replace(/0+$/, "")
      : digits.padEnd(precision, "0").slice(0, precision);
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return `${parts.sign}0x${mantissa === 0n ? "0" : "1"}${shown === "" ? "" : `.${shown}`}p${power}`;
}

/** The 53 bits of the mantissa as an integer, and the power of two it is multiplied with. */
function partsOf(value: number): {
  readonly sign: "" | "-";
  readonly mantissa: bigint;
  readonly exponent: number;
} {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const power = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  return {
    sign: bits >> 63n === 1n ? "-" : "",
    mantissa: power === 0 ? fraction : fraction | (1n << 52n),
    exponent: Math.max(power, 1) - 1075,
  };
}

function rounded(value: number, count: number): Decimal {
  if (value === 0) return { negative: false, digits: "0".repeat(count), exponent: 0 };
  let { exponent } = shortest(value);
  let digits = scaled(value, count - 1 - exponent).toString();
  if (digits.length > count) {
    exponent += 1;
    digits = digits.slice(0, count);
  }
  return { negative: value < 0, digits, exponent };
}
