import { createDecipheriv, createHmac, hash, scryptSync } from "node:crypto";

/** The digest of bytes, or of a text, as lower-case hexadecimal digits, by an algorithm that templates ask for by name. */
export const hexDigestOf = (
  algorithm: "sha1" | "sha256" | "sha512",
  content: string | Uint8Array,
): string => hash(algorithm, content, "hex");

export const hmacSha256 = (key: Uint8Array, content: Uint8Array): Buffer =>
  createHmac("sha256", key).update(content).digest();

/**
 * The key of 64 bytes that the Master Password algorithm makes out of a password: scrypt with N 32768, r 8, p 2. Made
 * to take long: about 0.2 s, during which its thread does nothing else, and 32 MiB.
 */
export const masterKey = (password: Uint8Array, salt: Uint8Array): Buffer =>
  scryptSync(password, salt, 64, { N: 32_768, r: 8, p: 2, maxmem: 64 * 1024 * 1024 });

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
