import { createDecipheriv, hash } from "node:crypto";

/** The digest of a text as lower-case hexadecimal digits, by an algorithm that templates ask for by name. */
export const hexDigestOf = (algorithm: "sha1" | "sha512", text: string): string =>
  hash(algorithm, text, "hex");

const keyBytes = 32;
const blockBytes = 16;

/**
 * AES-256-CBC without a check of the padding, which is left in place. The key is cut, or filled with zeros;
 * `sealed` is a vector of one block and at least one block more, all of them whole.
 */
export function decrypted(key: Uint8Array, sealed: Uint8Array): Buffer {
  const exact = new Uint8Array(keyBytes);
  exact.set(key.subarray(0, keyBytes));
  const decipher = createDecipheriv("aes-256-cbc", exact, sealed.subarray(0, blockBytes));
  decipher.setAutoPadding(false);
  return Buffer.concat([decipher.update(sealed.subarray(blockBytes)), decipher.final()]);
}
