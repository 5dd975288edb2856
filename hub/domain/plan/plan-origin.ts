import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { TombstoneCause } from "../../../proto/words/desired.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import { admission } from "../admission.ts";
import { mayHide, type Flaw } from "../generate.ts";
import type { ApplicationOutcome, OriginPlan, PlanInput } from "./input.ts";
import {
  keptByPolicy,
  nameTaken,
  originEvents,
  removalsHeld,
  sameOrigin,
  severalAsOne,
} from "./problems.ts";
import { nextToRemove, planRollout, type RolloutPlan } from "./rollout.ts";
import { kept, keptBack, offer, removal, type Step } from "./steps.ts";
import { judge, moves, type Verdict } from "./verdict.ts";
import { codes, problemSince, type ProblemDraft } from "../problem.ts";
import type { PublishedApplication } from "../records.ts";
import { waitsForConsent } from "../shrink-guard.ts";

/** Decides what publishing an origin's outcome changes. Nothing that fails changes what a cluster is offered. */
export function planOrigin(input: PlanInput): OriginPlan {
  const { outcome, origin } = input;
  switch (outcome.kind) {
    case "failed":
      return planFailure(input, outcome.problem);
    case "removed":
      return planWanted(
        input,
        [],
        [],
        origin.kind === "application" ? "removed-from-git" : "set-removed",
      );
    case "generated":
      return planWanted(
        input,
        outcome.applications,
        outcome.flaws,
        origin.kind === "application" ? "removed-from-git" : "no-longer-generated",
      );
    default:
      return unreachable(outcome, "origin outcome");
  }
}

/** Everything stays as it is offered; only the reason is written down. */
function planFailure(input: PlanInput, draft: ProblemDraft): OriginPlan {
  const failure = problemSince(draft, input.problemBefore, input.nowMs);
  // A plain Application has no row of its own besides its application's.
  const steps =
    input.origin.kind === "application" ? input.before.map((it) => kept(input, it, draft)) : [];
  return {
    changes: steps.flatMap((step) => step.changes),
    events: [...steps.flatMap((step) => step.events), ...originEvents(input, failure)],
    problem: failure,
    held: [],
    isRowNeeded: true,
    rollout: input.rollout?.statuses ?? [],
    rolloutIssue: undefined,
  };
}

function planWanted(
  input: PlanInput,
  wanted: readonly ApplicationOutcome[],
  flaws: readonly Flaw[],
  cause: TombstoneCause,
): OriginPlan {
  const before = knownBefore(input);
  const beforeByName = new Map(before.map((published) => [published.draft.name, published]));
  const { verdicts, problems } = judged(input, wanted, beforeByName);
  problems.unshift(...flaws.map((flaw) => flaw.problem));
  const wantedNames = new Set(wanted.map(({ application }) => application.name));
  const flawed = flawedApplications(flaws, wantedNames, beforeByName);
  const rollout =
    input.rollout === undefined || input.outcome.kind !== "generated"
      ? undefined
      : planRollout(
          input.rollout,
          verdicts,
          flawed.map(({ published }) => published),
          input.nowMs,
        );

  const unwanted = before.filter(
    ({ draft }) =>
      !wantedNames.has(draft.name) &&
      !flawed.some(({ published }) => published.draft.name === draft.name),
  );
  // Behind a failure may be any of them, and some sets never let go of what they made.
  const gone = input.allowsRemovals && !mayHide(flaws) ? unwanted : [];
  if (!input.allowsRemovals && input.outcome.kind === "removed" && unwanted.length > 0)
    problems.push(keptByPolicy(input.origin, unwanted.length));
  const held = heldRemovals(input, before, gone, verdicts.filter(isReleased(rollout)));
  const heldNames = new Set(held);
  const heldProblem = removalsHeld(held);
  if (held.length > 0) problems.push(heldProblem);
  const going = gone.filter(({ draft }) => !heldNames.has(draft.name));
  const now =
    input.outcome.kind === "removed" && input.rollout?.strategy.deletesInReverse === true
      ? nextToRemove(input.rollout, going)
      : going;

  const steps = [
    ...verdicts.map((verdict) =>
      verdict.before !== undefined && heldNames.has(verdict.before.draft.name)
        ? kept(input, verdict.before, heldProblem)
        : publishVerdict(input, verdict, rollout),
    ),
    ...flawed.map(({ published, problem }) => kept(input, published, problem)),
    ...gone
      .filter(({ draft }) => heldNames.has(draft.name))
      .map((published) => kept(input, published, heldProblem)),
    ...now.map((published) => removal(input, published, cause)),
  ];
  const originProblem = problemSince(severalAsOne(problems), input.problemBefore, input.nowMs);
  return {
    changes: steps.flatMap((step) => step.changes),
    events: [...steps.flatMap((step) => step.events), ...originEvents(input, originProblem)],
    problem: originProblem,
    held,
    isRowNeeded: unwanted.length > now.length,
    rollout: rollout?.statuses ?? stillLeaving(input, now),
    rolloutIssue: rollout?.issue,
  };
}

