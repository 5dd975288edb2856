import { fail, ok, type Result } from "../kit/result.ts";
import { canonicalJson, digestOfText, parseDigest, type Digest, type Json } from "./digest.ts";
import { parseObjectKey, type ObjectKey } from "./object-key.ts";

/** One line of a bundle: which object, and the digest of its canonical bytes. */
export type BundleEntry = { readonly key: ObjectKey; readonly blob: Digest };

/** A rendered application: its objects in a fixed order (sorted by key). It travels as a blob of its own. */
export type Bundle = { readonly entries: readonly BundleEntry[] };

export type Blob = { readonly digest: Digest; readonly bytes: Uint8Array };

export const blobOf = (value: Json): Blob => {
  const text = canonicalJson(value);
  return { digest: digestOfText(text), bytes: new TextEncoder().encode(text) };
};

/** The blob that lists a bundle; its digest is the bundle's digest. */
export const bundleBlob = (bundle: Bundle): Blob =>
  blobOf({ objects: bundle.entries.map(({ key, blob }) => [key, blob]) });

/** Reads what `bundleBlob` wrote. Fails with a sentence when the bytes are anything else. */
export function parseBundle(bytes: Uint8Array): Result<Bundle, string> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(`bundle is not JSON: ${String(error)}`);
  }
  const objects =
    typeof value === "object" && value !== null && "objects" in value ? value.objects : undefined;
  if (!Array.isArray(objects)) return fail("bundle has no list of objects");
  const entries: BundleEntry[] = [];
  for (const entry of objects as readonly unknown[]) {
    const [key, blob] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    const digest = parseDigest(blob);
    if (typeof key !== "string" || !parseObjectKey(key).ok || !digest.ok)
      return fail(`bundle has a bad entry: ${JSON.stringify(entry)}`);
    entries.push({ key: key as ObjectKey, blob: digest.value });
  }
  return ok({ entries });
}
