import type { Labels } from "../domain/records.ts";

/** Reads what this store wrote itself; the caller names the shape because it wrote it. */
export const readJson = (text: string): unknown => JSON.parse(text);

export const writeJson = (value: unknown): string => JSON.stringify(value);

/** The same fields by name, so that equal ones are equal text. */
export const inOrder = <Fields extends object>(fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  ) as Fields;

export const readLabels = (text: string): Labels => readJson(text) as Labels;

/** What a row says about what it describes. */
export const metadataFromRow = (row: {
  readonly labels: string;
  readonly annotations: string;
}): { readonly labels: Labels; readonly annotations: Labels } => ({
  labels: readLabels(row.labels),
  annotations: readLabels(row.annotations),
});
