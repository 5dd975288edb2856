/** Resource quantities (`500m`, `1Gi`) as the API rewrites them: the shortest exact spelling in the author's system. */

const decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;

/** The canonical spelling, or `undefined` when `input` is no quantity. */
export function canonicalQuantity(input: string): string | undefined {
  const match = pattern.exec(input);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const nano = toNano(whole, fraction, suffix);
  if (nano === undefined) return input;
  const text = binary.indexOf(suffix) > 0 ? inBinary(nano) : inDecimal(nano);
  return sign === "-" && nano !== 0n ? `-${text}` : text;
}

/** In billionths, so that every decimal suffix is a whole number; exponents keep the author's spelling. */
function toNano(whole: string, fraction: string, suffix: string): bigint | undefined {
  if (/^[eE]\d|^[eE][+-]\d/.test(suffix)) return undefined;
  const digits = BigInt(`${whole}${fraction}` === "" ? "0" : `${whole}${fraction}`);
  const scale = 10n ** BigInt(fraction.length);
  const power = binary.indexOf(suffix);
  const factor =
    power > 0
      ? 1024n ** BigInt(power) * 1_000_000_000n
      : 1000n ** BigInt(Math.max(0, decimal.indexOf(suffix)));
  const value = digits * factor;
  // What is finer than a billionth is rounded up, as the API does.
  return (value + scale - 1n) / scale;
}

function inDecimal(nano: bigint): string {
  if (nano === 0n) return "0";
  let value = nano;
  let index = 0;
  while (index < decimal.length - 1 && value % 1000n === 0n) {
    value /= 1000n;
    index += 1;
  }
  return `${value}${decimal[index] ?? ""}`;
}

function inBinary(nano: bigint): string {
  if (nano % 1_000_000_000n !== 0n || nano < 1024n * 1_000_000_000n) return inDecimal(nano);
  let value = nano / 1_000_000_000n;
  let index = 0;
  while (index < binary.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    index += 1;
  }
  return `${value}${binary[index] ?? ""}`;
}

/** Its size as a number, for adding up; zero for what is no quantity. */
export function quantityValue(input: string): number {
  const match = pattern.exec(input);
  if (match === null) return 0;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  const nano = toNano(whole, fraction, suffix);
  const size = nano === undefined ? Number(input) : Number(nano) / 1e9;
  return sign === "-" ? -size : size;
}
