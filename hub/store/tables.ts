import type { Generated } from "kysely";
import type { TombstoneCause } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { HealthState } from "../../proto/words/health.ts";
import type { ApplicationName, ClusterId, ClusterName } from "../../proto/words/ids.ts";
import type { CommandKind } from "../../proto/words/link-messages.ts";
import type { ObjectKey } from "../../proto/words/object-key.ts";
import type { ServiceAccount } from "../../proto/words/service-account.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { Origin } from "../domain/origin.ts";
import type { FleetEventKind } from "../domain/records.ts";
import type { RolloutState } from "../domain/rollout/rollout.ts";
import type { TokenScope } from "../domain/token-record.ts";

/**
 * The rows as they lie in the database; what each means is said in the migration that makes it.
 *
 * Only this room writes them, and only from checked values, so a column of text may carry its word's type.
 * Truth values are 0 and 1, times whole milliseconds, immutable documents JSON text.
 */
export type Tables = {
  hub_settings: { name: string; value: string };
  clusters: ClusterTable;
  cluster_labels: { cluster_key: number } & LabelColumns;
  application_sets: ApplicationSetTable;
  rollout_statuses: {
    set_name: string;
    application: ApplicationName;
    status: RolloutState;
    step: number;
    message: string;
    target_revisions: string;
    since_ms: number | null;
  };
  applications: ApplicationTable;
  application_documents: { application: ApplicationName; document: string };
  application_labels: { application: ApplicationName } & LabelColumns;
  /** By every three letters of the name, which cannot be read back; `rowid` is the application's key. */
  application_search: { rowid: number; name: string };
  resources: ResourceTable;
  resource_images: { image: string; application: ApplicationName; object: ObjectKey };
  desired_entries: DesiredEntryTable;
  tombstones: TombstoneTable;
  stored_bundles: {
    cluster_key: number;
    application: ApplicationName;
    bundle: Digest;
    version: number;
  };
  blobs: { digest: Digest; size: number; bytes: Uint8Array; stored_at_ms: number };
  bundles: { digest: Digest; objects: number; used_at_ms: number };
  bundle_blobs: { bundle: Digest; blob: Digest };
  status_counts: {
    scope: CountScope;
    subject: string;
    value: string;
    sync_status: SyncStatus;
    health: HealthState;
    applications: number;
  };
  cluster_counts: { label: string; value: string; clusters: number; attached: number };
  repositories: {
    url: string;
    heads: string;
    fetched_at_ms: number | null;
    checked_at_ms: number | null;
  } & ProblemColumns;
  commands: CommandTable;
  tokens: TokenTable;
  join_tokens: JoinTokenTable;
  certificates: {
    serial: string;
    cluster_key: number;
    public_key: Digest;
    not_before_ms: number;
    not_after_ms: number;
    generation: number;
  };
  events: {
    sequence: Generated<number>;
    at_ms: number;
    kind: FleetEventKind;
    subject: string;
    cluster: string;
    message: string;
  };
};

/** `fleet`: subject and value are empty. `cluster`: a cluster's key. `set`: a set's name. `label`: key and value. */
export type CountScope = "fleet" | "cluster" | "set" | "label";

export type LabelColumns = {
  label: string;
  value: string;
  /** The value as a whole number, for `Gt` and `Lt`; null when it is none. */
  number: number | null;
};

/** All three null when there is no problem. */
export type ProblemColumns = {
  problem_code: string | null;
  problem_message: string | null;
  problem_since_ms: number | null;
};

type ClusterTable = {
  key: Generated<number>;
  id: ClusterId;
  name: ClusterName;
  server: string;
  labels: string;
  annotations: string;
  created_at_ms: number;
  removed_at_ms: number | null;
  connection: "never-joined" | "attached" | "detached";
  connection_since_ms: number;
  session_id: string | null;
  last_seen_at_ms: number | null;
  spoke_version: string;
  kubernetes_version: string;
  certificate_expires_at_ms: number | null;
  epoch: number;
  desired_version: number;
  desired_root: Digest;
  retained_from_version: number;
  generation_floor: number;
  stored_version: number;
  stored_root: Digest | null;
  identity_newest: Generated<number>;
  identity_least: Generated<number>;
  identity_used: Generated<number>;
  identity_used_since_ms: Generated<number>;
  locked_at_ms: Generated<number | null>;
  locked_why: Generated<string | null>;
};

type ApplicationSetTable = {
  key: Generated<number>;
  name: string;
  project: string;
  path: string;
  commit_sha: string;
  document: string;
  generated_at_ms: number;
  /** JSON; null before they were first judged. */
  conditions: string | null;
} & ProblemColumns;

/** What a cluster says of an application. */
export type StatusColumns = {
  sync_status: SyncStatus;
  sync_rank: number;
  health: HealthState;
  health_rank: number;
  health_message: string;
  stored_generation: number;
  applied_generation: number;
  healthy_generation: number;
  applied_revision: string;
  operation: string | null;
  conditions: string;
  reported_at_ms: number | null;
  report_digest: Digest | null;
};

type ApplicationTable = {
  key: Generated<number>;
  name: ApplicationName;
  origin_kind: Origin["kind"];
  origin_name: string;
  project: string;
  labels: string;
  annotations: string;
  source_repo_url: string;
  source_path: string;
  source_target_revision: string;
  destination_name: string;
  destination_server: string;
  destination_namespace: string;
  drafted_cluster_key: number | null;
  cluster_key: number | null;
  cluster_name: string;
  policy: string;
  revision: string;
  generation: number;
  bundle: Digest | null;
  objects: number;
  keep_objects: number;
  draft_digest: string;
  created_at_ms: number;
  changed_at_ms: number;
} & ProblemColumns &
  StatusColumns;

type ResourceTable = {
  application: ApplicationName;
  object: ObjectKey;
  cluster_key: number;
  api_group: string;
  kind: string;
  namespace: string;
  name: string;
  version: string;
  sync_status: SyncStatus;
  health: HealthState | null;
  message: string;
  images: string;
  awaits_prune: number;
};

type DesiredEntryTable = {
  cluster_key: number;
  application: ApplicationName;
  generation: number;
  revision: string;
  bundle: Digest;
  project: string;
  destination_namespace: string;
  policy: string;
  trace: string;
  digest: Digest;
  changed_version: number;
  service_account: ServiceAccount | null;
};

type TombstoneTable = {
  cluster_key: number;
  application: ApplicationName;
  generation: number;
  cause: TombstoneCause;
  actor: string;
  keep_objects: number;
  changed_version: number;
  carried_out_at_ms: number | null;
  service_account: ServiceAccount | null;
};

type CommandTable = {
  id: string;
  order_kind: CommandKind;
  application: ApplicationName;
  cluster_key: number;
  generation: number;
  prune: number;
  actor: string;
  created_at_ms: number;
  expires_at_ms: number;
  finished_at_ms: number | null;
  succeeded: number | null;
  message: string;
};

type TokenTable = {
  id: string;
  name: string;
  scope: TokenScope;
  secret_hash: Digest;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
};

type JoinTokenTable = {
  id: string;
  secret_hash: Digest;
  cluster_key: number;
  created_at_ms: number;
  expires_at_ms: number;
  used_at_ms: number | null;
  public_key: Digest | null;
};
