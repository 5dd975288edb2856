import { z } from "@hono/zod-openapi";
import { commandKinds } from "../../proto/words/link-messages.ts";
import { healthStates } from "../../proto/words/health.ts";
import { operationPhases } from "../../proto/words/report.ts";
import { syncStatuses } from "../../proto/words/sync-status.ts";
import { fleetEventKinds } from "../domain/records.ts";
import { tokenScopes } from "../domain/token-record.ts";

/** The shapes of answers, as zod schemas: types for the views, text for docs/openapi.json. */

const list = <T extends z.ZodType>(schema: T) => z.array(schema).readonly();

const atMs = (what: string) =>
  z
    .number()
    .int()
    .openapi({ description: `${what}, in milliseconds since the epoch` });

const labels = z.record(z.string(), z.string());

const count = z.number().int().min(0);

export const ProblemSchema = z
  .object({
    code: z.string().openapi({ example: "WH-TPL-3205" }),
    message: z.string(),
    sinceAtMs: atMs("since when it has been this same problem"),
  })
  .openapi("Problem");

export const ProblemDocumentSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string().openapi({ example: "WH-API-4002" }),
    detail: z.string(),
    hint: z.string().openapi({ description: "what to do about it" }),
    requestId: z.string(),
    errors: list(
      z.object({
        in: z.string().openapi({ description: "body, query or path" }),
        pointer: z.string().openapi({ description: "JSON pointer", example: "/labels/env" }),
        detail: z.string(),
      }),
    ).optional(),
  })
  .openapi("ProblemDocument");

export const StatusCountsSchema = z
  .object({
    total: count,
    sync: z.object({ Synced: count, OutOfSync: count, Unknown: count }),
    health: z.object({
      Healthy: count,
      Suspended: count,
      Progressing: count,
      Missing: count,
      Degraded: count,
      Unknown: count,
    }),
  })
  .openapi("StatusCounts");

const ConnectionSchema = z
  .object({
    kind: z.enum(["never-joined", "attached", "detached"]),
    sinceAtMs: atMs("since when").optional(),
  })
  .openapi("ClusterConnection");

export const ClusterSchema = z
  .object({
    id: z.string().openapi({ description: "opaque, never reused" }),
    name: z.string(),
    server: z.string().openapi({ description: "the URL that destinations may name" }),
    labels,
    annotations: labels,
    createdAtMs: atMs("when it was registered"),
    connection: ConnectionSchema,
    lastSeenAtMs: atMs("when its spoke was last heard").optional(),
    spokeVersion: z.string(),
    kubernetesVersion: z.string(),
    certificateExpiresAtMs: atMs("when its certificate ends").optional(),
    locked: z
      .object({ sinceAtMs: atMs("since when"), why: z.string() })
      .optional()
      .openapi({ description: "absent: its spoke is let in" }),
    desiredVersion: z.number().int(),
    storedVersion: z
      .number()
      .int()
      .openapi({ description: "the newest version of its desired set that it has on disk" }),
    applications: StatusCountsSchema,
  })
  .openapi("Cluster");

export const JoinSchema = z
  .object({
    token: z.string().openapi({ description: "shown this once" }),
    expiresAtMs: atMs("when the token ends"),
    hubAddress: z.string(),
    hubFingerprint: z.string().openapi({ example: "sha256:5f1d…" }),
    spokeCommand: z
      .string()
      .openapi({ description: "a shell command that runs the spoke beside its cluster" }),
    helmCommand: z.string().openapi({
      description:
        "a shell command that installs the spoke's chart: the same objects as the manifest",
    }),
    manifest: z
      .object({
        apiVersion: z.literal("v1"),
        kind: z.literal("List"),
        items: list(z.record(z.string(), z.unknown())),
      })
      .openapi({ description: "what to feed to kubectl apply -f - in the cluster" }),
  })
  .openapi("Join");

export const RepositorySchema = z
  .object({
    url: z.string(),
    heads: z.record(z.string(), z.string()).openapi({
      description: "revision as asked for, to commit",
    }),
    fetchedAtMs: atMs("when something new was last fetched").optional(),
    checkedAtMs: atMs("when it was last looked at").optional(),
    problem: ProblemSchema.optional(),
  })
  .openapi("Repository");

export const ApplicationSetSchema = z
  .object({
    name: z.string(),
    project: z.string(),
    path: z.string().openapi({ description: "file in the fleet repository" }),
    commit: z.string(),
    generatedAtMs: atMs("when it last generated its applications"),
    problem: ProblemSchema.optional(),
    applications: StatusCountsSchema,
  })
  .openapi("ApplicationSet");

const HealthSchema = z
  .object({ state: z.enum(healthStates), message: z.string() })
  .openapi("Health");

