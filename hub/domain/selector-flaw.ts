import { hasNameForm, hasPrefixForm, nameForm, prefixForm } from "./label-syntax.ts";
import { goQuote } from "./template/print.ts";
import type { Requirement, SelectorValues } from "./selector.ts";

/**
 * Everything wrong with one term of a LabelSelector, in the words Kubernetes has for it; `undefined` when nothing
 * is. `values` says whether what a label is compared with must be a label value itself.
 */
export function requirementFlaw(
  { key, operator, values: given }: Requirement,
  values: SelectorValues,
): string | undefined {
  const flaws = invalid("key", goQuote(key), keyFlaws(key));
  if ((operator === "In" || operator === "NotIn") && given.length === 0)
    flaws.push(
      ...invalid("values", "[]string(nil)", [
        "for 'in', 'notin' operators, values set can't be empty",
      ]),
    );
  if ((operator === "Exists" || operator === "DoesNotExist") && given.length > 0)
    flaws.push(
      ...invalid("values", `[]string{${given.map((value) => goQuote(value)).join(", ")}}`, [
        "values set must be empty for exists and does not exist",
      ]),
    );
  if (values === "label-values")
    for (const [index, value] of given.entries())
      flaws.push(...invalid(`values[${index}][${key}]`, goQuote(value), valueFlaws(value)));
  return flaws.length > 1 ? `[${flaws.join(", ")}]` : flaws[0];
}

/** One sentence about a field, however much is wrong with it; none when nothing is. */
const invalid = (field: string, shown: string, reasons: readonly string[]): string[] =>
  reasons.length === 0 ? [] : [`${field}: Invalid value: ${shown}: ${reasons.join("; ")}`];

const named =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character" +
  ` (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${nameForm}')`;

function keyFlaws(key: string): readonly string[] {
  const parts = key.split("/");
  if (parts.length > 2)
    return [
      `a valid label key ${named} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const own = parts.at(-1) ?? "";
  return [
    ...(parts.length === 2 ? prefixFlaws(parts[0] ?? "") : []),
    ...(own === "" ? ["must be non-empty"] : longerThan(63, own)).map(
      (flaw) => `name part ${flaw}`,
    ),
    ...(hasNameForm(own) ? [] : [`name part ${named}`]),
  ];
}

function prefixFlaws(prefix: string): readonly string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const flaws = [...longerThan(253, prefix)];
  if (!hasPrefixForm(prefix))
    flaws.push(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start" +
        ` and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${prefixForm}')`,
    );
  return flaws.map((flaw) => `prefix part ${flaw}`);
}

function valueFlaws(value: string): readonly string[] {
  const flaws = [...longerThan(63, value)];
  if (value !== "" && !hasNameForm(value))
    flaws.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and" +
        ` end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${nameForm})?')`,
    );
  return flaws;
}

const longerThan = (bytesMost: number, text: string): readonly string[] =>
  Buffer.byteLength(text) > bytesMost ? [`must be no more than ${bytesMost} bytes`] : [];
