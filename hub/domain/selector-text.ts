import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { labelKeyProblem, labelValueProblem } from "./label-syntax.ts";
import type { Requirement } from "./selector.ts";

/**
 * Reads a label selector as kubectl spells it: `env=prod,tier in (web, api),!legacy,size>3`.
 *
 * Terms are `key`, `!key`, `key=value`, `key==value`, `key!=value`, `key in (…)`, `key notin (…)`,
 * `key>number`, `key<number`; all of them must hold. Fails with the term that cannot be read, and why.
 */
export function parseSelectorText(text: string): Result<readonly Requirement[], string> {
  const requirements: Requirement[] = [];
  for (const term of termsOf(text)) {
    const read = parseTerm(term);
    if (!read.ok) return read;
    requirements.push(read.value);
  }
  return ok(requirements);
}

/** Splits at commas outside parentheses. */
function termsOf(text: string): readonly string[] {
  if (text.trim() === "") return [];
  const terms: string[] = [];
  let start = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === "(") depth += 1;
    if (letter === ")") depth -= 1;
    if (letter === "," && depth === 0) {
      terms.push(text.slice(start, index));
      start = index + 1;
    }
  }
  terms.push(text.slice(start));
  return terms.map((term) => term.trim());
}

const among = /^([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const compared = /^([^\s!=<>(),]+)\s*(==|=|!=|>|<)\s*([^\s!=<>(),]*)$/;
const present = /^(!?)\s*([^\s!=<>(),]+)$/;

function parseTerm(term: string): Result<Requirement, string> {
  const list = among.exec(term);
  if (list !== null) {
    const values = (list[3] ?? "").split(",").map((value) => value.trim());
    return checked(term, list[1] ?? "", list[2] === "in" ? "In" : "NotIn", values);
  }
  const comparison = compared.exec(term);
  if (comparison !== null) {
    const [, key = "", sign, value = ""] = comparison;
    if (sign !== ">" && sign !== "<")
      return checked(term, key, sign === "!=" ? "NotIn" : "In", [value]);
    if (!/^-?\d+$/.test(value))
      return fail(`selector term ${JSON.stringify(term)}: ${sign} needs a whole number`);
    return checked(term, key, sign === ">" ? "Gt" : "Lt", [value]);
  }
  const presence = present.exec(term);
  if (presence !== null)
    return checked(term, presence[2] ?? "", presence[1] === "!" ? "DoesNotExist" : "Exists", []);
  return fail(
    `selector term ${JSON.stringify(term)} must be key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`,
  );
}

function checked(
  term: string,
  key: string,
  operator: Requirement["operator"],
  values: readonly string[],
): Result<Requirement, string> {
  const problem =
    labelKeyProblem(key) ??
    (operator === "Gt" || operator === "Lt"
      ? undefined
      : values.map((value) => labelValueProblem(key, value)).find((found) => found !== undefined));
  return problem === undefined
    ? ok({ key, operator, values })
    : fail(`selector term ${JSON.stringify(term)}: ${problem}`);
}
