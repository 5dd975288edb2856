import fc from "fast-check";
import {
  tombstoneCauses,
  type DesiredApplication,
  type DesiredChange,
  type Tombstone,
} from "../../proto/words/desired.ts";
import { parseDigest, type Digest } from "../../proto/words/digest.ts";
import { healthStates } from "../../proto/words/health.ts";
import { parseApplicationName, type ApplicationName } from "../../proto/words/ids.ts";
import {
  commandKinds,
  type FencedMessage,
  type HubMessage,
  type SpokeMessage,
} from "../../proto/words/link-messages.ts";
import { makeObjectKey } from "../../proto/words/object-key.ts";
import { parseServiceAccount, type ServiceAccount } from "../../proto/words/service-account.ts";
import { operationPhases, type ApplicationReport } from "../../proto/words/report.ts";
import { syncStatuses } from "../../proto/words/sync-status.ts";

/** Plain objects, as our own code makes them. */
const record = <T>(model: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const must = <T>(read: { ok: true; value: T } | { ok: false; problem: string }): T => {
  if (!read.ok) throw new Error(read.problem);
  return read.value;
};

export const digests: fc.Arbitrary<Digest> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => must(parseDigest(Buffer.from(bytes).toString("hex"))));

export const applicationNames: fc.Arbitrary<ApplicationName> = fc
  .stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?(\.[a-z0-9]{1,5})?$/)
  .map((name) => must(parseApplicationName(name)));

/** Text that survives UTF-8: no half characters. */
const texts = fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.toWellFormed());
const counts = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const generations = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const times = counts;

const serviceAccounts: fc.Arbitrary<ServiceAccount> = fc
  .stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?:[a-z0-9]([-.a-z0-9]{0,8}[a-z0-9])?$/)
  .filter((text) => !text.startsWith("system:"))
  .map((text) => must(parseServiceAccount(text)));

/** The same things, some of them with the rights of a service account. */
const someActing = <T>(
  things: fc.Arbitrary<T>,
): fc.Arbitrary<T & { readonly serviceAccount?: ServiceAccount }> =>
  fc
    .tuple(things, fc.option(serviceAccounts, { nil: undefined }))
    .map(([thing, serviceAccount]) => ({
      ...thing,
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    }));

export const desiredApplications: fc.Arbitrary<DesiredApplication> = someActing(
  record<Omit<DesiredApplication, "serviceAccount">>({
    application: applicationNames,
    generation: generations,
    revision: texts,
    bundle: digests,
    project: texts,
    destinationNamespace: texts,
    policy: record({
      automated: fc.boolean(),
      prune: fc.boolean(),
      selfHeal: fc.boolean(),
      allowEmpty: fc.boolean(),
      createNamespace: fc.boolean(),
      conflicts: fc.constantFrom("override", "report"),
    }),
    trace: texts,
  }),
);

const tombstones: fc.Arbitrary<Tombstone> = someActing(
  record<Omit<Tombstone, "serviceAccount">>({
    application: applicationNames,
    generation: generations,
    cause: fc.constantFrom(...tombstoneCauses),
    actor: texts,
    keepObjects: fc.boolean(),
  }),
);

const changes: fc.Arbitrary<DesiredChange> = record({
  base: counts,
  target: counts,
  root: digests,
  upserts: fc.array(desiredApplications, { maxLength: 3 }),
  tombstones: fc.array(tombstones, { maxLength: 3 }),
  strays: fc.array(applicationNames, { maxLength: 3 }),
});

const healths = fc.constantFrom(...healthStates);
const statuses = fc.constantFrom(...syncStatuses);

