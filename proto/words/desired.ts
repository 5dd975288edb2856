import type { ApplicationName, Generation, Version } from "./ids.ts";
import { digestOf, digestOfText, type Digest } from "./digest.ts";
import type { ServiceAccount } from "./service-account.ts";

/** What a spoke may do about an application on its own. */
export type SyncPolicy = {
  /** False: compare and report, and sync only on command. */
  readonly automated: boolean;
  readonly prune: boolean;
  readonly selfHeal: boolean;
  /** Whether a bundle without objects may be applied. */
  readonly allowEmpty: boolean;
  /** Create the destination namespace when no manifest declares it. Such a namespace is never owned or pruned. */
  readonly createNamespace: boolean;
  /** What to do about fields that another field manager owns. */
  readonly conflicts: "override" | "report";
};

/** One entry of a cluster's desired set. */
export type DesiredApplication = {
  readonly application: ApplicationName;
  readonly generation: Generation;
  /** The commit this generation was rendered from. */
  readonly revision: string;
  readonly bundle: Digest;
  readonly project: string;
  /** Where objects without a namespace go, when their kind has one. Empty: `default`. */
  readonly destinationNamespace: string;
  readonly policy: SyncPolicy;
  /** A W3C traceparent, born with the commit. */
  readonly trace: string;
  /** Whose rights it is looked after with. Left out: the spoke's own. */
  readonly serviceAccount?: ServiceAccount;
};

export const tombstoneCauses = [
  "removed-from-git",
  "no-longer-generated",
  "set-removed",
  "destination-changed",
  "removed-by-command",
] as const;

export type TombstoneCause = (typeof tombstoneCauses)[number];

/** An explicit, caused, attributed order to remove an application. Absence is never such an order. */
export type Tombstone = {
  readonly application: ApplicationName;
  /** Larger than any generation the application had in this cluster. */
  readonly generation: Generation;
  readonly cause: TombstoneCause;
  /** Who caused it: a commit SHA or a token's name. */
  readonly actor: string;
  /** True leaves the objects in the cluster and only forgets them. */
  readonly keepObjects: boolean;
  /** Whose rights it is removed with. Left out: the spoke's own. */
  readonly serviceAccount?: ServiceAccount;
};

/** How one desired set becomes a newer one. */
export type DesiredChange = {
  /** The version it starts from. 0: it was made against the entries that the spoke said it holds, and fits any. */
  readonly base: Version;
  readonly target: Version;
  /** What `desiredRoot` gives once the change is made. */
  readonly root: Digest;
  readonly upserts: readonly DesiredApplication[];
  readonly tombstones: readonly Tombstone[];
  /** Held by the spoke, unknown to the hub, ordered away by nobody: left alone and out of the root. */
  readonly strays: readonly ApplicationName[];
};

/** Identity of one entry, all fields included; one that is left out is as if there were no such field. */
export const desiredDigest = ({ serviceAccount, ...entry }: DesiredApplication): Digest =>
  digestOf({
    ...entry,
    policy: { ...entry.policy },
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
  });

/**
 * One digest for a whole desired set, equal on both sides exactly when the entries are.
 *
 * SHA-256 over the lines `name digest\n`, sorted by name as UTF-16 code units.
 */
export function desiredRoot(digests: ReadonlyMap<string, Digest>): Digest {
  const lines = [...digests.keys()]
    .toSorted()
    .map((name) => `${name} ${digests.get(name) ?? ""}\n`);
  return digestOfText(lines.join(""));
}
