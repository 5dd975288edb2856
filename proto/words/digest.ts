import { hash } from "node:crypto";
import { fail, ok, type Result } from "../kit/result.ts";

declare const digest: unique symbol;

/** SHA-256 of canonical bytes as 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly [digest]: true };

export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

const hexDigest = /^[0-9a-f]{64}$/;

export function parseDigest(input: unknown): Result<Digest, string> {
  if (typeof input !== "string" || !hexDigest.test(input))
    return fail(`digest must be 64 hexadecimal digits, got ${JSON.stringify(String(input))}`);
  return ok(input as Digest);
}

export const digestOfBytes = (bytes: Uint8Array): Digest => hash("sha256", bytes, "hex") as Digest;

export const digestOfText = (text: string): Digest => hash("sha256", text, "hex") as Digest;

export const digestOf = (value: Json): Digest => digestOfText(canonicalJson(value));

/**
 * The one spelling of a JSON value, on hub and spoke, for ever: no white space, keys sorted by UTF-16
 * code units, numbers and strings as ECMAScript writes them, bigints as plain integers.
 *
 * Throws TypeError for what JSON cannot hold: NaN, infinities, undefined, functions.
 */
export function canonicalJson(value: Json): string {
  // The engine's own writer is several times faster, and writes the same where there is nothing to sort.
  return isWrittenAsIs(value) ? JSON.stringify(value) : spelled(value);
}

/** Whether `JSON.stringify` gives the canonical spelling: keys are in order, and JSON can hold every value. */
function isWrittenAsIs(value: Json): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (isList(value)) {
    // Not `every`, which passes over holes.
    for (const item of value) if (!isWrittenAsIs(item)) return false;
    return true;
  }
  let before = "";
  for (const key of Object.keys(value)) {
    if (key < before || !isWrittenAsIs(value[key] as Json)) return false;
    before = key;
  }
  return true;
}

function spelled(value: Json): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "bigint":
      return value.toString();
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical spelling`);
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : canonicalComposite(value);
    default:
      throw new TypeError(`${typeof value} has no canonical spelling`);
  }
}

function canonicalComposite(value: readonly Json[] | { readonly [key: string]: Json }): string {
  if (isList(value)) return `[${value.map(spelled).join(",")}]`;
  const fields = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${spelled(value[key] ?? null)}`);
  return `{${fields.join(",")}}`;
}

// Array.isArray does not narrow readonly arrays.
const isList = (value: object): value is readonly Json[] => Array.isArray(value);
