import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Conflicts as WireConflicts,
  TombstoneCause as WireCause,
  type DesiredApplication as WireEntry,
  type DesiredChange as WireChange,
  type DesiredChangeSchema,
  type DesiredDigests as WireDigests,
  type DesiredDigestsSchema,
  type Tombstone as WireTombstone,
} from "../gen/wheelhouse/v1/link_pb.ts";
import type { Blob } from "../words/bundle.ts";
import {
  tombstoneCauses,
  type DesiredApplication,
  type DesiredChange,
  type SyncPolicy,
  type Tombstone,
  type TombstoneCause,
} from "../words/desired.ts";
import type { Digest } from "../words/digest.ts";
import type { ApplicationName } from "../words/ids.ts";
import { parseServiceAccount, type ServiceAccount } from "../words/service-account.ts";
import {
  applicationFrom,
  count,
  digestBytes,
  digestFrom,
  given,
  knownWord,
  listOf,
  refuse,
  wireLimits,
  word,
} from "./fields.ts";

const conflictWords = ["override", "report"] as const;

const conflictNumbers: Readonly<Record<SyncPolicy["conflicts"], WireConflicts>> = {
  override: WireConflicts.OVERRIDE,
  report: WireConflicts.REPORT,
};

const causeNumbers: Readonly<Record<TombstoneCause, WireCause>> = {
  "removed-from-git": WireCause.REMOVED_FROM_GIT,
  "no-longer-generated": WireCause.NO_LONGER_GENERATED,
  "set-removed": WireCause.SET_REMOVED,
  "destination-changed": WireCause.DESTINATION_CHANGED,
  "removed-by-command": WireCause.REMOVED_BY_COMMAND,
};

const { wordCharsMost, applicationsMost } = wireLimits;

export const desiredToWire = (
  change: DesiredChange,
  blobs: readonly Blob[],
): MessageInitShape<typeof DesiredChangeSchema> => ({
  baseVersion: BigInt(change.base),
  targetVersion: BigInt(change.target),
  root: digestBytes(change.root),
  upserts: change.upserts.map((entry) => ({
    application: entry.application,
    generation: BigInt(entry.generation),
    revision: entry.revision,
    bundle: digestBytes(entry.bundle),
    project: entry.project,
    destinationNamespace: entry.destinationNamespace,
    policy: { ...entry.policy, conflicts: conflictNumbers[entry.policy.conflicts] },
    trace: entry.trace,
    serviceAccount: entry.serviceAccount ?? "",
  })),
  tombstones: change.tombstones.map((tombstone) => ({
    application: tombstone.application,
    generation: BigInt(tombstone.generation),
    cause: causeNumbers[tombstone.cause],
    actor: tombstone.actor,
    keepObjects: tombstone.keepObjects,
    serviceAccount: tombstone.serviceAccount ?? "",
  })),
  strays: [...change.strays],
  blobs: blobs.map(({ digest, bytes }) => ({ digest: digestBytes(digest), content: bytes })),
});

/** The bytes of inline blobs are not compared with their digests here: whoever stores them does. */
export const desiredFromWire = (
  change: WireChange,
): { readonly change: DesiredChange; readonly blobs: readonly Blob[] } => ({
  change: {
    base: count("base_version", change.baseVersion),
    target: count("target_version", change.targetVersion),
    root: digestFrom("root", change.root),
    upserts: listOf("upserts", change.upserts, applicationsMost, entryFromWire),
    tombstones: listOf("tombstones", change.tombstones, applicationsMost, tombstoneFromWire),
    strays: listOf("strays", change.strays, applicationsMost, (name) =>
      applicationFrom("stray", name),
    ),
  },
  blobs: listOf("blobs", change.blobs, wireLimits.inlineBlobsMost, (blob) => ({
    digest: digestFrom("blob digest", blob.digest),
    bytes: blob.content,
  })),
});

const entryFromWire = (entry: WireEntry): DesiredApplication => ({
  application: applicationFrom("application", entry.application),
  generation: generationFrom(entry.generation),
  revision: word("revision", entry.revision, wordCharsMost),
  bundle: digestFrom("bundle", entry.bundle),
  project: word("project", entry.project, wordCharsMost),
  destinationNamespace: word("destination_namespace", entry.destinationNamespace, wordCharsMost),
  policy: policyFromWire(given("policy", entry.policy)),
  trace: word("trace", entry.trace, wordCharsMost),
  ...serviceAccountFrom(entry.serviceAccount),
});

/** Empty is what a hub sends that knows of none. */
function serviceAccountFrom(value: string): { readonly serviceAccount?: ServiceAccount } {
  if (value === "") return {};
  const parsed = parseServiceAccount(value);
  return {
    serviceAccount: parsed.ok ? parsed.value : refuse(`service_account: ${parsed.problem}`),
  };
}

const policyFromWire = (policy: NonNullable<WireEntry["policy"]>): SyncPolicy => ({
  automated: policy.automated,
  prune: policy.prune,
  selfHeal: policy.selfHeal,
  allowEmpty: policy.allowEmpty,
  createNamespace: policy.createNamespace,
  conflicts: knownWord("conflicts", conflictWords, conflictNumbers, policy.conflicts),
});

const tombstoneFromWire = (tombstone: WireTombstone): Tombstone => ({
  application: applicationFrom("application", tombstone.application),
  generation: generationFrom(tombstone.generation),
  cause: knownWord("cause", tombstoneCauses, causeNumbers, tombstone.cause),
  actor: word("actor", tombstone.actor, wordCharsMost),
  keepObjects: tombstone.keepObjects,
  ...serviceAccountFrom(tombstone.serviceAccount),
});

// An order without a generation could not be told from an older one.
function generationFrom(value: bigint): number {
  const generation = count("generation", value);
  return generation === 0 ? refuse("generation must be 1 or more, got 0") : generation;
}

export const desiredDigestsToWire = (
  digests: ReadonlyMap<ApplicationName, Digest>,
): MessageInitShape<typeof DesiredDigestsSchema> => ({
  entries: [...digests].map(([application, digest]) => ({
    application,
    digest: digestBytes(digest),
  })),
});

export const desiredDigestsFromWire = (
  digests: WireDigests,
): ReadonlyMap<ApplicationName, Digest> =>
  new Map(
    listOf("entries", digests.entries, applicationsMost, ({ application, digest }) => [
      applicationFrom("application", application),
      digestFrom("digest", digest),
    ]),
  );
