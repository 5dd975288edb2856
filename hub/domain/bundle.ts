import { bundleBlob, type Blob, type Bundle } from "../../proto/words/bundle.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { Manifest } from "./manifest.ts";

/** A rendered application as the store and the spokes take it. */
export type RenderedBundle = {
  readonly digest: Digest;
  readonly bundle: Bundle;
  /** One per object, and last the blob that lists them (whose digest is `digest`). No digest twice. */
  readonly blobs: readonly Blob[];
};

/** Bundles manifests; the same objects in any order give the same digest. */
export function makeBundle(manifests: readonly Manifest[]): RenderedBundle {
  const sorted = manifests.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const bundle: Bundle = {
    entries: sorted.map(({ key, blob }) => ({ key, blob: blob.digest })),
  };
  const list = bundleBlob(bundle);
  const blobs = new Map(sorted.map(({ blob }) => [blob.digest, blob]));
  blobs.delete(list.digest);
  return { digest: list.digest, bundle, blobs: [...blobs.values(), list] };
}
