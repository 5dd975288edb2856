import { wellFormed } from "./bytes.ts";
import { formatOperand } from "./format.ts";
import { FunctionError, type CallContext } from "./function.ts";
import { printValue } from "./print.ts";
import { integerOf, typeName, type GoValue } from "./value.ts";

/** Go's fmt.Sprintf: verbs, flags, widths, picked operands, and what it says of those that do not fit. */

/** Wider fields and finer fractions are refused; Go goes on to a million and then misreads the verb. */
const widthMost = 10_000;

function bounded(width: number): number {
  if (width <= widthMost) return width;
  throw new FunctionError(`a width or precision of more than ${widthMost}`);
}

/**
 * `printf`: fmt.Sprintf, its complaints about wrong verbs and operands included. Pays for the format, and for an
 * operand as often as a verb picks it.
 */
export function sprintf(
  format: string,
  operands: readonly GoValue[],
  charge: CallContext["charge"],
): string {
  charge(format.length);
  let output = "";
  let at = 0;
  let next = 0;
  let reordered = false;
  const characters = Array.from(format);
  const lastClose = characters.lastIndexOf("]");

  const integerOperand = (): number | undefined => {
    const value = integerOf(operands[next]);
    next += 1;
    if (value === undefined) return undefined;
    bounded(Math.abs(Number(value)));
    return Number(value);
  };
  const number = (): number | undefined => {
    let digits = "";
    while (/^[0-9]$/.test(characters[at] ?? "")) {
      digits += characters[at] ?? "";
      at += 1;
    }
    return digits === "" ? undefined : bounded(Number(digits));
  };
  /** `[n]` picks the next operand. Returns false for a bad one. */
  const index = (): boolean => {
    if (characters[at] !== "[") return true;
    reordered = true;
    if (lastClose < at) {
      at += 1;
      return false;
    }
    const close = characters.indexOf("]", at);
    const text = characters.slice(at + 1, close).join("");
    at = close + 1;
    const wanted = /^[0-9]+$/.test(text) ? Number(text) : 0;
    if (wanted < 1 || wanted > operands.length) return false;
    next = wanted - 1;
    return true;
  };

  while (at < characters.length) {
    const character = characters[at] ?? "";
    at += 1;
    if (character !== "%") {
      output += character;
      continue;
    }
    const flags = { minus: false, plus: false, sharp: false, space: false, zero: false };
    for (; ; at += 1) {
      const flag = characters[at];
      if (flag === "-") flags.minus = true;
      else if (flag === "+") flags.plus = true;
      else if (flag === "#") flags.sharp = true;
      else if (flag === " ") flags.space = true;
      else if (flag === "0") flags.zero = true;
      else break;
    }
    let goodIndex = index();
    let width: number | undefined;
    let precision: number | undefined;
    if (characters[at] === "*") {
      at += 1;
      width = integerOperand();
      if (width === undefined) output += "%!(BADWIDTH)";
      else if (width < 0) {
        width = -width;
        flags.minus = true;
      }
    } else width = number();
    if (characters[at] === ".") {
      at += 1;
      goodIndex = index() && goodIndex;
      if (characters[at] === "*") {
        at += 1;
        precision = integerOperand();
        if (precision === undefined || precision < 0) {
          precision = undefined;
          output += "%!(BADPREC)";
        }
      } else precision = number() ?? 0;
    }
    goodIndex = index() && goodIndex;
    const verb = wellFormed(characters[at] ?? "");
    at += 1;
    if (verb === "") {
      output += "%!(NOVERB)";
      break;
    }
    if (verb === "%") {
      output += "%";
      continue;
    }
    if (!goodIndex) {
      output += `%!${verb}(BADINDEX)`;
      continue;
    }
    if (next >= operands.length) {
      output += `%!${verb}(MISSING)`;
      continue;
    }
    const operand = operands[next];
    next += 1;
    const isPlain = width === undefined && precision === undefined && !flags.sharp;
    if (typeof operand === "string" && isPlain && (verb === "s" || verb === "v")) {
      charge(operand.length);
      output += operand;
      continue;
    }
    // For `%v` a plus asks for field names, not for signs, and a sharp for Go's syntax.
    const asValue =
      verb === "v" ? { plus: false, sharp: false, syntax: flags.sharp } : { syntax: false };
    output += formatOperand(operand, verb, { ...flags, ...asValue, width, precision, charge });
  }
  if (!reordered && next < operands.length) {
    const extra = operands
      .slice(next)
      .map((value) =>
        (value ?? null) === null ? "<nil>" : `${typeName(value)}=${printValue(value)}`,
      );
    output += `%!(EXTRA ${extra.join(", ")})`;
  }
  return output;
}