export const ApplicationStatusSchema = z
  .object({
    syncStatus: z.enum(syncStatuses),
    health: HealthSchema,
    storedGeneration: z.number().int(),
    appliedGeneration: z.number().int(),
    healthyGeneration: z.number().int(),
    appliedRevision: z.string(),
    operation: z
      .object({
        phase: z.enum(operationPhases),
        generation: z.number().int(),
        message: z.string(),
        startedAtMs: atMs("start of the last sync"),
        finishedAtMs: atMs("its end").optional(),
      })
      .optional(),
    conditions: list(z.object({ code: z.string(), message: z.string() })),
    reportedAtMs: atMs("when the cluster last said so").optional(),
  })
  .openapi("ApplicationStatus");

export const ApplicationSchema = z
  .object({
    name: z.string(),
    origin: z.object({ kind: z.enum(["application-set", "application"]), name: z.string() }),
    project: z.string(),
    cluster: z.string().optional().openapi({ description: "absent: no known cluster is meant" }),
    labels,
    annotations: labels,
    source: z.object({ repoURL: z.string(), path: z.string(), targetRevision: z.string() }),
    destination: z
      .object({ name: z.string(), server: z.string(), namespace: z.string() })
      .openapi({ description: "as written" }),
    policy: z.object({
      automated: z.boolean(),
      prune: z.boolean(),
      selfHeal: z.boolean(),
      allowEmpty: z.boolean(),
      createNamespace: z.boolean(),
      conflicts: z.enum(["override", "report"]),
    }),
    revision: z
      .string()
      .openapi({ description: "the commit that is offered; empty before the first" }),
    generation: z.number().int(),
    bundle: z.string().optional(),
    objects: count,
    createdAtMs: atMs("when it was first generated"),
    changedAtMs: atMs("when what is desired last changed"),
    problem: ProblemSchema.optional().openapi({
      description: "why Git's newest is not what is offered",
    }),
    status: ApplicationStatusSchema,
  })
  .openapi("Application");

export const ResourceSchema = z
  .object({
    group: z.string(),
    version: z.string(),
    kind: z.string(),
    namespace: z.string().openapi({ description: "empty: cluster scope" }),
    name: z.string(),
    syncStatus: z.enum(syncStatuses),
    health: z.enum(healthStates).optional().openapi({ description: "absent: the kind has none" }),
    message: z.string(),
    images: list(z.string()),
    awaitsPrune: z.boolean(),
  })
  .openapi("Resource");

export const FleetResourceSchema = ResourceSchema.extend({
  cluster: z.string(),
  application: z.string(),
}).openapi("FleetResource");

export const CommandSchema = z
  .object({
    id: z.string(),
    order: z.enum(commandKinds),
    application: z.string(),
    cluster: z.string(),
    generation: z.number().int(),
    prune: z.boolean(),
    actor: z.string(),
    createdAtMs: atMs("when it was given"),
    expiresAtMs: atMs("when it becomes void"),
    state: z.enum(["waiting", "succeeded", "failed", "expired"]),
    message: z.string(),
    finishedAtMs: atMs("when it ended").optional(),
  })
  .openapi("Command");

export const TokenSchema = z
  .object({
    id: z.string().openapi({ description: "safe to show", example: "wht_ab12cd34" }),
    name: z.string(),
    scope: z.enum(tokenScopes),
    createdAtMs: atMs("when it was made"),
    expiresAtMs: atMs("when it ends").optional(),
    revokedAtMs: atMs("when it was revoked").optional(),
  })
  .openapi("Token");

export const EventSchema = z
  .object({
    sequence: z.number().int(),
    atMs: atMs("when it happened"),
    kind: z.enum(fleetEventKinds),
    subject: z.string(),
    cluster: z.string(),
    message: z.string(),
  })
  .openapi("Event");

export const SummarySchema = z
  .object({
    readAtMs: atMs("when this was read"),
    published: z
      .object({
        commit: z.string().openapi({ description: "commit of the fleet repository" }),
        atMs: atMs("when the pass that published it ended"),
      })
      .optional()
      .openapi({ description: "the newest commit that went through publishing whole" }),
    groupBy: z.string().optional(),
    total: z.object({
      clusters: z.object({ total: count, attached: count }),
      applications: StatusCountsSchema,
    }),
    groups: list(
      z.object({
        value: z.string().openapi({ description: "the label's value; empty: without it" }),
        clusters: z.object({ total: count, attached: count }),
        applications: StatusCountsSchema,
      }),
    ),
  })
  .openapi("FleetSummary");

/** A page of a list: `next`, when present, is what to pass as `after` to go on. */
export const pageOf = <T extends z.ZodType>(item: T, name: string) =>
  z.object({ items: list(item), next: z.string().optional() }).openapi(name);

export const VersionSchema = z
  .object({ version: z.string(), api: z.literal("v1"), hubId: z.string() })
  .openapi("Version");
