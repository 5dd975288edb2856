import { canonicalJson, digestOf, type Json } from "../../proto/words/digest.ts";
import { fieldManager } from "./cluster.ts";
import { parseExactJson } from "./exact-json.ts";
import { isFields, type Fields } from "./fields.ts";
import type { KubeObject, ManagedFieldsEntry } from "./kube-object.ts";

/**
 * Digest of the fields we own in a live object and of their live values; empty when we own nothing.
 *
 * The API server keeps, for every manager, which fields it set. Another manager that changes one of ours
 * takes it from us, removes it, or changes its value: each of these changes the digest. What others add
 * beside our fields does not, and neither does the API server's own book-keeping.
 */
export function ownedFingerprint(live: KubeObject): string {
  const entries = (live.metadata.managedFields ?? []).filter(isOurs);
  if (entries.length === 0) return "";
  const claims = entries
    .map((entry) => {
      const fields = entry.fieldsV1 ?? {};
      return {
        version: entry.apiVersion,
        fields: fields as Json,
        values: ownedValues(fields, live),
      };
    })
    .toSorted((a, b) => (a.version < b.version ? -1 : 1));
  return digestOf(claims);
}

const isOurs = (entry: ManagedFieldsEntry): boolean =>
  entry.manager === fieldManager &&
  entry.operation === "Apply" &&
  (entry.subresource ?? "") === "" &&
  Object.keys(entry.fieldsV1 ?? {}).length > 0;

/** `[]`: not there. `[value]`: there. The difference between null and nothing matters. */
type Found = readonly [] | readonly [value: unknown];

function ownedValues(fields: Fields, live: unknown): Json[] {
  const values: Json[] = [];
  collect(fields, [live], values);
  return values;
}

function collect(fields: Fields, at: Found, values: Json[]): void {
  for (const step of Object.keys(fields).toSorted()) {
    const inner = fields[step];
    if (step === ".") {
      // Owning the container itself says that it exists, nothing about what else is in it.
      values.push(at.length > 0);
      continue;
    }
    const found = follow(step, at);
    if (isFields(inner) && Object.keys(inner).length > 0) collect(inner, found, values);
    else values.push(found as Json);
  }
}

function follow(step: string, at: Found): Found {
  if (at.length === 0) return [];
  const [container] = at;
  const rest = step.slice(2);
  switch (step.slice(0, 2)) {
    case "f:":
      return isFields(container) && Object.hasOwn(container, rest) ? [container[rest]] : [];
    case "k:":
      return itemWhere(container, (item) => hasKeys(item, parsed(rest)));
    case "v:":
      return itemWhere(container, (item) => sameJson(item, parsed(rest)));
    case "i:":
      return Array.isArray(container) && Number(rest) < container.length
        ? [container[Number(rest)]]
        : [];
    default:
      return [];
  }
}

function itemWhere(list: unknown, matches: (item: unknown) => boolean): Found {
  if (!Array.isArray(list)) return [];
  const index = list.findIndex(matches);
  return index === -1 ? [] : [list[index]];
}

const hasKeys = (item: unknown, keys: unknown): boolean =>
  isFields(item) &&
  isFields(keys) &&
  Object.entries(keys).every(([name, value]) => sameJson(item[name], value));

const sameJson = (a: unknown, b: unknown): boolean =>
  a === b ||
  (typeof a === "object" &&
    typeof b === "object" &&
    canonicalJson(a as Json) === canonicalJson(b as Json));

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    // A spelling we do not know matches no item, so the claim reads as "not there".
    return undefined;
  }
}
