import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Health, HealthState } from "../../proto/words/health.ts";
import type { ApplicationName, Generation } from "../../proto/words/ids.ts";
import { objectKeyParts, type ObjectKey } from "../../proto/words/object-key.ts";
import type {
  ApplicationReport,
  ConditionReport,
  OperationReport,
  ResourceReport,
} from "../../proto/words/report.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import {
  describeApplicationProblem,
  describeObjectProblem,
  objectName,
  type ApplicationProblem,
  type ObjectProblem,
} from "./conditions.ts";
import { remainingIn } from "./health/deletion.ts";
import { explainHealth, type Assessment } from "./health/index.ts";
import type { PodFinding } from "./health/pods-behind.ts";
import { rollUpHealth, type RolledUp } from "./health/roll-up.ts";
import { isTerminating, type LiveObject } from "./live.ts";
import { isNamespace, type Action, type Plan, type Why } from "./plan.ts";

export type ReportInput = {
  readonly application: ApplicationName;
  readonly storedGeneration: Generation;
  readonly appliedGeneration: Generation;
  /** Raised by the report itself once this generation is applied and Healthy. */
  readonly healthyGeneration: Generation;
  readonly appliedRevision: string;
  readonly plan: Plan;
  readonly live: (key: ObjectKey) => LiveObject | undefined;
  /** What the pods of a workload that is not well say. */
  readonly findings: (live: LiveObject) => readonly PodFinding[];
  /** Other applications of this cluster that declare an object. */
  readonly alsoDeclaredBy: (key: ObjectKey) => readonly ApplicationName[];
  /** Why what the watches show of an object cannot be believed; `undefined` when it can. */
  readonly whyUnreadable: (key: ObjectKey) => string | undefined;
  /** What the last attempt met, by object. */
  readonly problems: ReadonlyMap<ObjectKey, ObjectProblem>;
  readonly problem: ApplicationProblem | undefined;
  readonly operation: OperationReport | undefined;
  /** The application is ordered away. */
  readonly isRemoving: boolean;
  /** The attempt has only begun: what waits for its turn is not in trouble yet. */
  readonly isYoung: boolean;
  readonly nowMs: number;
};

export type ReportDraft = {
  readonly report: ApplicationReport;
  /** When to look again although nothing moves: a state may become a failure by its age. */
  readonly reviewAtMs: number | undefined;
};

/** More would say nothing new; the resources have their own messages. */
const conditionsMost = 20;

/** The newest state of one application, from what is wanted, what is live, and what was met on the way. */
export function draftReport(input: ReportInput): ReportDraft {
  const lines = input.plan.actions
    .flatMap((action) => lineFor(action, input) ?? [])
    .toSorted((a, b) => (a.resource.key < b.resource.key ? -1 : 1));
  const health: Health = input.isRemoving
    ? { state: "Progressing", message: "is being removed" }
    : healthOf(lines);
  const resources = lines.map(({ resource }) => resource);
  const isHealthyNow =
    health.state === "Healthy" && input.appliedGeneration === input.storedGeneration;
  const report: ApplicationReport = {
    application: input.application,
    storedGeneration: input.storedGeneration,
    appliedGeneration: input.appliedGeneration,
    healthyGeneration: isHealthyNow ? input.appliedGeneration : input.healthyGeneration,
    appliedRevision: input.appliedRevision,
    syncStatus: syncStatusOf(resources, input.problem),
    health,
    operation: input.operation,
    conditions: conditionsOf(lines, input.problem),
    resources,
  };
  const reviews = lines.flatMap(({ assessment }) => assessment?.reviewAtMs ?? []);
  return { report, reviewAtMs: reviews.length === 0 ? undefined : Math.min(...reviews) };
}

type Line = {
  readonly resource: ResourceReport;
  readonly assessment: Assessment | undefined;
  readonly rolledUp: RolledUp | undefined;
  readonly condition: ConditionReport | undefined;
};

function lineFor(action: Action, input: ReportInput): Line | undefined {
  const subject = subjectOf(action);
  if (subject === undefined) return undefined;
  const { key, version, isWanted } = subject;
  const live = input.live(key);
  const problem = problemOf(action, key, input);
  const condition = problem === undefined ? undefined : describeObjectProblem(key, problem);
  const assessment = assessmentOf(action, live, input);
  const isTrouble = !(input.isYoung && problem?.kind === "awaits-definition");
  const { group, kind } = objectKeyParts(key);
  const images = "desired" in action ? action.desired.images : live?.images;
  const ignoreHealth = "desired" in action && action.desired.ignoreHealth;
  return {
    assessment,
    condition:
      condition !== undefined && isTrouble
        ? { code: condition.code, message: `${objectName(key)}: ${condition.message}` }
        : undefined,
    resource: {
      key,
      version,
      syncStatus: syncStatusFor(action),
      health: assessment?.state,
      message: condition?.message ?? (differenceOf(action, live) || (assessment?.message ?? "")),
      images: images ?? [],
      awaitsPrune: !isWanted,
    },
    rolledUp:
      isWanted && !ignoreHealth
        ? {
            group,
            kind,
            health: assessment?.state,
            isLive: assessment === undefined ? live !== undefined : assessment.state !== "Missing",
            annotations: live?.object.metadata.annotations ?? {},
          }
        : undefined,
  };
}

