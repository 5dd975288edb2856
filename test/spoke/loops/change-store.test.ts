import assert from "node:assert/strict";
import test, { suite } from "node:test";
import { silentLog } from "../../../proto/kit/log.ts";
import { Trouble } from "../../../proto/kit/trouble.ts";
import { bundleBlob, type Blob } from "../../../proto/words/bundle.ts";
import {
  desiredDigest,
  desiredRoot,
  type DesiredApplication,
  type DesiredChange,
} from "../../../proto/words/desired.ts";
import { digestOfBytes, type Digest } from "../../../proto/words/digest.ts";
import type { ApplicationName } from "../../../proto/words/ids.ts";
import { makeObjectKey } from "../../../proto/words/object-key.ts";
import { emptyHeldSet } from "../../../spoke/domain/held-set.ts";
import { ChangeRefused, createChangeStore } from "../../../spoke/loops/change-store.ts";
import { HeldKeeper } from "../../../spoke/loops/held-keeper.ts";

const { signal } = new AbortController();

const configMap: Blob = blobOfText('{"kind":"ConfigMap"}');
const key = makeObjectKey({ group: "", kind: "ConfigMap", namespace: "shop", name: "a" });
const bundle = bundleBlob({ entries: [{ key, blob: configMap.digest }] });
const noBundle = blobOfText("[]");

function blobOfText(text: string): Blob {
  const bytes = new TextEncoder().encode(text);
  return { digest: digestOfBytes(bytes), bytes };
}

const wanting = (list: Digest): DesiredChange => {
  const entry: DesiredApplication = {
    application: "shop" as ApplicationName,
    generation: 1,
    revision: "abc",
    bundle: list,
    project: "default",
    destinationNamespace: "shop",
    policy: {
      automated: true,
      prune: true,
      selfHeal: true,
      allowEmpty: false,
      createNamespace: false,
      conflicts: "report",
    },
    trace: "",
  };
  return {
    base: 0,
    target: 1,
    root: desiredRoot(new Map([[entry.application, desiredDigest(entry)]])),
    upserts: [entry],
    tombstones: [],
    strays: [],
  };
};

type World = {
  readonly change: DesiredChange;
  readonly hub: readonly Blob[];
  /** What is written is gone when it is read. */
  readonly forgetful?: boolean;
};

/** The newest version on disk once the change was taken, or what kept it from being taken. */
async function taken({ change, hub, forgetful = false }: World): Promise<number> {
  const held = new HeldKeeper({ read: async () => emptyHeldSet, write: async () => {} });
  const disk = new Map<Digest, Uint8Array>();
  const changes = createChangeStore({
    held,
    log: silentLog,
    blobs: {
      has: async (digest) => disk.has(digest),
      read: async (digest) => disk.get(digest),
      write: async ({ digest, bytes }) => {
        if (!forgetful) disk.set(digest, bytes);
      },
    },
    fetchBlobs: async (digests, onBlob) => {
      const found = hub.filter(({ digest }) => digests.includes(digest));
      for (const blob of found) await onBlob(blob);
      return digests.filter((digest) => found.every((blob) => blob.digest !== digest));
    },
  });
  await changes.take({ kind: "desired", change, blobs: [] }, 1, signal);
  return held.current().version;
}

suite("the change store", () => {
  const change = wanting(bundle.digest);

  test("takes a change once every blob is there", async () => {
    assert.equal(await taken({ change, hub: [bundle, configMap] }), 1);
  });

  const refused: readonly (readonly [kind: string, change: DesiredChange])[] = [
    ["other-base", { ...change, base: 7 }],
    ["older-target", { ...change, target: -1 }],
    ["other-root", { ...change, root: configMap.digest }],
  ];
  for (const [kind, of] of refused)
    test(`refuses a change that has ${kind.replace("-", " ")}, and says so`, async () => {
      await assert.rejects(taken({ change: of, hub: [bundle, configMap] }), (error) => {
        assert.ok(error instanceof ChangeRefused);
        assert.equal(error.refusal.kind, kind);
        return true;
      });
    });

  const troubles: readonly (readonly [what: string, world: World, says: RegExp])[] = [
    ["the hub has not got a blob", { change, hub: [bundle] }, /has not got 1 blobs, the first is/],
    [
      "a bundle is gone from the disk again",
      { change, hub: [bundle, configMap], forgetful: true },
      /is not on disk/,
    ],
    [
      "what the hub calls a bundle is none",
      { change: wanting(noBundle.digest), hub: [noBundle] },
      /bundle has no list of objects/,
    ],
  ];
  for (const [what, world, says] of troubles)
    test(`that ${what} is trouble, not a bug`, async () => {
      await assert.rejects(taken(world), (error) => {
        assert.ok(error instanceof Trouble);
        assert.match(error.message, says);
        return true;
      });
    });
});
