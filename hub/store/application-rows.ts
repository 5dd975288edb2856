import type { Selectable } from "kysely";
import { canonicalJson, digestOfText, type Json } from "../../proto/words/digest.ts";
import type { SyncPolicy } from "../../proto/words/desired.ts";
import type { ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { Origin } from "../domain/origin.ts";
import type { ApplicationDraft, ApplicationRecord } from "../domain/records.ts";
import { statusFromRow } from "./application-status.ts";
import { inOrder, metadataFromRow, readJson, writeJson } from "./json.ts";
import { problemFromRow, problemToRow } from "./problem.ts";
import type { StatusColumns, Tables } from "./tables.ts";

/** An application as it lies in `applications`, with its long part beside it. */
export type ApplicationRow = Selectable<Tables["applications"]> & { readonly document: string };

/** Columns that publishing decides, but for the clusters and the document. */
type DraftColumns = Omit<
  Selectable<Tables["applications"]>,
  | "key"
  | "drafted_cluster_key"
  | "cluster_key"
  | "cluster_name"
  | "created_at_ms"
  | "changed_at_ms"
  | keyof StatusColumns
>;

export const draftToRow = (draft: ApplicationDraft, digest: string): DraftColumns => ({
  name: draft.name,
  origin_kind: draft.origin.kind,
  origin_name: draft.origin.name,
  project: draft.project,
  labels: writeJson(draft.labels),
  annotations: writeJson(draft.annotations),
  source_repo_url: draft.source.repoURL,
  source_path: draft.source.path,
  source_target_revision: draft.source.targetRevision,
  destination_name: draft.destination.name,
  destination_server: draft.destination.server,
  destination_namespace: draft.destination.namespace,
  policy: writeJson(draft.policy),
  revision: draft.revision,
  generation: draft.generation,
  bundle: draft.bundle ?? null,
  objects: draft.objects,
  keep_objects: draft.keepObjects ? 1 : 0,
  draft_digest: digest,
  ...problemToRow(draft.problem),
});

/** Tells two drafts apart, whatever the order of their fields. Here that order is the canonical one: it is written fastest. */
export const draftDigest = (draft: ApplicationDraft): string => {
  const plain = {
    annotations: inOrder(draft.annotations),
    bundle: draft.bundle ?? null,
    clusterId: draft.clusterId ?? null,
    destination: inOrder(draft.destination),
    document: draft.document,
    generation: draft.generation,
    keepObjects: draft.keepObjects,
    labels: inOrder(draft.labels),
    name: draft.name,
    objects: draft.objects,
    origin: inOrder(draft.origin),
    policy: inOrder(draft.policy),
    problem: draft.problem === undefined ? null : inOrder(draft.problem),
    project: draft.project,
    revision: draft.revision,
    source: inOrder(draft.source),
  } satisfies Record<keyof ApplicationDraft, Json>;
  return digestOfText(canonicalJson(plain));
};

/** What draft and record have in common. */
const commonFromRow = (row: ApplicationRow) => ({
  name: row.name,
  origin: originFromRow(row),
  project: row.project,
  ...metadataFromRow(row),
  source: {
    repoURL: row.source_repo_url,
    path: row.source_path,
    targetRevision: row.source_target_revision,
  },
  destination: {
    name: row.destination_name,
    server: row.destination_server,
    namespace: row.destination_namespace,
  },
  policy: readJson(row.policy) as SyncPolicy,
  document: row.document,
  revision: row.revision,
  generation: row.generation,
  bundle: row.bundle ?? undefined,
  objects: row.objects,
  problem: problemFromRow(row),
});

export const draftFromRow = (
  row: ApplicationRow,
  clusterId: ClusterId | undefined,
): ApplicationDraft => ({
  ...commonFromRow(row),
  clusterId,
  keepObjects: row.keep_objects === 1,
});

export const applicationFromRow = (row: ApplicationRow): ApplicationRecord => ({
  ...commonFromRow(row),
  // Written from a cluster's name, or empty.
  cluster: row.cluster_name === "" ? undefined : (row.cluster_name as ClusterName),
  createdAtMs: row.created_at_ms,
  changedAtMs: row.changed_at_ms,
  status: statusFromRow(row),
});

export const originFromRow = (row: {
  readonly origin_kind: Origin["kind"];
  readonly origin_name: string;
}): Origin => ({ kind: row.origin_kind, name: row.origin_name });