/** What was published, without what was in clusters that have left the hub. */
function knownBefore(input: PlanInput): readonly PublishedApplication[] {
  const known = new Set(input.clusters.map((cluster) => cluster.id));
  return input.before.map((published) => withoutLostCluster(published, known));
}

function judged(
  input: PlanInput,
  wanted: readonly ApplicationOutcome[],
  before: ReadonlyMap<ApplicationName, PublishedApplication>,
): { readonly verdicts: readonly Verdict[]; readonly problems: ProblemDraft[] } {
  const admits = admission(input.clusters, input.projects);
  const problems: ProblemDraft[] = [];
  const verdicts: Verdict[] = [];
  for (const outcome of wanted) {
    const { name } = outcome.application;
    const owner = input.owners.get(name);
    if (owner !== undefined && !sameOrigin(owner, input.origin) && !before.has(name))
      problems.push(nameTaken(name, owner, input.origin));
    else verdicts.push(judge(outcome, before.get(name), admits));
  }
  return { verdicts, problems };
}

type Flawed = { readonly published: PublishedApplication; readonly problem: ProblemDraft };

/** Applications whose element failed this time, each with its reason. */
function flawedApplications(
  flaws: readonly Flaw[],
  wanted: ReadonlySet<ApplicationName>,
  before: ReadonlyMap<ApplicationName, PublishedApplication>,
): readonly Flawed[] {
  const found = new Map<ApplicationName, Flawed>();
  for (const { application, problem } of flaws) {
    const published = application === undefined ? undefined : before.get(application);
    if (application === undefined || published === undefined || wanted.has(application)) continue;
    if (!found.has(application)) found.set(application, { published, problem });
  }
  return [...found.values()];
}

/** The removals that wait for consent: all of them or none. */
function heldRemovals(
  input: PlanInput,
  before: readonly PublishedApplication[],
  gone: readonly PublishedApplication[],
  verdicts: readonly Verdict[],
): readonly ApplicationName[] {
  const deletes = [
    ...gone.filter(deletesObjects),
    ...verdicts.flatMap((verdict) =>
      verdict.before && moves(verdict) && deletesObjects(verdict.before) ? [verdict.before] : [],
    ),
  ];
  const offered = before.filter(deletesObjects).length;
  // What waits goes on waiting: else it would be enough that the origin grows meanwhile.
  const waiting = deletes.filter(({ draft }) => draft.problem?.code === codes.removalsHeld).length;
  const shrinkage = {
    removals: deletes.length,
    offered,
    waiting,
    originRemoved: input.outcome.kind === "removed",
  };
  return !input.consent && waitsForConsent(shrinkage, input.shrink)
    ? deletes.map(({ draft }) => draft.name).toSorted()
    : [];
}

/** A cluster that left the hub has taken its desired set along; nothing is offered there any more. */
function withoutLostCluster(
  published: PublishedApplication,
  known: ReadonlySet<ClusterId>,
): PublishedApplication {
  const lost = (cluster: ClusterId | undefined): boolean =>
    cluster !== undefined && !known.has(cluster);
  if (!lost(published.desired?.cluster) && !lost(published.draft.clusterId)) return published;
  return {
    draft: lost(published.draft.clusterId)
      ? { ...published.draft, clusterId: undefined }
      : published.draft,
    desired: lost(published.desired?.cluster) ? undefined : published.desired,
  };
}

const deletesObjects = (published: PublishedApplication): boolean =>
  published.desired !== undefined && !published.draft.keepObjects;

const isReleased =
  (rollout: RolloutPlan | undefined) =>
  ({ application }: Verdict): boolean =>
    rollout?.held.has(application.name) !== true;

function publishVerdict(
  input: PlanInput,
  verdict: Verdict,
  rollout: RolloutPlan | undefined,
): Step {
  const { application, before, cluster } = verdict;
  switch (verdict.kind) {
    case "keep":
      return keptBack(input, application, before, cluster, verdict.problem);
    case "publish":
      return isReleased(rollout)(verdict)
        ? offer(input, verdict)
        : keptBack(input, application, before, cluster, undefined);
    default:
      return unreachable(verdict, "verdict");
  }
}

/** While a set goes step by step, the statuses of what goes tell when it is gone. */
function stillLeaving(
  input: PlanInput,
  now: readonly PublishedApplication[],
): OriginPlan["rollout"] {
  if (input.rollout?.strategy.deletesInReverse !== true) return [];
  const { statuses, leaving } = input.rollout;
  const going = new Set(now.map(({ draft }) => draft.name));
  const present = new Set(input.before.map(({ draft }) => draft.name));
  return statuses.filter(
    ({ application }) =>
      going.has(application) || leaving.has(application) || present.has(application),
  );
}
