import type { ApplicationName } from "../../proto/words/ids.ts";
import type { Ack } from "../../proto/words/link-messages.ts";
import { reportDigest, type ApplicationReport } from "../../proto/words/report.ts";
import type { Action } from "../domain/plan.ts";
import { draftReport, type ReportDraft } from "../domain/report.ts";
import { isRunning, operationOf } from "../domain/sync.ts";
import type { Alarms } from "./alarms.ts";
import type { ApplicationWork } from "./application-work.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { KindsInUse } from "./kinds-in-use.ts";
import { findingsOf } from "./pod-looks.ts";

export type ReporterNeeds = {
  readonly view: ClusterView;
  readonly kinds: KindsInUse;
  readonly alarms: Alarms<ApplicationName>;
  readonly nowMs: () => number;
  readonly onReport: (application: ApplicationName, report: ApplicationReport | undefined) => void;
  readonly onAck: (ack: Ack) => void;
  /** How long a kind may be unreadable before it is reported. */
  readonly unreadableGraceMs: number;
};

export type Reporter = {
  /** Says how an application is, if that is news, and acknowledges what it has reached. Makes no request. */
  readonly report: (work: ApplicationWork, isForced?: boolean) => void;
  /** The same for an application that is being removed. */
  readonly reportRemoval: (work: ApplicationWork) => void;
};

/** How long a definition may take before what waits for it is in trouble. */
const youngMs = 10_000;

export function createReporter(needs: ReporterNeeds): Reporter {
  const { view, kinds, alarms, nowMs } = needs;

  function report(work: ApplicationWork, isForced = false): void {
    const { desired } = work;
    if (desired === undefined || work.isDropped || work.tombstone !== undefined) return;
    if (!kinds.areListed(work) || isGraceRunning(work)) return;
    const actions = view.plan(work, false).actions;
    // Whose it is will be known in a moment, and its bundle wakes this application up.
    if (actions.some(isUndecided)) return;
    const { report: drafted, reviewAtMs } = draft(work, desired.generation, actions);
    work.healthyGeneration = drafted.healthyGeneration;
    if (reviewAtMs !== undefined) alarms.set(work.application, reviewAtMs);
    const grownAtMs = youngUntilMs(work);
    if (nowMs() < grownAtMs && awaitsDefinition(work)) alarms.set(work.application, grownAtMs);
    publish(work, drafted, isForced);
    acknowledge(work);
  }

  const isUndecided = (action: Action): boolean =>
    action.kind === "refuse" &&
    action.problem.kind === "other-application" &&
    view.isUnread(action.problem.application);

  function reportRemoval(work: ApplicationWork): void {
    if (work.tombstone === undefined || work.isDropped) return;
    const actions = view.removal(work).flatMap((removal): readonly Action[] => {
      if (removal.kind !== "remove") return [];
      return [{ kind: "prune", entry: removal.entry, isRemoving: removal.isRemoving }];
    });
    // The order is newer than all there was of the application; a hub that heard its number as that of something
    // held would take the order for overtaken, and give another.
    publish(work, draft(work, work.tombstone.generation - 1, actions).report, false);
  }

  function draft(
    work: ApplicationWork,
    storedGeneration: number,
    actions: readonly Action[],
  ): ReportDraft {
    const isRemoving = work.tombstone !== undefined;
    return draftReport({
      application: work.application,
      storedGeneration,
      appliedGeneration: work.appliedGeneration,
      healthyGeneration: work.healthyGeneration,
      appliedRevision: work.appliedRevision,
      plan: { actions },
      live: (key) => view.live(work, key),
      findings: (live) => findingsOf(work, live),
      whyUnreadable: (key) => view.whyUnreadable(work, key),
      alsoDeclaredBy: (key) => view.alsoDeclaredBy(work, key),
      problems: work.problems,
      problem: isRemoving ? work.denial : (work.problem ?? work.denial),
      operation: operationOf(work.state),
      isRemoving,
      isYoung: nowMs() < youngUntilMs(work),
      nowMs: nowMs(),
    });
  }

  const youngUntilMs = ({ state }: ApplicationWork): number =>
    isRunning(state) ? state.attempt.startedAtMs + youngMs : 0;

  const awaitsDefinition = ({ problems }: ApplicationWork): boolean =>
    [...problems.values()].some(({ kind }) => kind === "awaits-definition");

  /** A short outage of the API server is not worth two reports of every application. */
  function isGraceRunning(work: ApplicationWork): boolean {
    const sinceMs = kinds.brokenSinceMs(work);
    if (sinceMs === undefined) return false;
    const endsAtMs = sinceMs + needs.unreadableGraceMs;
    if (nowMs() >= endsAtMs) return false;
    alarms.set(work.application, endsAtMs);
    return true;
  }

  function publish(work: ApplicationWork, newest: ApplicationReport, isForced: boolean): void {
    const digest = reportDigest(newest);
    if (digest === work.lastReport && !isForced) return;
    work.lastReport = digest;
    needs.onReport(work.application, newest);
  }

  function acknowledge(work: ApplicationWork): void {
    const { application, appliedGeneration, healthyGeneration } = work;
    if (appliedGeneration > work.ackedApplied) {
      work.ackedApplied = appliedGeneration;
      needs.onAck({ kind: "applied", application, generation: appliedGeneration });
    }
    if (healthyGeneration > work.ackedHealthy) {
      work.ackedHealthy = healthyGeneration;
      needs.onAck({ kind: "healthy", application, generation: healthyGeneration, atMs: nowMs() });
    }
  }

  return { report, reportRemoval };
}
