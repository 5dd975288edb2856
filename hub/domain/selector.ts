import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import { FieldReader, isObject } from "./document.ts";
import { labelKeyProblem, labelValueProblem } from "./label-syntax.ts";

/** One term of a Kubernetes label selector. All terms of a selector must hold. */
export type Requirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
};

/** Whether the value of a label is checked as Kubernetes does, or may be any text, as params are. */
export type SelectorValues = "label-values" | "any-text";

/** Whether `labels` satisfies every requirement. `valueOf` gives `undefined` for a label that is not there. */
export function selectorMatches(
  requirements: readonly Requirement[],
  valueOf: (key: string) => string | undefined,
): boolean {
  return requirements.every((requirement) => holds(requirement, valueOf(requirement.key)));
}

/** The same over a plain map of labels. */
export const labelsMatch = (
  requirements: readonly Requirement[],
  labels: Readonly<Record<string, string>>,
): boolean =>
  selectorMatches(requirements, (key) => (Object.hasOwn(labels, key) ? labels[key] : undefined));

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return compareNumbers(value, values[0], (a, b) => a > b);
    case "Lt":
      return compareNumbers(value, values[0], (a, b) => a < b);
    default:
      return unreachable(operator, "selector operator");
  }
}

function compareNumbers(
  value: string | undefined,
  bound: string | undefined,
  holds: (a: bigint, b: bigint) => boolean,
): boolean {
  if (value === undefined || bound === undefined) return false;
  if (!wholeNumber.test(value) || !wholeNumber.test(bound)) return false;
  return holds(BigInt(value), BigInt(bound));
}

const wholeNumber = /^-?[0-9]{1,19}$/;

/**
 * A LabelSelector object: `matchLabels` and `matchExpressions`. Nothing in it, or `{}`, selects everything.
 * Gt and Lt exist in the text form only, as in Kubernetes.
 */
export function parseLabelSelector(
  input: Json | undefined,
  values: SelectorValues,
): Result<readonly Requirement[], string> {
  if (input === undefined || input === null) return ok([]);
  if (!isObject(input)) return fail("a selector must be a mapping");
  const fields = new FieldReader(input, "");
  const requirements: Requirement[] = [];
  for (const key of Object.keys(fields.textMap("matchLabels")).toSorted()) {
    const value = fields.textMap("matchLabels")[key] ?? "";
    requirements.push({ key, operator: "In", values: [value] });
  }
  for (const [index, item] of fields.list("matchExpressions").entries()) {
    if (!isObject(item)) {
      fields.complain(`matchExpressions[${index}]`, "must be a mapping");
      continue;
    }
    const expression = new FieldReader(
      item,
      fields.path(`matchExpressions[${index}]`),
      fields.problems,
    );
    const operator = expression.text("operator");
    const found = expressionOperators.find((candidate) => candidate === operator);
    if (found === undefined)
      fields.problems.push(`${JSON.stringify(operator)} is not a valid label selector operator`);
    else
      requirements.push({
        key: expression.text("key"),
        operator: found,
        values: expression.texts("values"),
      });
  }
  if (fields.problems.length > 0) return fail(fields.problems.join("; "));
  return checked(requirements, values);
}

const expressionOperators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

function checked(
  requirements: readonly Requirement[],
  values: SelectorValues,
): Result<readonly Requirement[], string> {
  for (const requirement of requirements) {
    const reason = requirementFlaw(requirement, values);
    if (reason !== undefined) return fail(reason);
  }
  return ok(requirements);
}

function requirementFlaw(
  { key, operator, values }: Requirement,
  manner: SelectorValues,
): string | undefined {
  const flaw = labelKeyProblem(key);
  if (flaw !== undefined) return flaw;
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0)
        return `values of ${key}: for 'in', 'notin' operators, values set can't be empty`;
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0)
        return `values of ${key}: values set must be empty for exists and does not exist`;
      break;
    case "Gt":
    case "Lt":
      if (values.length !== 1 || !wholeNumber.test(values[0] ?? ""))
        return `values of ${key}: for 'Gt', 'Lt' operators, the value must be an integer`;
      break;
  }
  if (manner === "any-text") return undefined;
  return values
    .map((value) => labelValueProblem(key, value))
    .find((problem) => problem !== undefined);
}
