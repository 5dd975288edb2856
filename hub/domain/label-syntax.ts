import type { Labels } from "./records.ts";

/** What the name in a key, and a value that is not empty, must match; Kubernetes shows it to people. */
export const nameForm = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const domainLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/** The same for what stands before the slash of a key. */
export const prefixForm = `${domainLabel}(\\.${domainLabel})*`;

const wholeName = new RegExp(`^${nameForm}$`);
const wholePrefix = new RegExp(`^${prefixForm}$`);

/** However long it is. */
export const hasNameForm = (text: string): boolean => wholeName.test(text);
export const hasPrefixForm = (text: string): boolean => wholePrefix.test(text);

const isName = (text: string): boolean => text.length <= 63 && hasNameForm(text);
const isPrefix = (text: string): boolean => text.length <= 253 && hasPrefixForm(text);

const annotationCharsMost = 256 * 1024;

/** Why a label or annotation key is not one Kubernetes would take, or `undefined`. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const [before, after] = slash === -1 ? ["", key] : [key.slice(0, slash), key.slice(slash + 1)];
  if (slash !== -1 && !isPrefix(before))
    return `the prefix of ${quote(key)} must be a DNS subdomain of at most 253 characters`;
  if (!isName(after))
    return `the name in ${quote(key)} must be 1 to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit`;
  return undefined;
}

/** Why a label value is not one Kubernetes would take, or `undefined`. The empty value is fine. */
export function labelValueProblem(key: string, value: string): string | undefined {
  if (value === "" || isName(value)) return undefined;
  return `the value ${quote(value)} of ${quote(key)} must be at most 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit`;
}

/** Everything wrong with a map of labels, one sentence each. */
export const labelProblems = (labels: Labels): readonly string[] =>
  Object.entries(labels).flatMap(([key, value]) =>
    [labelKeyProblem(key), labelValueProblem(key, value)].filter(
      (problem) => problem !== undefined,
    ),
  );

/** Annotations have the keys of labels, any text as values, and a limit on the whole. */
export function annotationProblems(annotations: Labels): readonly string[] {
  const problems = Object.keys(annotations)
    .map(labelKeyProblem)
    .filter((problem) => problem !== undefined);
  const chars = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + key.length + value.length,
    0,
  );
  if (chars > annotationCharsMost)
    problems.push(
      `annotations hold ${chars} characters, at most ${annotationCharsMost} are allowed`,
    );
  return problems;
}

const quote = (text: string): string =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