type Subject = { readonly key: ObjectKey; readonly version: string; readonly isWanted: boolean };

function subjectOf(action: Action): Subject | undefined {
  switch (action.kind) {
    case "prune":
    case "keep":
      return { key: action.entry.key, version: action.entry.version, isWanted: false };
    case "recover": {
      const version = action.live.object.apiVersion.split("/").at(-1) ?? "";
      return { key: action.key, version, isWanted: false };
    }
    case "forget":
      return undefined;
    default:
      return { key: action.desired.key, version: action.desired.version, isWanted: true };
  }
}

function problemOf(action: Action, key: ObjectKey, input: ReportInput): ObjectProblem | undefined {
  if (action.kind === "refuse") return action.problem;
  if (action.kind === "unread") {
    const message = input.whyUnreadable(key);
    return message === undefined ? undefined : { kind: "unreadable", message };
  }
  const met = input.problems.get(key);
  if (met !== undefined) return met;
  if (action.kind === "keep") return { kind: "prune-held", why: action.why };
  const live = input.live(key);
  if (live !== undefined && isNamespace(key) && isTerminating(live)) {
    const { name } = live.object.metadata;
    const remaining = remainingIn(live.object);
    // Its removal is what we wait for; only what is in the way is news.
    if ("desired" in action || remaining !== "")
      return { kind: "namespace-terminating", namespace: name, remaining };
  }
  const applications = "desired" in action ? input.alsoDeclaredBy(key) : [];
  return applications.length === 0 ? undefined : { kind: "also-declared", applications };
}

function assessmentOf(
  action: Action,
  live: LiveObject | undefined,
  { findings, nowMs }: ReportInput,
): Assessment | undefined {
  if (action.kind === "unread")
    return { state: "Unknown", message: "objects of this kind cannot be read" };
  if (live !== undefined) return explainHealth(live.object, findings(live), nowMs);
  // The cluster removed it when it was done.
  if (action.kind === "nothing") return { state: "Healthy", message: "" };
  return "desired" in action ? { state: "Missing", message: "" } : undefined;
}

function syncStatusFor(action: Action): SyncStatus {
  switch (action.kind) {
    case "nothing":
      return "Synced";
    case "unread":
      return "Unknown";
    default:
      return "OutOfSync";
  }
}

function differenceOf(action: Action, live: LiveObject | undefined): string {
  switch (action.kind) {
    case "create":
      return action.why === "drift" ? "was removed from the cluster" : "is not in the cluster yet";
    case "update":
      return updateSentence(action.why, live);
    case "adopt":
      return "exists and is not marked as ours";
    case "blocked":
      return "the cluster does not serve this kind";
    case "prune":
      return action.isRemoving ? "is being removed" : "is no longer wanted";
    case "recover":
      return "is marked as ours, but was not in the inventory";
    // The health of an object that is being deleted says so, and why it takes long.
    case "hold":
    case "nothing":
    case "unread":
    case "refuse":
    case "keep":
    case "forget":
      return "";
    default:
      return unreachable(action, "action");
  }
}

function updateSentence(why: Why, live: LiveObject | undefined): string {
  if (why === "adopt") return "exists, and is taken over as its manifest says";
  if (why === "handover") return "is taken over from the application that had it";
  if (why !== "drift") return "the cluster has an older manifest";
  const by = live?.lastChangedBy ?? "";
  return by === "" ? "was changed in the cluster" : `was changed in the cluster by ${by}`;
}

function healthOf(lines: readonly Line[]): Health {
  const state = rollUpHealth(lines.flatMap(({ rolledUp }) => rolledUp ?? []));
  return { state, message: state === "Healthy" ? "" : whyUnwell(lines, state) };
}

function whyUnwell(lines: readonly Line[], state: HealthState): string {
  const worst = lines.find(({ rolledUp }) => rolledUp?.health === state);
  if (worst === undefined) return "";
  const message = worst.assessment?.message ?? "";
  return `${objectName(worst.resource.key)}${message === "" ? "" : `: ${message}`}`;
}

function syncStatusOf(
  resources: readonly ResourceReport[],
  problem: ApplicationProblem | undefined,
): SyncStatus {
  if (problem !== undefined && problem.kind !== "bundle-empty") return "Unknown";
  const statuses = new Set(resources.map(({ syncStatus }) => syncStatus));
  if (statuses.has("OutOfSync")) return "OutOfSync";
  return statuses.has("Unknown") ? "Unknown" : "Synced";
}

function conditionsOf(
  lines: readonly Line[],
  problem: ApplicationProblem | undefined,
): readonly ConditionReport[] {
  const own = problem === undefined ? [] : [describeApplicationProblem(problem)];
  const all = [...own, ...lines.flatMap(({ condition }) => condition ?? [])];
  if (all.length <= conditionsMost) return all;
  const rest = all.slice(conditionsMost - 1);
  const first = rest[0];
  if (first === undefined) return all;
  return [
    ...all.slice(0, conditionsMost - 1),
    { code: first.code, message: `${first.message} (and ${rest.length - 1} more)` },
  ];
}
