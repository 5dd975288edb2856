import type { Log } from "../../proto/kit/log.ts";
import type { Blob } from "../../proto/words/bundle.ts";
import { digestOfBytes, parseDigest, type Digest } from "../../proto/words/digest.ts";
import { durableFolder } from "./durable-folder.ts";

export type BlobFolder = {
  /** Whether `read` would give it: its bytes are checked, so that a blob gone bad is fetched again. */
  readonly has: (digest: Digest, signal: AbortSignal) => Promise<boolean>;
  /** `undefined` when there is none, or when it had gone bad, in which case it is removed. */
  readonly read: (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /**
   * Durable when it resolves. Throws TypeError when the bytes are not those of the digest. Several may be
   * written at once, which is quicker than one after the other.
   */
  readonly write: (blob: Blob, signal: AbortSignal) => Promise<void>;
  /** Removes every other blob. Not to be called while blobs are written that are not among them. */
  readonly keepOnly: (digests: ReadonlySet<Digest>, signal: AbortSignal) => Promise<void>;
};

/** Blobs as files named by their digests. Bounded by whoever calls `keepOnly`. */
export function openBlobs(folder: string, log: Log): BlobFolder {
  const files = durableFolder(folder);

  async function readChecked(digest: Digest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const bytes = await files.read(digest, signal);
    if (bytes === undefined || digestOfBytes(bytes) === digest) return bytes;
    log.error("damaged blob removed", { digest, bytes: bytes.byteLength });
    await files.remove(digest, signal);
    return undefined;
  }

  return {
    has: async (digest, signal) => (await readChecked(digest, signal)) !== undefined,
    read: readChecked,
    write: async (blob, signal) => {
      if (digestOfBytes(blob.bytes) !== blob.digest)
        throw new TypeError(`blob ${blob.digest} holds other bytes than its digest says`);
      await files.replace(blob.digest, blob.bytes, signal);
    },
    keepOnly: async (digests, signal) => {
      for (const name of await files.list(signal)) {
        const digest = parseDigest(name);
        if (digest.ok && !digests.has(digest.value)) await files.remove(name, signal);
      }
    },
  };
}
