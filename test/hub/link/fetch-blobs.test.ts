import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { digestOfText, type Digest } from "../../../proto/words/digest.ts";
import type { ClusterId } from "../../../proto/words/ids.ts";
import type { BlobRange } from "../../../proto/wire/blobs.ts";
import { CallRefused } from "../../../hub/link/call-refused.ts";
import { chunkBytesMost, fetchBlobs } from "../../../hub/link/fetch-blobs.ts";

const mine = "mine" as ClusterId;
const [a, b, others] = [digestOfText("a"), digestOfText("b"), digestOfText("others")];

const blobs = new Map<Digest, { readonly of: ClusterId; readonly bytes: Uint8Array }>([
  [a, { of: mine, bytes: new Uint8Array(chunkBytesMost * 2 + 1) }],
  [b, { of: mine, bytes: new Uint8Array(0) }],
  [others, { of: "other" as ClusterId, bytes: new Uint8Array(1) }],
]);

async function fetched(ranges: readonly BlobRange[]): Promise<readonly string[]> {
  const said: string[] = [];
  const needs = {
    readFor: async (cluster: ClusterId, digest: Digest) => {
      const blob = blobs.get(digest);
      return blob?.of === cluster ? blob.bytes : undefined;
    },
  };
  try {
    for await (const { offset, totalBytes, content } of fetchBlobs(
      mine,
      ranges,
      needs,
      AbortSignal.timeout(1_000),
    ))
      said.push(`${offset}+${content.length}/${totalBytes}`);
  } catch (error) {
    assert.ok(error instanceof CallRefused);
    said.push(`${error.status} ${error.message.replace(/[0-9a-f]{64}/, "…")}`);
  }
  return said;
}

suite("fetchBlobs", () => {
  const k = chunkBytesMost;
  const rows = [
    {
      name: "sends a blob in chunks",
      ranges: [{ digest: a, offset: 0 }],
      expect: [`0+${k}/${2 * k + 1}`, `${k}+${k}/${2 * k + 1}`, `${2 * k}+1/${2 * k + 1}`],
    },
    {
      name: "goes on where it was interrupted",
      ranges: [{ digest: a, offset: 2 * k - 1 }],
      expect: [`${2 * k - 1}+2/${2 * k + 1}`],
    },
    {
      name: "sends one chunk of a blob that is empty or complete",
      ranges: [
        { digest: b, offset: 0 },
        { digest: a, offset: 2 * k + 1 },
      ],
      expect: ["0+0/0", `${2 * k + 1}+0/${2 * k + 1}`],
    },
    {
      name: "refuses to begin after the end",
      ranges: [{ digest: b, offset: 1 }],
      expect: ["11 blob … has 0 bytes, offset 1 was asked for"],
    },
    {
      name: "stops at a blob of another cluster",
      ranges: [
        { digest: b, offset: 0 },
        { digest: others, offset: 0 },
        { digest: b, offset: 0 },
      ],
      expect: ["0+0/0", "5 there is no blob … for this cluster"],
    },
    {
      name: "says the same of a blob of nobody",
      ranges: [{ digest: digestOfText("nobody"), offset: 0 }],
      expect: ["5 there is no blob … for this cluster"],
    },
  ];
  for (const { name, ranges, expect } of rows)
    test(name, async () => assert.deepEqual(await fetched(ranges), expect));
});
