import { Metadata, status, type Client } from "@grpc/grpc-js";
import { BlobService, type FetchBlobsResponse } from "../../proto/gen/wheelhouse/v1/blob_pb.ts";
import { grpcMethod } from "../../proto/rpc.ts";
import type { Blob } from "../../proto/words/bundle.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import { digestOfBytes, type Digest } from "../../proto/words/digest.ts";
import { blobChunkFromWire, blobRangesToWire } from "../../proto/wire/blobs.ts";
import { deadlineIn, responses } from "./calls.ts";
import { hubAway, hubAwayCode, hubErrorOf, understood } from "./hub-error.ts";

const blobsAtOnceMost = 500;

const fetchMethod = grpcMethod(BlobService.method.fetchBlobs);

/** The bytes that came before a fetch was interrupted. There is at most one such blob: they come in order. */
type PartialBlob = {
  readonly digest: Digest;
  readonly totalBytes: number;
  readonly chunks: Uint8Array[];
};

export type BlobFetcher = {
  /** See `HubConnection.fetchBlobs`. One fetch at a time. Throws HubError for what the hub or the line does. */
  readonly fetch: (
    client: Client,
    digests: readonly Digest[],
    onBlob: (blob: Blob) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<readonly Digest[]>;
};

/** Fetches blobs, checks each against its digest, and goes on where a broken fetch stopped. */
export function createBlobFetcher(settings: {
  readonly fetchMs: number;
  readonly blobBytesMost: number;
}): BlobFetcher {
  let partial: PartialBlob | undefined;

  async function fetch(
    client: Client,
    digests: readonly Digest[],
    onBlob: (blob: Blob) => Promise<void>,
    signal: AbortSignal,
  ): Promise<readonly Digest[]> {
    const missing: Digest[] = [];
    let wanted = digests;
    while (wanted.length > 0) {
      const asked = wanted.slice(0, blobsAtOnceMost);
      const fetched = await fetchSome(client, asked, onBlob, signal);
      // They come in order: the first that did not come is the one the hub stopped at.
      const stoppedAt = asked[fetched];
      if (stoppedAt !== undefined) missing.push(stoppedAt);
      wanted = wanted.slice(fetched + (stoppedAt === undefined ? 0 : 1));
    }
    return missing;
  }

  /** How many of `digests` came before the end, or before one that the hub has not got. */
  async function fetchSome(
    client: Client,
    digests: readonly Digest[],
    onBlob: (blob: Blob) => Promise<void>,
    signal: AbortSignal,
  ): Promise<number> {
    if (partial?.digest !== digests[0]) partial = undefined;
    const call = client.makeServerStreamRequest(
      fetchMethod.path,
      fetchMethod.requestSerialize,
      fetchMethod.responseDeserialize,
      blobRangesToWire(
        digests.map((digest) => ({
          digest,
          offset: partial?.digest === digest ? bytesOf(partial) : 0,
        })),
      ),
      new Metadata(),
      deadlineIn(settings.fetchMs),
    );
    let fetched = 0;
    try {
      for await (const response of responses(call, signal)) {
        const blob = takeChunk(response, digests[fetched]);
        if (blob === undefined) continue;
        await onBlob(blob);
        fetched += 1;
      }
    } catch (error) {
      if (isNotFound(error)) return fetched;
      throw hubErrorOf(error);
    }
    if (fetched < digests.length)
      throw hubAway(hubAwayCode, `the hub sent ${fetched} of ${digests.length} blobs`);
    return fetched;
  }

  /** The blob this chunk completes. Throws when it is not the next piece of `expected`, or the whole is not it. */
  function takeChunk(response: FetchBlobsResponse, expected: Digest | undefined): Blob | undefined {
    const { digest, offset, totalBytes, content } = understood(blobChunkFromWire(response));
    if (digest !== expected) throw badBlob(`blob ${digest} came instead of ${expected ?? "none"}`);
    if (totalBytes > settings.blobBytesMost)
      throw badBlob(
        `blob ${digest} has ${totalBytes} bytes, at most ${settings.blobBytesMost} are taken`,
      );
    partial ??= { digest, totalBytes, chunks: [] };
    const have = bytesOf(partial);
    if (offset !== have || totalBytes !== partial.totalBytes) {
      partial = undefined;
      throw badBlob(`blob ${digest} went on at byte ${offset} instead of ${have}`);
    }
    partial.chunks.push(content);
    if (have + content.length < totalBytes) return undefined;
    const bytes = Buffer.concat(partial.chunks);
    partial = undefined;
    if (digestOfBytes(bytes) !== digest)
      throw badBlob(`the bytes that came for blob ${digest} are not it`);
    return { digest, bytes };
  }

  return { fetch };
}

const bytesOf = ({ chunks }: PartialBlob): number =>
  chunks.reduce((bytes, chunk) => bytes + chunk.length, 0);

const badBlob = (sentence: string) => hubAway(linkCodes.badBlob, sentence);

const isNotFound = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === status.NOT_FOUND;
