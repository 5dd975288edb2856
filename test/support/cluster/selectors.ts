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
  const tokens = tokensOf(input);
  const requirements: Requirement[] = [];
  for (;;) {
    if (tokens.peek() === "" && requirements.length === 0) return ok(requirements);
    if (!isWord(tokens.peek()) && tokens.peek() !== "!")
      return fail(
        requirements.length === 0
          ? `found '${tokens.peek()}', expected: !, identifier, or 'end of string'`
          : `found '${tokens.peek()}', expected: identifier after ','`,
      );
    const parsed = parseRequirement(tokens);
    if (!parsed.ok) return fail(`unable to parse requirement: ${parsed.problem}`);
    requirements.push(parsed.value);
    const next = tokens.take();
    if (next === "") return ok(requirements);
    if (next !== ",") return fail(`found '${next}', expected: ',' or 'end of string'`);
  }
}

type Tokens = { readonly peek: () => string; readonly take: () => string };

/** Words and signs; an empty text is the end. */
function tokensOf(input: string): Tokens {
  const all = input.match(/==|!=|[=!<>(),]|[^\s=!<>(),]+/g) ?? [];
  let position = 0;
  return {
    peek: () => all[position] ?? "",
    take: () => {
      const token = all[position] ?? "";
      position += 1;
      return token;
    },
  };
}

const isWord = (token: string): boolean => token !== "" && !/^[=!<>(),]/.test(token);

const operators: { readonly [sign: string]: Requirement["operator"] } = {
  "=": "In",
  "==": "In",
  "!=": "NotIn",
  ">": "Gt",
  "<": "Lt",
  in: "In",
  notin: "NotIn",
};

function parseRequirement(tokens: Tokens): Result<Requirement, string> {
  const isDenied = tokens.peek() === "!";
  if (isDenied) tokens.take();
  const key = tokens.take();
  if (!isWord(key)) return fail(`found '${key}', expected: identifier`);
  if (isDenied || tokens.peek() === "" || tokens.peek() === ",")
    return checked({ key, operator: isDenied ? "DoesNotExist" : "Exists", values: [] });
  const sign = tokens.take();
  const operator = operators[sign];
  if (operator === undefined)
    return fail(`found '${sign}', expected: in, notin, =, ==, !=, gt, lt`);
  if (sign === "in" || sign === "notin") {
    const values = parseValues(tokens);
    return values.ok ? checked({ key, operator, values: values.value }) : values;
  }
  if (tokens.peek() === "" || tokens.peek() === ",")
    return checked({ key, operator, values: [""] });
  const value = tokens.take();
  return isWord(value)
    ? checked({ key, operator, values: [value] })
    : fail(`found '${value}', expected: identifier`);
}

/** `(a, b)`; what is missing between commas is an empty text. */
function parseValues(tokens: Tokens): Result<readonly string[], string> {
  const open = tokens.take();
  if (open !== "(") return fail(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const value = isWord(tokens.peek()) ? tokens.take() : "";
    values.push(value);
    const next = tokens.take();
    if (next === ")") return ok(values);
    if (next !== ",") return fail(`found '${next}', expected: ',' or ')'`);
  }
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
