import type { Labels } from "./records.ts";

/** A change in the manner of RFC 7396: `null` removes a key. */
export type LabelChange = Readonly<Record<string, string | null>>;

/** The labels, or annotations, as the change leaves them. */
export function changedLabels(before: Labels, change: LabelChange): Labels {
  const after = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) after.delete(key);
    else after.set(key, value);
  }
  return Object.fromEntries(after);
}
