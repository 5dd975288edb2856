/** Label and field selectors, as they stand in a query and as they stand in objects. */
import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { isMap, listAt, mapAt, mapsAt, textAt, type Json } from "./json.ts";

export type Requirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
};

export type Labels = { readonly [key: string]: string };

export function matchesLabels(requirements: readonly Requirement[], labels: Labels): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels[key];
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
        return value !== undefined && Number(value) > Number(values[0]);
      case "Lt":
        return value !== undefined && Number(value) < Number(values[0]);
      default:
        return unreachable(operator, "selector operator");
    }
  });
}

const labelKey =
  /^([a-z0-9A-Z]([-a-z0-9A-Z.]*[a-z0-9A-Z])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. The problem is worded for a 400. */
export function parseLabelSelector(input: string): Result<readonly Requirement[], string> {
  const requirements: Requirement[] = [];
  for (const part of splitOutsideParentheses(input)) {
    const parsed = parseTerm(part.trim());
    if (!parsed.ok) return fail(`unable to parse requirement: ${parsed.problem}`);
    if (parsed.value !== undefined) requirements.push(parsed.value);
  }
  return ok(requirements);
}

function splitOutsideParentheses(input: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < input.length; index += 1) {
    const character = input[index];
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (character === "," && depth === 0) {
      parts.push(input.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(input.slice(start));
  return parts;
}

function parseTerm(term: string): Result<Requirement | undefined, string> {
  if (term === "") return ok(undefined);
  const set = /^([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null)
    return checked({
      key: set[1] ?? "",
      operator: set[2] === "in" ? "In" : "NotIn",
      values: (set[3] ?? "").split(",").map((value) => value.trim()),
    });
  const equality = /^([^\s!=<>(),]+)\s*(==|=|!=|>|<)\s*([^\s!=<>(),]*)$/.exec(term);
  if (equality !== null) {
    const operators = { "=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt" } as const;
    const sign = equality[2] as keyof typeof operators;
    return checked({
      key: equality[1] ?? "",
      operator: operators[sign],
      values: [equality[3] ?? ""],
    });
  }
  const presence = /^(!?)\s*([^\s!=<>(),]+)$/.exec(term);
  if (presence !== null)
    return checked({
      key: presence[2] ?? "",
      operator: presence[1] === "!" ? "DoesNotExist" : "Exists",
      values: [],
    });
  return fail(`found '${term}', expected: identifier, or an operator between a key and values`);
}

function checked(requirement: Requirement): Result<Requirement, string> {
  if (!labelKey.test(requirement.key))
    return fail(
      `key: Invalid value: ${JSON.stringify(requirement.key)}: name part must consist of alphanumeric characters, '-', '_' or '.'`,
    );
  const wrong = requirement.values.find((value) => !labelValue.test(value));
  return wrong === undefined
    ? ok(requirement)
    : fail(
        `values[0][${requirement.key}]: Invalid value: ${JSON.stringify(wrong)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'`,
      );
}

export type FieldTerm = {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
};

/** `metadata.name=x,status.phase!=Running`. Which fields a kind knows is checked by the caller. */
export function parseFieldSelector(input: string): Result<readonly FieldTerm[], string> {
  const terms: FieldTerm[] = [];
  for (const part of input.split(",")) {
    if (part.trim() === "") continue;
    const match = /^([^=!]+?)(==|=|!=)(.*)$/.exec(part.trim());
    if (match === null) return fail(`invalid selector: '${input}'; can't understand '${part}'`);
    terms.push({
      field: match[1] ?? "",
      equals: match[2] !== "!=",
      value: match[3] ?? "",
    });
  }
  return ok(terms);
}

export const labelsOf = (object: Json | undefined): Labels =>
  Object.fromEntries(
    Object.entries(mapAt(object, "metadata", "labels")).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );

/** A selector as objects hold it: a `LabelSelector`, or the plain map of Services and ReplicationControllers. */
export function requirementsOf(selector: Json | undefined): readonly Requirement[] {
  if (!isMap(selector)) return [];
  const isPlain = !("matchLabels" in selector) && !("matchExpressions" in selector);
  const exact = isPlain ? selector : mapAt(selector, "matchLabels");
  return [
    ...Object.entries(exact).map(([key, value]): Requirement => ({
      key,
      operator: "In",
      values: typeof value === "string" ? [value] : [],
    })),
    ...mapsAt(selector, "matchExpressions").map((expression): Requirement => ({
      key: textAt(expression, "key"),
      operator: operatorOf(textAt(expression, "operator")),
      values: listAt(expression, "values").filter((value) => typeof value === "string"),
    })),
  ];
}

function operatorOf(text: string): Requirement["operator"] {
  switch (text) {
    case "NotIn":
    case "Exists":
    case "DoesNotExist":
      return text;
    default:
      return "In";
  }
}
