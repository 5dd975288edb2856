import { parseBundle } from "../../proto/words/bundle.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { HeldSet } from "../domain/held-set.ts";
import type { BlobStore } from "./change-store.ts";

export type ForgettingStore = Pick<BlobStore, "read"> & {
  readonly keepOnly: (digests: ReadonlySet<Digest>, signal: AbortSignal) => Promise<void>;
};

/**
 * Takes every blob from the disk that nothing held wants. While one bundle cannot be read nothing is taken:
 * nobody can say then which blobs are wanted. Not to be called while a change is being stored.
 */
export async function forgetBlobs(
  { applications }: HeldSet,
  blobs: ForgettingStore,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set<Digest>();
  for (const { bundle } of applications.values()) {
    wanted.add(bundle);
    const bytes = await blobs.read(bundle, signal);
    const parsed = bytes === undefined ? undefined : parseBundle(bytes);
    if (parsed?.ok !== true) return;
    for (const { blob } of parsed.value.entries) wanted.add(blob);
  }
  await blobs.keepOnly(wanted, signal);
}