export const applicationReports: fc.Arbitrary<ApplicationReport> = record({
  application: applicationNames,
  storedGeneration: counts,
  appliedGeneration: counts,
  healthyGeneration: counts,
  appliedRevision: texts,
  syncStatus: statuses,
  health: record({ state: healths, message: texts }),
  operation: fc.option(
    record({
      phase: fc.constantFrom(...operationPhases),
      generation: counts,
      message: texts,
      startedAtMs: times,
      finishedAtMs: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), {
        nil: undefined,
      }),
    }),
    { nil: undefined },
  ),
  conditions: fc.array(record({ code: texts, message: texts }), { maxLength: 2 }),
  resources: fc.array(
    record({
      key: applicationNames.map((name) =>
        makeObjectKey({ group: "apps", kind: "Deployment", namespace: "default", name }),
      ),
      version: texts,
      syncStatus: statuses,
      health: fc.option(healths, { nil: undefined }),
      message: texts,
      images: fc.array(texts, { maxLength: 2 }),
      awaitsPrune: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
});

const heartbeats = record({
  kind: fc.constant("heartbeat" as const),
  desiredRoot: fc.option(digests, { nil: undefined }),
  statusRoot: fc.option(digests, { nil: undefined }),
  desiredVersion: counts,
});

export const spokeMessages: fc.Arbitrary<SpokeMessage> = fc.oneof(
  record({
    kind: fc.constant("hello" as const),
    protocolLeast: fc.nat({ max: 1_000 }),
    protocolMost: fc.nat({ max: 1_000 }),
    capabilities: fc.array(texts, { maxLength: 3 }),
    spokeVersion: texts,
    bootId: texts,
    heldVersion: counts,
    heldRoot: digests,
    statusRoot: digests,
    epochSeen: counts,
    clockMs: times,
    kubernetesVersion: texts,
  }),
  record({
    kind: fc.constant("ack" as const),
    ack: fc.oneof(
      record({ kind: fc.constant("stored" as const), version: counts, root: digests }),
      record({
        kind: fc.constantFrom("applied" as const, "removed" as const),
        application: applicationNames,
        generation: counts,
      }),
      record({
        kind: fc.constant("healthy" as const),
        application: applicationNames,
        generation: counts,
        atMs: times,
      }),
    ),
  }),
  record({
    kind: fc.constant("report" as const),
    sequence: counts,
    applications: fc.array(applicationReports, { maxLength: 3 }),
    gone: fc.array(applicationNames, { maxLength: 3 }),
  }),
  heartbeats,
  record({
    kind: fc.constant("desired-digests" as const),
    digests: fc.array(fc.tuple(applicationNames, digests)).map((entries) => new Map(entries)),
  }),
  record({
    kind: fc.constant("command-result" as const),
    id: texts,
    succeeded: fc.boolean(),
    message: texts,
  }),
);

const hubMessages: fc.Arbitrary<HubMessage> = fc.oneof(
  record({
    kind: fc.constant("welcome" as const),
    protocol: fc.nat({ max: 1_000 }),
    sessionId: texts,
    desiredVersion: counts,
    desiredRoot: digests,
    statusRoot: digests,
    heartbeatMs: fc.integer({ min: 1, max: 600_000 }),
    clockMs: times,
  }),
  record({
    kind: fc.constant("desired" as const),
    change: changes,
    blobs: fc.array(record({ digest: digests, bytes: fc.uint8Array() }), { maxLength: 2 }),
  }),
  fc.constant({ kind: "desired-digests-wanted" as const }),
  record({
    kind: fc.constant("command" as const),
    id: texts.filter((id) => id !== ""),
    order: fc.constantFrom(...commandKinds),
    application: applicationNames,
    generation: counts,
    prune: fc.boolean(),
    expiresAtMs: times,
  }),
  heartbeats,
  record({ kind: fc.constant("report-recorded" as const), sequence: counts }),
  record({
    kind: fc.constant("go-away" as const),
    reason: fc.constantFrom("replaced" as const, "draining" as const, "untrusted" as const),
    reconnectAfterMs: fc.nat({ max: 1_000_000 }),
  }),
);

export const fencedMessages: fc.Arbitrary<FencedMessage> = record({
  epoch: counts,
  message: hubMessages,
});
