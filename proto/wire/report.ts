import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  HealthState as WireHealth,
  OperationPhase as WirePhase,
  SyncStatus as WireSync,
  type ApplicationReport as WireReport,
  type ApplicationReportSchema,
  type OperationReport as WireOperation,
  type ResourceReport as WireResource,
} from "../gen/wheelhouse/v1/report_pb.ts";
import { healthStates, type HealthState } from "../words/health.ts";
import { parseObjectKey, type ObjectKey } from "../words/object-key.ts";
import {
  operationPhases,
  type ApplicationReport,
  type OperationPhase,
  type OperationReport,
  type ResourceReport,
} from "../words/report.ts";
import { syncStatuses, type SyncStatus } from "../words/sync-status.ts";
import {
  applicationFrom,
  count,
  knownWord,
  listOf,
  refuse,
  wireLimits,
  word,
  wordOf,
} from "./fields.ts";

const healthNumbers: Readonly<Record<HealthState, WireHealth>> = {
  Healthy: WireHealth.HEALTHY,
  Suspended: WireHealth.SUSPENDED,
  Progressing: WireHealth.PROGRESSING,
  Missing: WireHealth.MISSING,
  Degraded: WireHealth.DEGRADED,
  Unknown: WireHealth.UNKNOWN,
};

const syncNumbers: Readonly<Record<SyncStatus, WireSync>> = {
  Synced: WireSync.SYNCED,
  OutOfSync: WireSync.OUT_OF_SYNC,
  Unknown: WireSync.UNKNOWN,
};

const phaseNumbers: Readonly<Record<OperationPhase, WirePhase>> = {
  Running: WirePhase.RUNNING,
  Succeeded: WirePhase.SUCCEEDED,
  Failed: WirePhase.FAILED,
};

const { wordCharsMost, reportMessageCharsMost: messageCharsMost } = wireLimits;

export const applicationReportToWire = (
  report: ApplicationReport,
): MessageInitShape<typeof ApplicationReportSchema> => ({
  application: report.application,
  storedGeneration: BigInt(report.storedGeneration),
  appliedGeneration: BigInt(report.appliedGeneration),
  healthyGeneration: BigInt(report.healthyGeneration),
  appliedRevision: report.appliedRevision,
  syncStatus: syncNumbers[report.syncStatus],
  health: healthNumbers[report.health.state],
  healthMessage: report.health.message,
  ...(report.operation === undefined
    ? {}
    : {
        operation: {
          phase: phaseNumbers[report.operation.phase],
          generation: BigInt(report.operation.generation),
          message: report.operation.message,
          startedAtMs: BigInt(report.operation.startedAtMs),
          finishedAtMs: BigInt(report.operation.finishedAtMs ?? 0),
        },
      }),
  conditions: report.conditions.map(({ code, message }) => ({ code, message })),
  resources: report.resources.map((resource) => ({
    key: resource.key,
    version: resource.version,
    syncStatus: syncNumbers[resource.syncStatus],
    health: resource.health === undefined ? WireHealth.UNSPECIFIED : healthNumbers[resource.health],
    message: resource.message,
    images: [...resource.images],
    awaitsPrune: resource.awaitsPrune,
  })),
});

export const applicationReportFromWire = (report: WireReport): ApplicationReport => ({
  application: applicationFrom("application", report.application),
  storedGeneration: count("stored_generation", report.storedGeneration),
  appliedGeneration: count("applied_generation", report.appliedGeneration),
  healthyGeneration: count("healthy_generation", report.healthyGeneration),
  appliedRevision: word("applied_revision", report.appliedRevision, wordCharsMost),
  syncStatus: wordOf(syncStatuses, syncNumbers, report.syncStatus) ?? "Unknown",
  health: {
    state: wordOf(healthStates, healthNumbers, report.health) ?? "Unknown",
    message: word("health_message", report.healthMessage, messageCharsMost),
  },
  operation: report.operation === undefined ? undefined : operationFromWire(report.operation),
  conditions: listOf(
    "conditions",
    report.conditions,
    wireLimits.conditionsMost,
    ({ code, message }) => ({
      code: word("code", code, wordCharsMost),
      message: word("message", message, messageCharsMost),
    }),
  ),
  resources: listOf("resources", report.resources, wireLimits.resourcesMost, resourceFromWire),
});

const operationFromWire = (operation: WireOperation): OperationReport => {
  const finishedAtMs = count("finished_at_ms", operation.finishedAtMs);
  return {
    phase: knownWord("phase", operationPhases, phaseNumbers, operation.phase),
    generation: count("generation", operation.generation),
    message: word("message", operation.message, messageCharsMost),
    startedAtMs: count("started_at_ms", operation.startedAtMs),
    finishedAtMs: finishedAtMs === 0 ? undefined : finishedAtMs,
  };
};

const resourceFromWire = (resource: WireResource): ResourceReport => ({
  key: keyFrom(resource.key),
  version: word("version", resource.version, wordCharsMost),
  syncStatus: wordOf(syncStatuses, syncNumbers, resource.syncStatus) ?? "Unknown",
  health:
    resource.health === WireHealth.UNSPECIFIED
      ? undefined
      : (wordOf(healthStates, healthNumbers, resource.health) ?? "Unknown"),
  message: word("message", resource.message, messageCharsMost),
  images: listOf("images", resource.images, wireLimits.imagesMost, (image) =>
    word("image", image, wordCharsMost),
  ),
  awaitsPrune: resource.awaitsPrune,
});

function keyFrom(text: string): ObjectKey {
  const parsed = parseObjectKey(word("key", text, wordCharsMost));
  return parsed.ok ? (text as ObjectKey) : refuse(`key: ${parsed.problem}`);
}
