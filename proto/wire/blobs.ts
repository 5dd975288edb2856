import { create } from "@bufbuild/protobuf";
import {
  FetchBlobsRequestSchema,
  FetchBlobsResponseSchema,
  type FetchBlobsRequest,
  type FetchBlobsResponse,
} from "../gen/wheelhouse/v1/blob_pb.ts";
import type { Result } from "../kit/result.ts";
import type { Digest } from "../words/digest.ts";
import { count, decode, digestBytes, digestFrom, listOf, refuse, wireLimits } from "./fields.ts";

/** A blob, or what is still missing of one. */
export type BlobRange = { readonly digest: Digest; readonly offset: number };

/** Consecutive bytes of one blob. */
export type BlobChunk = {
  readonly digest: Digest;
  readonly offset: number;
  /** Size of the whole blob. */
  readonly totalBytes: number;
  readonly content: Uint8Array;
};

export const blobRangesToWire = (ranges: readonly BlobRange[]): FetchBlobsRequest =>
  create(FetchBlobsRequestSchema, {
    blobs: ranges.map(({ digest, offset }) => ({
      digest: digestBytes(digest),
      offset: BigInt(offset),
    })),
  });

export const blobRangesFromWire = (
  request: FetchBlobsRequest,
): Result<readonly BlobRange[], string> =>
  decode("blobs", () =>
    listOf("blobs", request.blobs, wireLimits.blobRangesMost, ({ digest, offset }) => ({
      digest: digestFrom("digest", digest),
      offset: count("offset", offset),
    })),
  );

export const blobChunkToWire = (chunk: BlobChunk): FetchBlobsResponse =>
  create(FetchBlobsResponseSchema, {
    digest: digestBytes(chunk.digest),
    offset: BigInt(chunk.offset),
    totalBytes: BigInt(chunk.totalBytes),
    content: chunk.content,
  });

export const blobChunkFromWire = (response: FetchBlobsResponse): Result<BlobChunk, string> =>
  decode("blob", () => {
    const offset = count("offset", response.offset);
    const totalBytes = count("total_bytes", response.totalBytes);
    if (offset + response.content.length > totalBytes)
      refuse(`content ends at byte ${offset + response.content.length} of ${totalBytes}`);
    return {
      digest: digestFrom("digest", response.digest),
      offset,
      totalBytes,
      content: response.content,
    };
  });
