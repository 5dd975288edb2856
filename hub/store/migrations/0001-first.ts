import { sql, type Kysely } from "kysely";

/**
 * The first shape of the store.
 *
 * STRICT and WITHOUT ROWID are SQLite's; everything else is meant to be read by PostgreSQL as well, with
 * `bigint` for integers, `bytea` for blobs, identity columns for keys, and trigram indexes (pg_trgm) in the
 * place of the three search tables.
 */
export const first = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const problemColumns = `
  problem_code text,
  problem_message text,
  problem_since_ms integer`;

const statements: readonly string[] = [
  // What the hub knows of itself: its id. Rows are never removed.
  `create table hub_settings (
    name text not null primary key,
    value text not null
  ) strict`,

  // A cluster's row stays for ever once made, so that its id is never given twice; removal sets removed_at_ms
  // and frees name and server. Epoch, versions and floors only grow:
  //   retained_from_version  the oldest base a delta can still be made from;
  //   generation_floor       the highest generation among tombstones that were forgotten.
  `create table clusters (
    key integer primary key autoincrement,
    id text not null unique,
    name text not null,
    server text not null,
    labels text not null,
    annotations text not null,
    created_at_ms integer not null,
    removed_at_ms integer,
    connection text not null check (connection in ('never-joined', 'attached', 'detached')),
    connection_since_ms integer not null,
    session_id text,
    last_seen_at_ms integer,
    spoke_version text not null,
    kubernetes_version text not null,
    certificate_expires_at_ms integer,
    epoch integer not null,
    desired_version integer not null,
    desired_root text not null,
    retained_from_version integer not null,
    generation_floor integer not null,
    stored_version integer not null,
    stored_root text
  ) strict`,
  `create unique index clusters_name on clusters (name) where removed_at_ms is null`,
  `create unique index clusters_server on clusters (server) where removed_at_ms is null`,
  `create index clusters_connection on clusters (connection, name) where removed_at_ms is null`,

  // One row a label of a cluster. Relabelling and removal of the cluster remove rows.
  `create table cluster_labels (
    cluster_key integer not null references clusters (key),
    label text not null,
    value text not null,
    number integer,
    primary key (cluster_key, label)
  ) strict, without rowid`,
  `create index cluster_labels_value on cluster_labels (label, value, cluster_key)`,
  `create index cluster_labels_number on cluster_labels (label, number, cluster_key)`,

  // Publishing removes a set's row when Git has it no more.
  `create table application_sets (
    key integer primary key autoincrement,
    name text not null unique,
    project text not null,
    path text not null,
    commit_sha text not null,
    document text not null,
    generated_at_ms integer not null,${problemColumns}
  ) strict`,
  `create index application_sets_project on application_sets (project, name)`,
  `create index application_sets_problem on application_sets (name) where problem_code is not null`,

  // Publishing removes an application's row when its origin no longer makes it; everything that hangs on it
  // by name goes with it. drafted_cluster_key is the destination Git names; cluster_key the cluster that is
  // offered it, or else the destination. cluster_name repeats the cluster's name, to sort by.
  // draft_digest tells whether publishing would change anything. Ranks put states in an order to sort by.
  `create table applications (
    key integer primary key autoincrement,
    name text not null unique,
    origin_kind text not null,
    origin_name text not null,
    project text not null,
    labels text not null,
    annotations text not null,
    source_repo_url text not null,
    source_path text not null,
    source_target_revision text not null,
    destination_name text not null,
    destination_server text not null,
    destination_namespace text not null,
    drafted_cluster_key integer references clusters (key),
    cluster_key integer references clusters (key),
    cluster_name text not null,
    policy text not null,
    revision text not null,
    generation integer not null,
    bundle text,
    objects integer not null,
    keep_objects integer not null,
    draft_digest text not null,
    created_at_ms integer not null,
    changed_at_ms integer not null,${problemColumns},
    sync_status text not null,
    sync_rank integer not null,
    health text not null,
    health_rank integer not null,
    health_message text not null,
    stored_generation integer not null,
    applied_generation integer not null,
    healthy_generation integer not null,
    applied_revision text not null,
    operation text,
    conditions text not null,
    reported_at_ms integer,
    report_digest text
  ) strict`,
  `create index applications_origin on applications (origin_kind, origin_name, name)`,
  `create index applications_cluster_key on applications (cluster_key, name)`,
  `create index applications_drafted on applications (drafted_cluster_key)`,
  `create index applications_cluster on applications (cluster_name, name)`,
  `create index applications_project on applications (project, name)`,
  `create index applications_revision on applications (revision, name)`,
  `create index applications_sync on applications (sync_rank, name)`,
  `create index applications_health on applications (health_rank, name)`,
  `create index applications_changed on applications (changed_at_ms, name)`,
  `create index applications_problem on applications (name) where problem_code is not null`,
  `create index applications_bundle on applications (bundle)`,

  // The long part of an application, apart so that reports rewrite short rows. Goes with the application.
  `create table application_documents (
    application text not null primary key references applications (name) on delete cascade,
    document text not null
  ) strict`,

  // One row a label of an application. Publishing rewrites them; they go with the application.
  `create table application_labels (
    application text not null references applications (name) on delete cascade,
    label text not null,
    value text not null,
    number integer,
    primary key (application, label)
  ) strict, without rowid`,
  `create index application_labels_value on application_labels (label, value, application)`,
  `create index application_labels_number on application_labels (label, number, application)`,

  // One row an object of an application, as its cluster last reported it. A report without the object, a move
  // to another cluster, and the end of the application remove rows.
  `create table resources (
    application text not null references applications (name) on delete cascade,
    object text not null,
    cluster_key integer not null references clusters (key),
    api_group text not null,
    kind text not null,
    namespace text not null,
    name text not null,
    version text not null,
    sync_status text not null,
    health text,
    message text not null,
    images text not null,
    awaits_prune integer not null,
    primary key (application, object)
  ) strict, without rowid`,
  `create index resources_kind on resources (kind, application, object)`,
  `create index resources_group on resources (api_group, application, object)`,
  `create index resources_name on resources (name, application, object)`,
  `create index resources_namespace on resources (namespace, application, object)`,
  `create index resources_cluster on resources (cluster_key, application, object)`,
  // Most objects are Healthy or have no health at all; who asks for those gets no help from an index.
  `create index resources_unhealthy on resources (health, application, object) where health <> 'Healthy'`,

  // Which objects run which image. Goes with the object, and is rewritten with it.
  `create table resource_images (
    image text not null,
    application text not null,
    object text not null,
    primary key (image, application, object),
    foreign key (application, object) references resources (application, object) on delete cascade
  ) strict, without rowid`,
  `create index resource_images_object on resource_images (application, object, image)`,

  // Canonical bytes by digest. blobs.forgetUnused removes those of bundles it removes.
  `create table blobs (
    digest text not null primary key,
    size integer not null,
    bytes blob not null,
    stored_at_ms integer not null
  ) strict`,

  // Bundles whose blobs are all here. used_at_ms is when one was last put, so that a bundle made a moment ago
  // and not offered yet is not taken for unused. blobs.forgetUnused removes rows.
  `create table bundles (
    digest text not null primary key,
    objects integer not null,
    used_at_ms integer not null
  ) strict`,
  `create index bundles_used on bundles (used_at_ms)`,

  // Every blob a bundle needs, its own list among them. Goes with the bundle.
  `create table bundle_blobs (
    bundle text not null references bundles (digest) on delete cascade,
    blob text not null references blobs (digest),
    primary key (bundle, blob)
  ) strict, without rowid`,
  `create index bundle_blobs_blob on bundle_blobs (blob, bundle)`,

  // What each cluster is offered. An application is offered to one cluster at a time. changed_version is the
  // version of the desired set that brought the entry as it is. A tombstone, or the cluster's removal, removes it.
  `create table desired_entries (
    cluster_key integer not null references clusters (key),
    application text not null references applications (name),
    generation integer not null,
    revision text not null,
    bundle text not null references bundles (digest),
    project text not null,
    destination_namespace text not null,
    policy text not null,
    trace text not null,
    digest text not null,
    changed_version integer not null,
    primary key (cluster_key, application)
  ) strict, without rowid`,
  `create unique index desired_entries_application on desired_entries (application)`,
  `create index desired_entries_changed on desired_entries (cluster_key, changed_version)`,
  `create index desired_entries_bundle on desired_entries (bundle)`,

  // Orders to remove. The application's return to the cluster removes one, and so does
  // desiredSets.forgetTombstones once it was carried out long ago; so does the cluster's removal.
  `create table tombstones (
    cluster_key integer not null references clusters (key),
    application text not null,
    generation integer not null,
    cause text not null,
    actor text not null,
    keep_objects integer not null,
    changed_version integer not null,
    carried_out_at_ms integer,
    primary key (cluster_key, application)
  ) strict, without rowid`,
  `create index tombstones_changed on tombstones (cluster_key, changed_version)`,
  `create index tombstones_carried_out on tombstones (carried_out_at_ms)
    where carried_out_at_ms is not null`,

  // The bundle a spoke has on disk for an application, and the version that brought it. A tombstone carried
  // out, a spoke that lost its disk, and the cluster's removal remove rows.
  `create table stored_bundles (
    cluster_key integer not null references clusters (key),
    application text not null,
    bundle text not null references bundles (digest),
    version integer not null,
    primary key (cluster_key, application)
  ) strict, without rowid`,
  `create index stored_bundles_bundle on stored_bundles (bundle)`,

  // How many applications are in which state, by what people group by. Kept by every write that moves one; a
  // count that reaches zero removes its row.
  `create table status_counts (
    scope text not null,
    subject text not null,
    value text not null,
    sync_status text not null,
    health text not null,
    applications integer not null,
    primary key (scope, subject, value, sync_status, health)
  ) strict, without rowid`,

  // How many clusters carry a label, and how many of them are attached; the whole fleet is under the empty
  // label. A count that reaches zero removes its row.
  `create table cluster_counts (
    label text not null,
    value text not null,
    clusters integer not null,
    attached integer not null,
    primary key (label, value)
  ) strict, without rowid`,

  // One row a repository that was ever read. Rows stay.
  `create table repositories (
    url text not null primary key,
    heads text not null,
    fetched_at_ms integer,
    checked_at_ms integer,${problemColumns}
  ) strict`,

  // Orders to clusters. commands.forget removes those that expired long ago.
  `create table commands (
    id text not null primary key,
    order_kind text not null,
    application text not null,
    cluster_key integer not null references clusters (key),
    generation integer not null,
    prune integer not null,
    actor text not null,
    created_at_ms integer not null,
    expires_at_ms integer not null,
    finished_at_ms integer,
    succeeded integer,
    message text not null
  ) strict`,
  `create index commands_waiting on commands (cluster_key, created_at_ms, id)
    where finished_at_ms is null`,
  `create index commands_expiry on commands (expires_at_ms)`,

  // API tokens, by the hash of their secret only. Rows stay: who could do what, and until when, is history.
  `create table tokens (
    id text not null primary key,
    name text not null,
    scope text not null,
    secret_hash text not null unique,
    created_at_ms integer not null,
    expires_at_ms integer,
    revoked_at_ms integer
  ) strict`,

  // Join tokens, by the hash of their secret only. enrollments.forget and the cluster's removal remove rows.
  `create table join_tokens (
    id text not null primary key,
    secret_hash text not null,
    cluster_key integer not null references clusters (key),
    created_at_ms integer not null,
    expires_at_ms integer not null,
    used_at_ms integer,
    public_key text
  ) strict`,
  `create index join_tokens_expiry on join_tokens (expires_at_ms)`,
  `create index join_tokens_cluster on join_tokens (cluster_key)`,

  // Certificates we issued; never their keys. enrollments.forget and the cluster's removal remove rows.
  `create table certificates (
    serial text not null primary key,
    cluster_key integer not null references clusters (key),
    public_key text not null,
    not_before_ms integer not null,
    not_after_ms integer not null
  ) strict`,
  `create index certificates_expiry on certificates (not_after_ms)`,
  `create index certificates_cluster on certificates (cluster_key)`,

  // What happened, in order; autoincrement, so that no number is ever given twice. events.forget removes rows.
  `create table events (
    sequence integer primary key autoincrement,
    at_ms integer not null,
    kind text not null,
    subject text not null,
    cluster text not null,
    message text not null
  ) strict`,
  `create index events_at on events (at_ms)`,

  // Names by every three letters in a row, for "part of the name". Written and removed with the named row.
  ...["cluster_search", "application_set_search", "application_search"].map(
    (table) =>
      `create virtual table ${table} using fts5 (
        name, content = '', contentless_delete = 1, tokenize = 'trigram', detail = 'none'
      )`,
  ),
];
