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
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const fields = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${fields.join(",")}}`;
}

// Array.isArray does not narrow readonly arrays.
const isList = (value: object): value is readonly Json[] => Array.isArray(value);
