import type { Log } from "../../proto/kit/log.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { parseBundle, type Blob } from "../../proto/words/bundle.ts";
import { linkCodes } from "../../proto/words/coded.ts";
import type { DesiredApplication, DesiredChange } from "../../proto/words/desired.ts";
import { digestOfBytes, type Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, Epoch } from "../../proto/words/ids.ts";
import type { HubMessage } from "../../proto/words/link-messages.ts";
import {
  applyChange,
  describeRefusal,
  withEpoch,
  type ChangedSet,
  type ChangeRefusal,
  type HeldSet,
} from "../domain/held-set.ts";
import type { HeldKeeper } from "./held-keeper.ts";
import { sideBySide } from "./side-by-side.ts";

export type BlobStore = {
  readonly has: (digest: Digest, signal: AbortSignal) => Promise<boolean>;
  readonly read: (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;
  /** Durable when it resolves. Several may be written at once. */
  readonly write: (blob: Blob, signal: AbortSignal) => Promise<void>;
};

/**
 * Hands over each blob once its bytes match its digest, and returns the digests that the hub says it has
 * not got for this cluster. Throws when the connection breaks or a blob lies.
 */
export type FetchBlobs = (
  digests: readonly Digest[],
  onBlob: (blob: Blob) => Promise<void>,
  signal: AbortSignal,
) => Promise<readonly Digest[]>;

export type Desired = Extract<HubMessage, { kind: "desired" }>;

export type ChangeStoreNeeds = {
  readonly fetchBlobs: FetchBlobs;
  readonly blobs: BlobStore;
  readonly held: HeldKeeper;
  readonly log: Log;
};

/** A change does not fit what is held. A hub that is told what is held sends one that does. */
export class ChangeRefused extends Trouble {
  override readonly name = "ChangeRefused";
  readonly refusal: ChangeRefusal;

  constructor(refusal: ChangeRefusal) {
    super(describeRefusal(refusal));
    this.refusal = refusal;
  }
}

export type ChangeStore = {
  /**
   * Puts on disk what the hub wants, blobs first. Resolves to the applications of which newer generations are
   * held than the hub knows, and kept. Throws ChangeRefused when the change does not fit what is
   * held, and other Trouble when a blob cannot be had or the disk cannot be written; then nothing changed but
   * blobs that came.
   */
  readonly take: (
    desired: Desired,
    epoch: Epoch,
    signal: AbortSignal,
  ) => Promise<readonly ApplicationName[]>;
  /** Fetches what is held and not on disk. Whether there was any; a failure is logged, since a later change heals it. */
  readonly restore: (signal: AbortSignal) => Promise<boolean>;
};

/** A write is a wait for the disk: many at once share it, too many only hold memory. */
const writesAtOnceMost = 16;

export function createChangeStore({ fetchBlobs, blobs, held, log }: ChangeStoreNeeds): ChangeStore {
  async function take(
    { change, blobs: inline }: Desired,
    epoch: Epoch,
    signal: AbortSignal,
  ): Promise<readonly ApplicationName[]> {
    const { keptNewer } = changed(held.current(), change);
    await storeInline(inline, signal);
    await fetchLacking(change.upserts, signal);
    const { version } = await held.update(
      // Once more, on what is held by now: commands and removals are written in between.
      (set) => withEpoch(changed(set, change).held, epoch),
      signal,
    );
    if (keptNewer.length > 0)
      log.warn("newer generations kept", { applications: keptNewer.join(" ") });
    log.info("desired set stored", {
      version,
      changed: change.upserts.length,
      removed: change.tombstones.length,
    });
    return keptNewer;
  }

  async function restore(signal: AbortSignal): Promise<boolean> {
    const { applications, strays } = held.current();
    const wanted = [...applications.values()].filter(({ application }) => !strays.has(application));
    try {
      const wereLost = await fetchLacking(wanted, signal);
      if (wereLost) log.info("lost blobs fetched again");
      return wereLost;
    } catch (error) {
      signal.throwIfAborted();
      const level = error instanceof Trouble ? "warn" : "error";
      log[level]("lost blobs could not be fetched", { problem: describeError(error) });
      return false;
    }
  }

  async function storeInline(inline: readonly Blob[], signal: AbortSignal): Promise<void> {
    // One that lies is fetched like any other, and checked again.
    const honest = inline.filter(({ digest, bytes }) => digestOfBytes(bytes) === digest);
    for (const { digest } of inline.filter((blob) => !honest.includes(blob)))
      log.error("inline blob refused", { code: linkCodes.badBlob, blob: digest });
    await sideBySide(honest, writesAtOnceMost, (blob) => blobs.write(blob, signal), signal);
  }

  /** Whether anything had to be fetched. */
  async function fetchLacking(
    entries: readonly DesiredApplication[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const lists = [...new Set(entries.map(({ bundle }) => bundle))];
    const listsFetched = await fetchAbsent(lists, signal);
    const objects = new Set<Digest>();
    for (const list of lists) for (const blob of await listed(list, signal)) objects.add(blob);
    const objectsFetched = await fetchAbsent([...objects], signal);
    return listsFetched || objectsFetched;
  }

  async function listed(list: Digest, signal: AbortSignal): Promise<readonly Digest[]> {
    const bytes = await blobs.read(list, signal);
    if (bytes === undefined) throw new Trouble(`bundle ${list} is not on disk`);
    const bundle = parseBundle(bytes);
    if (!bundle.ok) throw new Trouble(`bundle ${list}: ${bundle.problem}`);
    return bundle.value.entries.map(({ blob }) => blob);
  }

  async function fetchAbsent(digests: readonly Digest[], signal: AbortSignal): Promise<boolean> {
    const absent: Digest[] = [];
    for (const digest of digests) if (!(await blobs.has(digest, signal))) absent.push(digest);
    if (absent.length === 0) return false;
    const writing = new Set<Promise<void>>();
    const missing = await fetchBlobs(
      absent,
      async (blob) => {
        const write = blobs.write(blob, signal).then(() => {
          writing.delete(write);
        });
        // Awaited below, or at once when there are many; a failure meanwhile is not unheard.
        write.catch(() => {});
        writing.add(write);
        if (writing.size >= writesAtOnceMost) await Promise.race(writing);
      },
      signal,
    );
    await Promise.all(writing);
    if (missing.length > 0)
      throw new Trouble(`the hub has not got ${missing.length} blobs, the first is ${missing[0]}`);
    return true;
  }

  return { take, restore };
}

function changed(held: HeldSet, change: DesiredChange): ChangedSet {
  const after = applyChange(held, change);
  if (!after.ok) throw new ChangeRefused(after.problem);
  return after.value;
}
