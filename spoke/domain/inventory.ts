import type { ObjectKey } from "../../proto/words/object-key.ts";

/** One object an application owns, or is about to own, in its cluster. */
export type InventoryEntry = {
  /** With the namespace the object really has. */
  readonly key: ObjectKey;
  /** API version without the group, as last applied. */
  readonly version: string;
  /** Of the live object; empty while the entry is only an intent. */
  readonly uid: string;
  /** Digest of the manifest as last applied, after the spoke added namespace and marker; empty: never applied. */
  readonly applied: string;
  /** What `ownedFingerprint` gave for the live object right after that apply; empty: never applied. */
  readonly fingerprint: string;
};
