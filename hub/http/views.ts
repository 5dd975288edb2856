import type { z } from "@hono/zod-openapi";
import { redact } from "../../proto/kit/redact.ts";
import { objectKeyParts } from "../../proto/words/object-key.ts";
import type { ResourceReport } from "../../proto/words/report.ts";
import type { ClusterRecord } from "../domain/cluster-record.ts";
import type { CommandRecord } from "../domain/command-record.ts";
import type { FleetResource } from "../domain/fleet-resource.ts";
import type {
  ApplicationRecord,
  ApplicationSetRecord,
  ApplicationStatus,
  FleetEvent,
  Problem,
  StatusCounts,
} from "../domain/records.ts";
import type { RepositoryRecord } from "../domain/repository-record.ts";
import type { TokenRecord } from "../domain/token-record.ts";
import type { Published, SummaryGroup } from "./needs.ts";
import type {
  ApplicationSchema,
  ApplicationSetSchema,
  ApplicationStatusSchema,
  ClusterSchema,
  CommandSchema,
  EventSchema,
  FleetResourceSchema,
  ProblemSchema,
  RepositorySchema,
  ResourceSchema,
  StatusCountsSchema,
  SummarySchema,
  TokenSchema,
} from "./schemas.ts";

/**
 * Records as the API shows them. A field whose value is `undefined` is left out of the JSON. Sentences that quote
 * something outside, an API server or a Git host, go through `redact`: nobody else sees them before a reader does.
 */

type ProblemView = z.infer<typeof ProblemSchema>;

const problemView = (problem: Problem | undefined): ProblemView | undefined =>
  problem && {
    code: problem.code,
    message: redact(problem.message),
    sinceAtMs: problem.sinceMs,
  };

/** Every count, zeros included: readers should not have to know which may be absent. */
const countsView = (counts: StatusCounts): z.infer<typeof StatusCountsSchema> => ({
  total: counts.total,
  sync: { Synced: 0, OutOfSync: 0, Unknown: 0, ...counts.sync },
  health: {
    Healthy: 0,
    Suspended: 0,
    Progressing: 0,
    Missing: 0,
    Degraded: 0,
    Unknown: 0,
    ...counts.health,
  },
});

export const clusterView = (cluster: ClusterRecord): z.infer<typeof ClusterSchema> => ({
  id: cluster.id,
  name: cluster.name,
  server: cluster.server,
  labels: cluster.labels,
  annotations: cluster.annotations,
  createdAtMs: cluster.createdAtMs,
  connection:
    cluster.connection.kind === "never-joined"
      ? { kind: cluster.connection.kind }
      : { kind: cluster.connection.kind, sinceAtMs: cluster.connection.sinceMs },
  lastSeenAtMs: cluster.lastSeenAtMs,
  spokeVersion: cluster.spokeVersion,
  kubernetesVersion: cluster.kubernetesVersion,
  certificateExpiresAtMs: cluster.certificateExpiresAtMs,
  locked: cluster.locked && {
    sinceAtMs: cluster.locked.sinceMs,
    why: redact(cluster.locked.why),
  },
  desiredVersion: cluster.desiredVersion,
  storedVersion: cluster.storedVersion,
  applications: countsView(cluster.applications),
});

export const repositoryView = (repository: RepositoryRecord): z.infer<typeof RepositorySchema> => ({
  ...repository,
  problem: problemView(repository.problem),
});

export const applicationSetView = (
  set: ApplicationSetRecord,
): z.infer<typeof ApplicationSetSchema> => ({
  name: set.name,
  project: set.project,
  path: set.path,
  commit: set.commit,
  generatedAtMs: set.generatedAtMs,
  problem: problemView(set.problem),
  applications: countsView(set.applications),
});

const statusView = (status: ApplicationStatus): z.infer<typeof ApplicationStatusSchema> => ({
  syncStatus: status.syncStatus,
  health: { ...status.health, message: redact(status.health.message) },
  storedGeneration: status.storedGeneration,
  appliedGeneration: status.appliedGeneration,
  healthyGeneration: status.healthyGeneration,
  appliedRevision: status.appliedRevision,
  operation: status.operation && {
    ...status.operation,
    message: redact(status.operation.message),
  },
  conditions: status.conditions.map(({ code, message }) => ({ code, message: redact(message) })),
  reportedAtMs: status.reportedAtMs,
});

