import { splitApiVersion } from "../../proto/words/object-key.ts";
import { fieldManager } from "./cluster.ts";
import { isFields } from "./fields.ts";
import { ownedFingerprint } from "./fingerprint.ts";
import { hasHealthCheck } from "./health/index.ts";
import type { KubeObject, ManagedFieldsEntry, ObjectMeta } from "./kube-object.ts";
import { imagesOf } from "./manifest.ts";

/** What is remembered of a live object: enough for plans, health and reports, and no Secret's values. */
export type LiveObject = {
  /** Without what is heavy, secret, or of no use to us; see `liveFrom`. */
  readonly object: KubeObject;
  readonly uid: string;
  readonly fingerprint: string;
  readonly images: readonly string[];
  /** Whoever else changed the object last, in words: `kubectl-edit at 2026-01-31T09:00:00Z`. */
  readonly lastChangedBy: string;
  /** Other field managers of anything but its status, without repeats, sorted. */
  readonly managers: readonly string[];
};

export function liveFrom(object: KubeObject): LiveObject {
  return {
    object: trimmed(object),
    uid: object.metadata.uid ?? "",
    fingerprint: ownedFingerprint(object),
    images: imagesOf(object),
    lastChangedBy: lastChangedBy(object.metadata.managedFields ?? []),
    managers: managersOf(object.metadata.managedFields ?? []),
  };
}

export const isTerminating = (live: LiveObject): boolean =>
  live.object.metadata.deletionTimestamp !== undefined;

function trimmed(object: KubeObject): KubeObject {
  const { group } = splitApiVersion(object.apiVersion);
  const kept = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: trimmedMeta(object.metadata),
  };
  if (!hasHealthCheck(group, object.kind)) return kept;
  const spec = isFields(object["spec"]) ? { spec: withoutHeavy(object["spec"]) } : {};
  return { ...kept, ...spec, ...("status" in object ? { status: object["status"] } : {}) };
}

function trimmedMeta(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _claims, annotations, ownerReferences: _owners, ...rest } = metadata;
  if (annotations === undefined) return rest;
  const read = Object.entries(annotations).filter(([key]) => readAnnotations.test(key));
  return { ...rest, annotations: Object.fromEntries(read) };
}

const readAnnotations =
  /^(argocd\.argoproj\.io|helm\.sh|meta\.helm\.sh|wheelhouse\.dev|autoscaling\.alpha\.kubernetes\.io)\//;

const heavy = new Set([
  "containers",
  "conversion",
  "ephemeralContainers",
  "initContainers",
  "jobTemplate",
  "template",
  "versions",
  "volumeClaimTemplates",
  "volumes",
]);

const withoutHeavy = (spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !heavy.has(field)));

const othersIn = (claims: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] =>
  claims.filter(
    ({ manager, subresource = "" }) => manager !== fieldManager && subresource !== "status",
  );

const managersOf = (claims: readonly ManagedFieldsEntry[]): readonly string[] =>
  [...new Set(othersIn(claims).map(({ manager }) => manager))].toSorted();

function lastChangedBy(claims: readonly ManagedFieldsEntry[]): string {
  const others = othersIn(claims).toSorted((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1));
  const newest = others[0];
  if (newest === undefined) return "";
  return newest.time === undefined ? newest.manager : `${newest.manager} at ${newest.time}`;
}
