import type { Labels } from "./records.ts";

const name = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const annotationCharsMost = 256 * 1024;

/** Why a label or annotation key is not one Kubernetes would take, or `undefined`. */
export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const [before, after] = slash === -1 ? ["", key] : [key.slice(0, slash), key.slice(slash + 1)];
  if (slash !== -1 && (before.length > 253 || !prefix.test(before)))
    return `the prefix of ${quote(key)} must be a DNS subdomain of at most 253 characters`;
  if (!name.test(after))
    return `the name in ${quote(key)} must be 1 to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit`;
  return undefined;
}

/** Why a label value is not one Kubernetes would take, or `undefined`. The empty value is fine. */
export function labelValueProblem(key: string, value: string): string | undefined {
  if (value === "" || name.test(value)) return undefined;
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
