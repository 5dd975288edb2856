import { create } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import test, { suite } from "node:test";
import fc from "fast-check";
import {
  FetchBlobsRequestSchema,
  FetchBlobsResponseSchema,
} from "../../../proto/gen/wheelhouse/v1/blob_pb.ts";
import {
  blobChunkFromWire,
  blobChunkToWire,
  blobRangesFromWire,
  blobRangesToWire,
} from "../../../proto/wire/blobs.ts";
import { digests } from "../../support/link-arbitraries.ts";

suite("blobs on the wire", () => {
  test("ranges and chunks come through as they were", () => {
    const law = fc.property(digests, fc.nat(), fc.uint8Array(), (digest, offset, content) => {
      const ranges = [{ digest, offset }];
      assert.deepEqual(blobRangesFromWire(blobRangesToWire(ranges)), { ok: true, value: ranges });
      const chunk = { digest, offset, totalBytes: offset + content.length, content };
      assert.deepEqual(blobChunkFromWire(blobChunkToWire(chunk)), { ok: true, value: chunk });
    });
    fc.assert(law);
  });

  const digest = new Uint8Array(32);
  test("a chunk that ends after its blob is refused", () => {
    const chunk = create(FetchBlobsResponseSchema, {
      digest,
      offset: 8n,
      totalBytes: 10n,
      content: new Uint8Array(3),
    });
    assert.deepEqual(blobChunkFromWire(chunk), {
      ok: false,
      problem: "blob: content ends at byte 11 of 10",
    });
  });

  test("more ranges than one call may ask for are refused", () => {
    const blobs = Array.from({ length: 1_001 }, () => ({ digest }));
    const read = blobRangesFromWire(create(FetchBlobsRequestSchema, { blobs }));
    assert.deepEqual(read, {
      ok: false,
      problem: "blobs: blobs has 1001 entries, at most 1000 are accepted",
    });
  });
});
