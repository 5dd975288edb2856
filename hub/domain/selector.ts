import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Json } from "../../proto/words/digest.ts";
import { FieldReader, isObject } from "./document.ts";
import { requirementFlaw } from "./selector-flaw.ts";
import { goQuote } from "./template/print.ts";

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
 *
 * A selector of a wrong shape is told by `path`, one that means nothing in the words that Argo CD would have for it.
 */
export function parseLabelSelector(
  input: Json | undefined,
  values: SelectorValues,
  path: string,
): Result<readonly Requirement[], string> {
  if (input === undefined || input === null) return ok([]);
  if (!isObject(input)) return fail(`${path} must be a mapping`);
  const fields = new FieldReader(input, path);
  const terms = readTerms(fields);
  if (fields.problems.length > 0) return fail(fields.problems.join("; "));
  const requirements: Requirement[] = [];
  for (const { key, operator, values: given } of terms) {
    const known = expressionOperators.find((candidate) => candidate === operator);
    if (known === undefined)
      return fail(`${goQuote(operator)} is not a valid ${selected[values]} selector operator`);
    const requirement = { key, operator: known, values: given };
    const flaw = requirementFlaw(requirement, values);
    if (flaw !== undefined) return fail(flaw);
    requirements.push(requirement);
  }
  return ok(requirements);
}

const expressionOperators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** What Argo CD says a selector selects: what it checks params with was once made for pods. */
const selected: Readonly<Record<SelectorValues, string>> = {
  "label-values": "label",
  "any-text": "pod",
};

/** A term before its operator is known to be one. */
type Term = Omit<Requirement, "operator"> & { readonly operator: string };

function readTerms(fields: FieldReader): readonly Term[] {
  const labels = fields.textMap("matchLabels");
  const terms: Term[] = Object.keys(labels)
    .toSorted()
    .map((key) => ({ key, operator: "In", values: [labels[key] ?? ""] }));
  for (const [index, item] of fields.list("matchExpressions").entries()) {
    const name = `matchExpressions[${index}]`;
    if (!isObject(item)) {
      fields.complain(name, "must be a mapping");
      continue;
    }
    const expression = new FieldReader(item, fields.path(name), fields.problems);
    terms.push({
      key: expression.text("key"),
      operator: expression.text("operator"),
      values: expression.texts("values"),
    });
  }
  return terms;
}
