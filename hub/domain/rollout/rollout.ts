import type { ApplicationName } from "../../../proto/words/ids.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import { updatesMost, type RolloutStrategy } from "./strategy.ts";

/**
 * The rollout of a set with `strategy: RollingSync`, one state per application:
 *
 *   Waiting ──its step is open, and there is room──► Pending ──its sync began──► Progressing ──healthy──► Healthy
 *      └──it is synced already──► Progressing or Healthy          a change at any time ──► Waiting
 */
export const rolloutStates = ["Waiting", "Pending", "Progressing", "Healthy"] as const;

export type RolloutState = (typeof rolloutStates)[number];

export type RolloutStatus = {
  readonly application: ApplicationName;
  readonly status: RolloutState;
  /** From 1; -1 for an application that no step selects, which is never let go. */
  readonly step: number;
  readonly message: string;
  /** What it is to come to. */
  readonly targetRevisions: readonly string[];
  /** Since when it is in this status; `undefined` when that was never written down. */
  readonly sinceMs: number | undefined;
};

/** What an application is seen to be, and to want. */
export type RolloutView = {
  readonly application: ApplicationName;
  readonly targetRevisions: readonly string[];
  /** Whether Git wants something else than what is out. */
  readonly specDiffers: boolean;
  /** Synced is Healthy or Progressing at once, even where the spec differs. */
  readonly isSynced: boolean;
  readonly isHealthy: boolean;
  /** Whether nothing can come of it as it is: a spec nobody can carry out. */
  readonly isStuck: boolean;
  readonly operation:
    | {
        readonly phase: "Running" | "Succeeded" | "Failed";
        readonly startedAtMs: number;
      }
    | undefined;
  /** When it was last looked at; `undefined` counts as just now. */
  readonly seenAtMs: number | undefined;
};

/** One status per application that is there: what was, moved along by at most one transition. Sorted by name. */
export function nextStatuses(
  statuses: readonly RolloutStatus[],
  views: readonly RolloutView[],
  stepOf: ReadonlyMap<string, number>,
  nowMs: number,
): readonly RolloutStatus[] {
  const known = new Map(statuses.map((status) => [status.application, status]));
  return views
    .map((view) => {
      const index = stepOf.get(view.application);
      const step = index === undefined ? -1 : index + 1;
      const before = known.get(view.application) ?? firstStatus(view, nowMs);
      return transition(withPendingChanges({ ...before, step }, view, nowMs), view, nowMs);
    })
    .toSorted(byApplication);
}

/** The order in which statuses are kept and shown. */
export const byApplication = (a: RolloutStatus, b: RolloutStatus): number =>
  a.application < b.application ? -1 : 1;

const firstStatus = (view: RolloutView, nowMs: number): RolloutStatus => ({
  application: view.application,
  status: "Waiting",
  step: -1,
  message: "No Application status found, defaulting status to Waiting",
  targetRevisions: view.targetRevisions,
  sinceMs: nowMs,
});

function withPendingChanges(
  status: RolloutStatus,
  { targetRevisions, specDiffers }: RolloutView,
  nowMs: number,
): RolloutStatus {
  const hasNewRevision = !sameTexts(status.targetRevisions, targetRevisions);
  if (!hasNewRevision && !specDiffers) return status;
  const spec = hasNewRevision ? " (revision and spec differ)" : " (spec differs)";
  return {
    ...status,
    status: "Waiting",
    message: `Application has pending changes${specDiffers ? spec : ""}, setting status to Waiting`,
    targetRevisions,
    sinceMs: nowMs,
  };
}

function transition(status: RolloutStatus, view: RolloutView, nowMs: number): RolloutStatus {
  const to = (next: RolloutState, message: string): RolloutStatus => ({
    ...status,
    status: next,
    message,
    sinceMs: nowMs,
  });
  switch (status.status) {
    case "Waiting": {
      if (!view.isSynced) return status;
      const next = view.isHealthy ? "Healthy" : "Progressing";
      return to(next, `Application resource has synced, updating status to ${next}`);
    }
    case "Pending": {
      // What was seen before it was let go says nothing of what came of that.
      if (!isSeenSince(status, view)) return status;
      const message = startedSentence(status, view);
      if (message !== undefined) return to("Progressing", message);
      return view.isStuck
        ? to(
            "Progressing",
            "Application resource has error and cannot sync, updating status to Progressing",
          )
        : status;
    }
    case "Progressing":
      return view.isHealthy && view.isSynced
        ? to(
            "Healthy",
            "Application resource became Healthy, updating status from Progressing to Healthy",
          )
        : status;
    case "Healthy":
      return status;
    default:
      return unreachable(status.status, "rollout state");
  }
}

function isSeenSince({ sinceMs }: RolloutStatus, { seenAtMs }: RolloutView): boolean {
  if (seenAtMs === undefined) return true;
  return sinceMs !== undefined && seenAtMs > sinceMs;
}

/** How a sync that began since the status was taken went on; `undefined` when none did. */
function startedSentence(
  { sinceMs = -Infinity }: RolloutStatus,
  { operation }: RolloutView,
): string | undefined {
  if (operation === undefined || operation.startedAtMs <= sinceMs) return undefined;
  switch (operation.phase) {
    case "Running":
      return "Application resource became Progressing, updating status from Pending to Progressing";
    case "Succeeded":
      return "Application resource completed a sync successfully, updating status from Pending to Progressing";
    case "Failed":
      return "Application resource completed a sync, updating status from Pending to Progressing";
    default:
      return unreachable(operation.phase, "operation phase");
  }
}

/**
 * The applications of all steps that are open: the first is, and each one after a step whose applications
 * are all there and Healthy.
 */
export function openApplications(
  steps: readonly (readonly string[])[],
  statuses: readonly RolloutStatus[],
  present: ReadonlySet<string>,
): ReadonlySet<string> {
  const healthy = new Set<string>(
    statuses.flatMap(({ application, status }) => (status === "Healthy" ? [application] : [])),
  );
  const open = new Set<string>();
  for (const names of steps) {
    for (const name of names) open.add(name);
    if (!names.every((name) => present.has(name) && healthy.has(name))) break;
  }
  return open;
}

/** Lets waiting applications of open steps go, as many of each step as its `maxUpdate` leaves room for. */
export function releaseWaiting(
  strategy: RolloutStrategy,
  statuses: readonly RolloutStatus[],
  open: ReadonlySet<string>,
  stepOf: ReadonlyMap<string, number>,
  nowMs: number,
): readonly RolloutStatus[] {
  const total = new Map<number, number>();
  const underWay = new Map<number, number>();
  // An application of no step counts in the first one, as in Argo CD.
  const stepIndex = (application: string): number => stepOf.get(application) ?? 0;
  for (const { application, status } of statuses) {
    const index = stepIndex(application);
    total.set(index, (total.get(index) ?? 0) + 1);
    if (status === "Pending" || status === "Progressing")
      underWay.set(index, (underWay.get(index) ?? 0) + 1);
  }
  return statuses.map((status) => {
    const index = stepIndex(status.application);
    const step = strategy.steps[index];
    const most = step === undefined ? Infinity : updatesMost(step.maxUpdate, total.get(index) ?? 0);
    const now = underWay.get(index) ?? 0;
    if (status.status !== "Waiting" || !open.has(status.application) || now >= most) return status;
    underWay.set(index, now + 1);
    return {
      ...status,
      status: "Pending",
      message:
        "Application moved to Pending status, watching for the Application resource to start Progressing",
      sinceMs: nowMs,
    };
  });
}

export const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, index) => text === b[index]);
