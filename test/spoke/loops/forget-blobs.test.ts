import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { blobOf } from "../../../proto/words/bundle.ts";
import type { DesiredApplication } from "../../../proto/words/desired.ts";
import type { Digest } from "../../../proto/words/digest.ts";
import { forgetBlobs } from "../../../spoke/loops/forget-blobs.ts";
import { application, heldSet, newDisk, type Disk } from "../../support/spoke-bench.ts";
import { configMap, service } from "./manifests.ts";

type World = { readonly disk: Disk; readonly held: readonly DesiredApplication[] };

/** Two applications that share an object, on a disk that holds more than they want. */
function world(): World {
  const disk = newDisk();
  const shop = application({ manifests: [configMap("settings"), service("web")] }, disk);
  const blog = application({ name: "blog", manifests: [service("web")] }, disk);
  application({ name: "gone", manifests: [configMap("old")] }, disk);
  return { disk, held: [shop, blog] };
}

/** What stayed on the disk. */
async function left({ disk, held }: World): Promise<readonly Digest[]> {
  await forgetBlobs(
    heldSet(held),
    {
      read: async (digest) => disk.blobs.get(digest),
      keepOnly: async (digests) => {
        for (const digest of disk.blobs.keys()) if (!digests.has(digest)) disk.blobs.delete(digest);
      },
    },
    new AbortController().signal,
  );
  return [...disk.blobs.keys()];
}

suite("forgetBlobs", () => {
  test("keeps the bundles of what is held and all they list", async () => {
    const here = world();
    const all = [...here.disk.blobs.keys()];
    // The last two are an object and a bundle that nobody wants any more.
    assert.deepEqual(await left(here), all.slice(0, -2));
  });

  test("keeps nothing when nothing is held", async () => {
    assert.deepEqual(await left({ ...world(), held: [] }), []);
  });

  const unknown: readonly (readonly [what: string, spoil: (disk: Disk, list: Digest) => void])[] = [
    ["is not on the disk", (disk, list) => void disk.blobs.delete(list)],
    ["cannot be read", (disk, list) => void disk.blobs.set(list, blobOf([]).bytes)],
  ];
  for (const [what, spoil] of unknown)
    test(`takes nothing away while one bundle ${what}`, async () => {
      const here = world();
      for (const { bundle } of here.held.slice(1)) spoil(here.disk, bundle);
      const before = [...here.disk.blobs.keys()];
      assert.deepEqual(await left(here), before);
    });
});