export const applicationView = (
  application: ApplicationRecord,
): z.infer<typeof ApplicationSchema> => ({
  name: application.name,
  origin: application.origin,
  project: application.project,
  cluster: application.cluster,
  labels: application.labels,
  annotations: application.annotations,
  source: application.source,
  destination: application.destination,
  policy: application.policy,
  revision: application.revision,
  generation: application.generation,
  bundle: application.bundle,
  objects: application.objects,
  createdAtMs: application.createdAtMs,
  changedAtMs: application.changedAtMs,
  problem: problemView(application.problem),
  status: statusView(application.status),
});

/** Names of the fields that lists can be cut down to, and those they show when not told. */
export const applicationFields = [
  "name",
  "origin",
  "project",
  "cluster",
  "labels",
  "annotations",
  "source",
  "destination",
  "policy",
  "revision",
  "generation",
  "bundle",
  "objects",
  "createdAtMs",
  "changedAtMs",
  "problem",
  "status",
] as const satisfies readonly (keyof z.infer<typeof ApplicationSchema>)[];

export type ApplicationField = (typeof applicationFields)[number];

export const applicationFieldsByDefault: readonly ApplicationField[] = [
  "name",
  "origin",
  "project",
  "cluster",
  "labels",
  "revision",
  "generation",
  "objects",
  "changedAtMs",
  "problem",
  "status",
];

/** The named fields of a view, in the order asked for. */
export function pick<T extends object>(view: T, fields: readonly (keyof T)[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const field of fields) picked[field] = view[field];
  return picked;
}

export const resourceView = (resource: ResourceReport): z.infer<typeof ResourceSchema> => ({
  ...objectKeyParts(resource.key),
  version: resource.version,
  syncStatus: resource.syncStatus,
  health: resource.health,
  message: redact(resource.message),
  images: resource.images,
  awaitsPrune: resource.awaitsPrune,
});

export const fleetResourceView = (found: FleetResource): z.infer<typeof FleetResourceSchema> => ({
  cluster: found.cluster,
  application: found.application,
  ...resourceView(found.resource),
});

export const commandView = (command: CommandRecord): z.infer<typeof CommandSchema> => ({
  ...command,
  message: redact(command.message),
});

export const eventView = (event: FleetEvent): z.infer<typeof EventSchema> => ({
  ...event,
  message: redact(event.message),
});

/** Without the secret's hash, whatever the record carries. */
export const tokenView = (token: TokenRecord): z.infer<typeof TokenSchema> => ({
  id: token.id,
  name: token.name,
  scope: token.scope,
  createdAtMs: token.createdAtMs,
  expiresAtMs: token.expiresAtMs,
  revokedAtMs: token.revokedAtMs,
});

export function summaryView(
  groups: readonly SummaryGroup[],
  groupBy: string | undefined,
  published: Published | undefined,
  nowMs: number,
): z.infer<typeof SummarySchema> {
  const clusters = { total: 0, attached: 0 };
  const applications = countsView({ total: 0, sync: {}, health: {} });
  for (const group of groups) {
    clusters.total += group.clusters.total;
    clusters.attached += group.clusters.attached;
    const counts = countsView(group.applications);
    applications.total += counts.total;
    addCounts(applications.sync, counts.sync);
    addCounts(applications.health, counts.health);
  }
  const shown = groupBy === undefined ? [] : groups;
  return {
    readAtMs: nowMs,
    published,
    groupBy,
    total: { clusters, applications },
    groups: shown.map(({ value, clusters, applications }) => ({
      value,
      clusters,
      applications: countsView(applications),
    })),
  };
}

function addCounts<K extends string>(sums: Record<K, number>, more: Readonly<Record<K, number>>) {
  for (const key in sums) sums[key] += more[key];
}
