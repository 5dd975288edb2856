import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { parseBundle } from "../../proto/words/bundle.ts";
import type { DesiredApplication } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import { objectKeyParts, splitApiVersion, type ObjectKey } from "../../proto/words/object-key.ts";
import type { ApplicationProblem } from "../domain/conditions.ts";
import { numberAt } from "../domain/fields.ts";
import { keyOfObject, type KubeObject, type ResourceType } from "../domain/kube-object.ts";
import {
  imagesOf,
  kindDefinedBy,
  prepareManifest,
  readManifest,
  type PreparedManifest,
} from "../domain/manifest.ts";
import type { DesiredObject } from "../domain/plan.ts";
import { syncOptionsOf } from "../domain/sync-options.ts";

export type ReadBlob = (digest: Digest, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** `undefined`: the API server serves no such kind. */
export type FindType = (
  group: string,
  kind: string,
  signal: AbortSignal,
) => Promise<ResourceType | undefined>;

/** A bundle as plans need it. Manifests themselves are read again from disk when they are applied. */
export type LoadedBundle = {
  /** What it was read for; a change of any of these makes other objects of it. */
  readonly identity: string;
  readonly objects: readonly DesiredObject[];
  /** Objects that two manifests name; the first, by the bundle's order, is in `objects`. */
  readonly duplicates: ReadonlySet<ObjectKey>;
  /** Where each object's kind is served, in the version of its manifest. */
  readonly types: ReadonlyMap<ObjectKey, ResourceType>;
  /** Kinds, as `group/Kind`, of which it could not be found out whether they are served, and why. */
  readonly unreadable: ReadonlyMap<string, string>;
};

export type BundleNeeds = {
  readonly readBlob: ReadBlob;
  readonly findType: FindType;
  readonly hubId: () => string;
};

export const bundleIdentity = (desired: DesiredApplication, hubId: string): string =>
  [desired.bundle, desired.destinationNamespace, hubId].join(" ");

/**
 * Reads a whole bundle, or says why it cannot be: a bundle with a hole is no bundle.
 *
 * One API group whose discovery fails keeps its own objects back and no others. Throws Trouble when no kind
 * at all could be found out.
 */
export async function loadBundle(
  desired: DesiredApplication,
  needs: BundleNeeds,
  signal: AbortSignal,
): Promise<Result<LoadedBundle, ApplicationProblem>> {
  const bytes = await needs.readBlob(desired.bundle, signal);
  if (bytes === undefined) return fail({ kind: "bundle-missing", blob: desired.bundle });
  const bundle = parseBundle(bytes);
  if (!bundle.ok) return fail({ kind: "bundle-corrupt", message: bundle.problem });
  const objects = new Map<ObjectKey, DesiredObject>();
  const duplicates = new Set<ObjectKey>();
  const types = new Map<ObjectKey, ResourceType>();
  const inVersion = versionsOfTypes();
  const kinds = await findKinds(
    bundle.value.entries.map(({ key }) => key),
    needs.findType,
    signal,
  );
  for (const { key, blob } of bundle.value.entries) {
    const read = await readBlobAsManifest(blob, needs, signal);
    if (!read.ok) return read;
    if (keyOfObject(read.value) !== key)
      return fail({ kind: "bundle-corrupt", message: `blob ${blob} is not object ${key}` });
    const type = kinds.types.get(groupKind(key));
    const object = describe(read.value, blob, type, desired, needs.hubId());
    if (objects.has(object.key)) duplicates.add(object.key);
    else objects.set(object.key, object);
    if (type !== undefined) types.set(object.key, inVersion(type, object.version));
  }
  return ok({
    identity: bundleIdentity(desired, needs.hubId()),
    objects: [...objects.values()],
    duplicates,
    types,
    unreadable: kinds.unreadable,
  });
}

/** One value for each type and version, however many objects share it. */
function versionsOfTypes(): (type: ResourceType, version: string) => ResourceType {
  const made = new Map<string, ResourceType>();
  return (type, version) => {
    if (type.version === version) return type;
    const name = `${type.group}/${version}/${type.kind}`;
    const known = made.get(name) ?? { ...type, version };
    made.set(name, known);
    return known;
  };
}

/** How kinds are named here: `group/Kind`. */
export const groupKind = (key: ObjectKey): string => {
  const { group, kind } = objectKeyParts(key);
  return `${group}/${kind}`;
};

async function findKinds(
  keys: readonly ObjectKey[],
  findType: FindType,
  signal: AbortSignal,
): Promise<{
  readonly types: ReadonlyMap<string, ResourceType | undefined>;
  readonly unreadable: ReadonlyMap<string, string>;
}> {
  const types = new Map<string, ResourceType | undefined>();
  const unreadable = new Map<string, string>();
  let lastTrouble: Trouble | undefined;
  for (const key of keys) {
    const name = groupKind(key);
    if (types.has(name) || unreadable.has(name)) continue;
    const { group, kind } = objectKeyParts(key);
    try {
      types.set(name, await findType(group, kind, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Trouble)) throw error;
      unreadable.set(name, describeError(error));
      lastTrouble = error;
    }
  }
  if (lastTrouble !== undefined && types.size === 0) throw lastTrouble;
  return { types, unreadable };
}

/** The manifest of one object of a loaded bundle, ready to be sent. */
export async function readPrepared(
  object: DesiredObject,
  type: ResourceType,
  desired: DesiredApplication,
  needs: BundleNeeds,
  signal: AbortSignal,
): Promise<Result<PreparedManifest, ApplicationProblem>> {
  const read = await readBlobAsManifest(object.blob, needs, signal);
  return read.ok ? ok(prepare(read.value, type, desired, needs.hubId())) : read;
}

async function readBlobAsManifest(
  blob: Digest,
  needs: BundleNeeds,
  signal: AbortSignal,
): Promise<Result<KubeObject, ApplicationProblem>> {
  const bytes = await needs.readBlob(blob, signal);
  if (bytes === undefined) return fail({ kind: "bundle-missing", blob });
  const manifest = readManifest(bytes);
  return manifest.ok
    ? manifest
    : fail({ kind: "bundle-corrupt", message: `blob ${blob}: ${manifest.problem}` });
}

const prepare = (
  manifest: KubeObject,
  resourceType: ResourceType,
  desired: DesiredApplication,
  hubId: string,
): PreparedManifest =>
  prepareManifest(manifest, {
    resourceType,
    destinationNamespace: desired.destinationNamespace,
    hubId,
    application: desired.application,
  });

function describe(
  manifest: KubeObject,
  blob: Digest,
  type: ResourceType | undefined,
  desired: DesiredApplication,
  hubId: string,
): DesiredObject {
  const prepared = type === undefined ? undefined : prepare(manifest, type, desired, hubId);
  const options = syncOptionsOf(manifest);
  return {
    key: prepared?.key ?? keyOfObject(manifest),
    version: splitApiVersion(manifest.apiVersion).version,
    blob,
    digest: prepared?.digest ?? "",
    isServed: prepared !== undefined,
    syncWave: options.syncWave,
    ignoreHealth: options.ignoreHealth,
    adopt: options.adopt,
    defines: kindDefinedBy(manifest),
    images: imagesOf(manifest),
    mayVanish:
      manifest.apiVersion === "batch/v1" &&
      manifest.kind === "Job" &&
      numberAt(manifest, "spec", "ttlSecondsAfterFinished") !== undefined,
  };
}
