import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { blobOf } from "../../../proto/words/bundle.ts";
import {
  desiredDigest,
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
} from "../../../proto/words/desired.ts";
import { digestOfText, type Digest } from "../../../proto/words/digest.ts";
import { emptyHeldSet } from "../../../spoke/domain/held-set.ts";
import { ChangeRefused, createChangeStore } from "../../../spoke/loops/change-store.ts";
import { HeldKeeper } from "../../../spoke/loops/held-keeper.ts";
import { application, newDisk, type Disk } from "../../support/spoke-bench.ts";
import { configMap } from "./manifests.ts";

const { signal } = new AbortController();

/** What the hub has of the shop, and its entry. */
function shopOfHub(): { readonly hub: Disk; readonly shop: DesiredApplication } {
  const hub = newDisk();
  return { hub, shop: application({ manifests: [configMap("settings")] }, hub) };
}

const wanting = (entry: DesiredApplication): DesiredChange => ({
  base: 0,
  target: 1,
  root: desiredRoot(new Map([[entry.application, desiredDigest(entry)]])),
  upserts: [entry],
  tombstones: [],
  strays: [],
});

type World = {
  readonly hub: Disk;
  readonly change: DesiredChange;
  /** What is written is gone when it is read. */
  readonly forgets?: boolean;
};

/** The version held once the change was taken. Throws what kept it from being taken. */
async function taken({ hub, change, forgets = false }: World): Promise<number> {
  const held = new HeldKeeper({ read: async () => emptyHeldSet, write: async () => {} });
  const disk = new Map<Digest, Uint8Array>();
  const changes = createChangeStore({
    held,
    log: silentLog,
    blobs: {
      has: async (digest) => disk.has(digest),
      read: async (digest) => disk.get(digest),
      write: async ({ digest, bytes }) => {
        if (!forgets) disk.set(digest, bytes);
      },
    },
    fetchBlobs: async (digests, onBlob) => {
      const missing: Digest[] = [];
      for (const digest of digests) {
        const bytes = hub.blobs.get(digest);
        if (bytes === undefined) missing.push(digest);
        else await onBlob({ digest, bytes });
      }
      return missing;
    },
  });
  await changes.take({ kind: "desired", change, blobs: [] }, 1, signal);
  return held.current().version;
}

suite("the change store", () => {
  test("takes a change once every blob is there", async () => {
    const { hub, shop } = shopOfHub();
    assert.equal(await taken({ hub, change: wanting(shop) }), 1);
  });

  const refused: readonly (readonly [kind: string, otherwise: Partial<DesiredChange>])[] = [
    ["other-base", { base: 7 }],
    ["older-target", { target: -1 }],
    ["other-root", { root: digestOfText("another") }],
  ];
  for (const [kind, otherwise] of refused)
    test(`refuses a change that has ${kind.replace("-", " ")}, and says so`, async () => {
      const { hub, shop } = shopOfHub();
      await assert.rejects(taken({ hub, change: { ...wanting(shop), ...otherwise } }), (error) => {
        assert.ok(error instanceof ChangeRefused);
        assert.equal(error.refusal.kind, kind);
        return true;
      });
    });

  const troubles: readonly (readonly [what: string, world: () => World, says: RegExp])[] = [
    [
      "the hub has not got a blob",
      () => {
        const { hub, shop } = shopOfHub();
        for (const digest of hub.blobs.keys()) if (digest !== shop.bundle) hub.blobs.delete(digest);
        return { hub, change: wanting(shop) };
      },
      /the hub has not got 1 blobs, the first is/,
    ],
    [
      "a bundle is gone from the disk again",
      () => {
        const { hub, shop } = shopOfHub();
        return { hub, change: wanting(shop), forgets: true };
      },
      /is not on disk/,
    ],
    [
      "what the hub calls a bundle is none",
      () => {
        const { hub, shop } = shopOfHub();
        const { digest, bytes } = blobOf([]);
        hub.blobs.set(digest, bytes);
        return { hub, change: wanting({ ...shop, bundle: digest }) };
      },
      /bundle has no list of objects/,
    ],
  ];
  for (const [what, world, says] of troubles)
    test(`that ${what} is trouble, not a bug`, async () => {
      await assert.rejects(taken(world()), (error) => {
        assert.ok(error instanceof Trouble);
        assert.match(error.message, says);
        return true;
      });
    });
});
