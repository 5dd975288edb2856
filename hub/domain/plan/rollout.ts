import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { RolloutInput } from "./input.ts";
import { isOffered, type Verdict } from "./verdict.ts";
import type { ApplicationStatus, Labels, PublishedApplication } from "../records.ts";
import { issueSentence, rolloutSteps, type RolloutSteps } from "../rollout/steps.ts";
import { mapInSlices, sortedInSlices, type Sliced } from "../sliced.ts";
import {
  nextStatuses,
  openApplications,
  releaseWaiting,
  sameTexts,
  type RolloutStatus,
  type RolloutView,
} from "../rollout/rollout.ts";

/** How far a rollout may go now. */
export type RolloutPlan = {
  readonly statuses: readonly RolloutStatus[];
  /** Applications whose change waits for its step. */
  readonly held: ReadonlySet<ApplicationName>;
  readonly issue: string | undefined;
};

/** Whether a change may go out now. */
export const isReleased = ({ application }: Verdict, rollout: RolloutPlan | undefined): boolean =>
  rollout?.held.has(application.name) !== true;

/**
 * Moves the rollout of a set on: what clusters say of what is out decides which steps are open, and those let
 * changes go. `flawed` are applications of the set that Git says nothing usable about this time.
 */
export function* planRollout(
  input: RolloutInput,
  verdicts: readonly Verdict[],
  flawed: readonly PublishedApplication[],
  nowMs: number,
): Sliced<RolloutPlan> {
  const judged = yield* mapInSlices(verdicts, (verdict) => memberOf(verdict, input));
  const stuck = yield* mapInSlices(flawed, (published) => stuckMember(published, input));
  const members: readonly Member[] = yield* sortedInSlices([...judged, ...stuck], (a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const sorted = rolloutSteps(input.strategy, members);
  yield;
  const { statuses, open } = yield* settledStatuses(input, members, sorted, nowMs);
  const released = releaseWaiting(input.strategy, statuses, open, sorted.stepOf, nowMs);
  yield;
  const waiting = new Set(
    released.flatMap(({ application, status }) => (status === "Waiting" ? [application] : [])),
  );
  return {
    statuses: withUnchanged(released, input.statuses),
    held: new Set(members.flatMap(({ name }) => (waiting.has(name) ? [name] : []))),
    issue:
      input.strategy.steps.length === 0
        ? "No steps defined for rollout"
        : issueSentence(sorted.issues),
  };
}

type Member = {
  readonly name: ApplicationName;
  readonly labels: Labels;
  readonly view: RolloutView;
};

/** An application passes through several states at once when its cluster was quick. */
function* settledStatuses(
  input: RolloutInput,
  members: readonly Member[],
  { steps, stepOf }: RolloutSteps,
  nowMs: number,
): Sliced<{ readonly statuses: readonly RolloutStatus[]; readonly open: ReadonlySet<string> }> {
  const views = members.map(({ view }) => view);
  const present = new Set(views.map(({ application }) => application));
  let statuses = nextStatuses(input.statuses, views, stepOf, nowMs);
  // The first round puts what differs from Git back to Waiting, and there it stays.
  const rest = views.map((view) =>
    view.specDiffers
      ? { ...view, specDiffers: false, isSynced: false, isStuck: false, operation: undefined }
      : view,
  );
  for (let round = 1; round < roundsMost; round += 1) {
    yield;
    statuses = nextStatuses(statuses, rest, stepOf, nowMs);
  }
  yield;
  return { statuses, open: openApplications(steps, statuses, present) };
}

/** Pending to Progressing to Healthy. */
const roundsMost = 3;

function memberOf(verdict: Verdict, { reported }: RolloutInput): Member {
  const { application, before } = verdict;
  const { name, labels } = application;
  const offered = before?.desired?.entry;
  const isOut = verdict.kind === "publish" && isOffered(verdict);
  const newest =
    verdict.kind === "publish" && !isOut ? verdict.rendered.revision : offered?.revision;
  const looks = seen(reported.get(name), offered?.generation);
  return {
    name,
    labels,
    view: {
      ...looks,
      // What differs from Git is not there yet, however healthy it looks.
      isSynced: isOut && looks.isSynced,
      application: name,
      targetRevisions: newest === undefined ? [] : [newest],
      specDiffers: !isOut,
      isStuck: verdict.kind === "keep",
    },
  };
}

function stuckMember({ draft, desired }: PublishedApplication, { reported }: RolloutInput): Member {
  return {
    name: draft.name,
    labels: draft.labels,
    view: {
      ...seen(reported.get(draft.name), desired?.entry.generation),
      isSynced: false,
      application: draft.name,
      targetRevisions: desired === undefined ? [] : [desired.entry.revision],
      specDiffers: true,
      isStuck: true,
    },
  };
}

/** What a cluster says of the generation it is offered. Its clock is not ours, so generations tell the order. */
function seen(
  status: ApplicationStatus | undefined,
  generation: number | undefined,
): Pick<RolloutView, "isSynced" | "isHealthy" | "operation" | "seenAtMs"> {
  if (status === undefined || generation === undefined)
    return { isSynced: false, isHealthy: false, operation: undefined, seenAtMs: undefined };
  const { operation, appliedGeneration } = status;
  const isApplied = appliedGeneration >= generation;
  const phase =
    operation !== undefined && operation.generation >= generation
      ? operation.phase
      : isApplied
        ? "Succeeded"
        : undefined;
  return {
    isSynced: status.syncStatus === "Synced" && isApplied,
    isHealthy: status.health.state === "Healthy" && status.healthyGeneration >= generation,
    operation: phase === undefined ? undefined : { phase, startedAtMs: Infinity },
    seenAtMs: Infinity,
  };
}

/** A status that says what it said before keeps its beginning, so that it is written once. */
function withUnchanged(
  statuses: readonly RolloutStatus[],
  before: readonly RolloutStatus[],
): readonly RolloutStatus[] {
  const known = new Map(before.map((status) => [status.application, status]));
  return statuses.map((status) => {
    const last = known.get(status.application);
    return last !== undefined &&
      last.status === status.status &&
      last.step === status.step &&
      sameTexts(last.targetRevisions, status.targetRevisions)
      ? last
      : status;
  });
}

/**
 * The applications of a removed set that go next: one of the last step that has any, once the one before is
 * gone from its cluster. Those of no step go together, at the end.
 */
export function nextToRemove(
  input: RolloutInput,
  going: readonly PublishedApplication[],
): readonly PublishedApplication[] {
  if (input.leaving.size > 0) return [];
  const { stepOf } = rolloutSteps(
    input.strategy,
    going.map(({ draft }) => ({ name: draft.name, labels: draft.labels })),
  );
  let last = -1;
  for (const step of stepOf.values()) last = Math.max(last, step);
  if (last < 0) return going;
  return going.filter(({ draft }) => stepOf.get(draft.name) === last).slice(0, 1);
}
