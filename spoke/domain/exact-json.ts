/** A whole number that a double may not hold: sixteen digits or more, where a value begins. */
const largeNumber = /[[:,]\s*-?\d{16}/;

/**
 * Parses JSON. Whole numbers too large for a double come back as bigints, exact; all others are numbers.
 *
 * Throws SyntaxError for what is not JSON. Text without a long run of digits costs no more than JSON.parse.
 */
export function parseExactJson(text: string): unknown {
  return largeNumber.test(text) ? JSON.parse(text, exactNumbers) : JSON.parse(text);
}

function exactNumbers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source ?? "";
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;
}
