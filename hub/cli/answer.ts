/**
 * An answer of the hub, read without trust in its shape: an older or newer hub may leave a field out or add
 * one, and a table should still print.
 */
export type Answer = Readonly<Record<string, unknown>>;

export const isAnswer = (value: unknown): value is Answer =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function at(answer: Answer, path: readonly string[]): unknown {
  let value: unknown = answer;
  for (const step of path) value = isAnswer(value) ? value[step] : undefined;
  return value;
}

/** The text at a path; empty when there is none. Numbers and booleans are spelled out. */
export function text(answer: Answer, ...path: readonly string[]): string {
  const value = at(answer, path);
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

export function number(answer: Answer, ...path: readonly string[]): number {
  const value = at(answer, path);
  return typeof value === "number" ? value : 0;
}

/** The number at a path, when there is one. */
export function maybeNumber(answer: Answer, ...path: readonly string[]): number | undefined {
  const value = at(answer, path);
  return typeof value === "number" ? value : undefined;
}

export const flag = (answer: Answer, ...path: readonly string[]): boolean =>
  at(answer, path) === true;

export function part(answer: Answer, ...path: readonly string[]): Answer {
  const value = at(answer, path);
  return isAnswer(value) ? value : {};
}

export const has = (answer: Answer, ...path: readonly string[]): boolean =>
  at(answer, path) !== undefined;

export function parts(answer: Answer, ...path: readonly string[]): readonly Answer[] {
  const value = at(answer, path);
  return Array.isArray(value) ? value.filter(isAnswer) : [];
}

export function texts(answer: Answer, ...path: readonly string[]): readonly string[] {
  const value = at(answer, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A map of texts as `k=v` words, by key. */
export const pairs = (map: Answer): readonly string[] =>
  Object.keys(map)
    .toSorted()
    .map((key) => (text(map, key) === "" ? key : `${key}=${text(map, key)}`));
