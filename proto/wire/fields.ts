import { fail, ok, type Result } from "../kit/result.ts";
import { parseDigest, type Digest } from "../words/digest.ts";
import { parseApplicationName, type ApplicationName } from "../words/ids.ts";

/** How large what comes off the wire may be. Whatever is larger was not written by us. */
export const wireLimits = {
  /** Identifiers, revisions, versions, codes. */
  wordCharsMost: 1_024,
  /** Sentences for people. */
  messageCharsMost: 65_536,
  /** Sentences in reports: spokes cut theirs to this, and there may be one for each object of a fleet. */
  reportMessageCharsMost: 4_096,
  capabilitiesMost: 100,
  applicationsMost: 20_000,
  resourcesMost: 20_000,
  conditionsMost: 1_000,
  imagesMost: 1_000,
  inlineBlobsMost: 10_000,
  blobRangesMost: 1_000,
  trustedMost: 16,
  certificateBytesMost: 16_384,
} as const;

// Reading a nested message is a walk of many small steps, each of which may refuse. Refusals travel as this
// one error, from the step to `decode`, and never leave the wire's own files.
class Refused extends Error {}

/** Reads one message from the wire. A refusal is a sentence that begins with `what`. */
export function decode<T>(what: string, read: () => T): Result<T, string> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof Refused) return fail(`${what}: ${error.message}`);
    throw error;
  }
}

export function refuse(problem: string): never {
  throw new Refused(problem);
}

export function word(field: string, value: string, charsMost: number): string {
  if (value.length > charsMost)
    refuse(`${field} has ${value.length} characters, at most ${charsMost} are accepted`);
  return value;
}

/** A uint64 or int64 that JavaScript can count with: 0 to 2^53 - 1. */
export function count(field: string, value: bigint): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    refuse(`${field} must be from 0 to 2^53 - 1, got ${value}`);
  return Number(value);
}

export function digestFrom(field: string, bytes: Uint8Array): Digest {
  if (bytes.length !== 32) refuse(`${field} must be 32 bytes, got ${bytes.length}`);
  const parsed = parseDigest(viewOf(bytes).toString("hex"));
  return parsed.ok ? parsed.value : refuse(`${field}: ${parsed.problem}`);
}

export const digestBytes = (digest: Digest): Uint8Array => Buffer.from(digest, "hex");

export function applicationFrom(field: string, value: string): ApplicationName {
  const parsed = parseApplicationName(value);
  return parsed.ok ? parsed.value : refuse(`${field}: ${parsed.problem}`);
}

export function listOf<W, T>(
  field: string,
  values: readonly W[],
  most: number,
  read: (value: W) => T,
): readonly T[] {
  if (values.length > most)
    refuse(`${field} has ${values.length} entries, at most ${most} are accepted`);
  return values.map(read);
}

export const given = <T>(field: string, value: T | undefined): T =>
  value ?? refuse(`${field} is missing`);

/** The word an enum number stands for; `undefined` for the unspecified and for numbers of a later day. */
export const wordOf = <W extends string>(
  words: readonly W[],
  numbers: Readonly<Record<W, number>>,
  number: number,
): W | undefined => words.find((word) => numbers[word] === number);

/** The same, where a word that is not known cannot be acted on. */
export const knownWord = <W extends string>(
  field: string,
  words: readonly W[],
  numbers: Readonly<Record<W, number>>,
  number: number,
): W =>
  wordOf(words, numbers, number) ??
  refuse(number === 0 ? `${field} is unspecified` : `${field} ${number} is not known`);

const viewOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
