import { status } from "@grpc/grpc-js";
import type { Digest } from "../../proto/words/digest.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import type { BlobChunk, BlobRange } from "../../proto/wire/blobs.ts";
import { CallRefused } from "./call-refused.ts";

export type FetchBlobsNeeds = {
  /** Only what this cluster should run; `undefined` for everything else, whether it exists or not. */
  readonly readFor: (
    cluster: ClusterId,
    digest: Digest,
    signal: AbortSignal,
  ) => Promise<Uint8Array | undefined>;
};

/** Large enough to be few, small enough that a slow reader holds back little. */
export const chunkBytesMost = 256 * 1024;

/**
 * The asked ranges in chunks, blob after blob in the order asked for; at least one chunk a blob.
 *
 * Throws CallRefused at the first blob that this cluster may not read, in the same words whether it is
 * somebody else's or nobody's: the answer must not tell.
 */
export async function* fetchBlobs(
  cluster: ClusterId,
  ranges: readonly BlobRange[],
  needs: FetchBlobsNeeds,
  signal: AbortSignal,
): AsyncGenerator<BlobChunk> {
  for (const { digest, offset } of ranges) {
    const bytes = await needs.readFor(cluster, digest, signal);
    if (bytes === undefined)
      throw new CallRefused(status.NOT_FOUND, `there is no blob ${digest} for this cluster`);
    if (offset > bytes.length)
      throw new CallRefused(
        status.OUT_OF_RANGE,
        `blob ${digest} has ${bytes.length} bytes, offset ${offset} was asked for`,
      );
    let at = offset;
    do {
      const content = bytes.subarray(at, at + chunkBytesMost);
      yield { digest, offset: at, totalBytes: bytes.length, content };
      at += content.length;
    } while (at < bytes.length);
  }
}
