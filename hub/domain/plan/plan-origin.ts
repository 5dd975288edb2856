import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { TombstoneCause } from "../../../proto/words/desired.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import { admission } from "../admission.ts";
import { isHiding, mayHide, type Flaw } from "../generate.ts";
import { heldRemovals } from "./held-removals.ts";
import type {
  ApplicationOutcome,
  LeftApplication,
  OriginPlan,
  PlanInput,
  PlannedStep,
  Planning,
  Step,
} from "./input.ts";
import { sameOrigin } from "../origin.ts";
import { keptThoughGone, nameTaken, originEvents, removalsHeld } from "./problems.ts";
import { isReleased, nextToRemove, planRollout, type RolloutPlan } from "./rollout.ts";
import { kept, keptBack, offer, removal } from "./steps.ts";
import { takeOver } from "./takeover.ts";
import { judge, type Verdict } from "./verdict.ts";
import { problemSince, type ProblemDraft } from "../problem.ts";
import type { ClusterFact } from "../facts.ts";
import type { PublishedApplication } from "../records.ts";
import {
  fault,
  faultOfFlaw,
  generationFault,
  severalAsOne,
  ungeneratedBy,
  type SetFault,
} from "../set-fault.ts";
import { setConditions } from "../set-status.ts";
import { mapInSlices, seeInSlices, type Sliced } from "../sliced.ts";

/**
 * Decides what publishing an origin's outcome changes. Nothing that fails changes what a cluster is offered.
 * In slices: a set may have hundreds of thousands of applications.
 */
export function* planOrigin(input: PlanInput): Sliced<OriginPlan> {
  const { outcome, origin } = input;
  const planning: Planning = {
    ...input,
    clustersById: new Map(input.clusters.map((cluster) => [cluster.id, cluster])),
  };
  switch (outcome.kind) {
    case "failed":
      return planFailure(planning, outcome.problem);
    case "removed":
      return yield* planWanted(
        planning,
        [],
        [],
        origin.kind === "application" ? "removed-from-git" : "set-removed",
      );
    case "generated":
      return yield* planWanted(
        planning,
        outcome.applications,
        outcome.flaws,
        origin.kind === "application" ? "removed-from-git" : "no-longer-generated",
      );
    default:
      return unreachable(outcome, "origin outcome");
  }
}

/** Everything stays as it is offered; only the reason is written down. */
function planFailure(input: Planning, draft: ProblemDraft): OriginPlan {
  const failure = problemSince(draft, input.problemBefore, input.nowMs);
  // A plain Application has no row of its own besides its application's.
  const affected = input.origin.kind === "application" ? input.before : [];
  return {
    steps: affected.map((published) => ({ ...kept(input, published, draft), cluster: undefined })),
    events: originEvents(input, failure),
    problem: failure,
    conditions: setConditions(
      { fault: generationFault(draft), ungenerated: draft, rollout: { kind: "as-before" } },
      input.conditionsBefore,
      input.nowMs,
    ),
    isSettled: false,
    denied: [],
    held: [],
    isRowNeeded: true,
    rollout: input.rollout?.statuses ?? [],
  };
}

function* planWanted(
  input: Planning,
  wanted: readonly ApplicationOutcome[],
  flaws: readonly Flaw[],
  cause: TombstoneCause,
): Sliced<OriginPlan> {
  const own = yield* withoutLostClusters(input, input.before);
  const ownByName = new Map<ApplicationName, PublishedApplication>();
  yield* seeInSlices(own, (published) => ownByName.set(published.draft.name, published));
  const { verdicts, taken, denied, faults } = yield* judged(input, wanted, flaws, ownByName);
  const before = taken.length === 0 ? own : [...own, ...taken];
  const wantedNames = new Set<ApplicationName>();
  yield* seeInSlices(wanted, ({ application }) => wantedNames.add(application.name));
  const flawed = flawedApplications(flaws, wantedNames, ownByName);
  yield;
  const rollout =
    input.rollout === undefined || input.outcome.kind !== "generated"
      ? undefined
      : yield* planRollout(
          input.rollout,
          verdicts,
          [...flawed.values()].map(({ published }) => published),
          input.nowMs,
        );

  const unwanted: PublishedApplication[] = [];
  yield* seeInSlices(before, (published) => {
    const { name } = published.draft;
    if (!wantedNames.has(name) && !flawed.has(name)) unwanted.push(published);
  });
  // Behind a failure may be any of them, and some sets never let go of what they made.
  const gone = input.keepsBecause === undefined && !mayHide(flaws) ? unwanted : [];
  const keptProblem = problemOfKept(input, unwanted.length);
  if (keptProblem !== undefined) faults.push(fault("DeleteApplicationError", keptProblem));
  const held = yield* heldRemovals(input, { own, taken, gone, verdicts, rollout });
  const heldNames = new Set(held);
  const heldProblem = removalsHeld(held);
  if (held.length > 0) faults.push(fault("DeleteApplicationError", heldProblem));
  const going = gone.filter(({ draft }) => !heldNames.has(draft.name));
  const now =
    input.outcome.kind === "removed" && input.rollout?.strategy.deletesInReverse === true
      ? nextToRemove(input.rollout, going)
      : going;

  const tasks = new Tasks();
  // Before what the origin gains: whoever is stopped in between must not find that it has grown, and not know that
  // these wait.
  yield* seeInSlices(before, (published) => {
    if (heldNames.has(published.draft.name))
      tasks.add({ kind: "keep", published, problem: heldProblem });
  });
  // A plain Application has no row that could say so.
  if (keptProblem !== undefined && input.origin.kind === "application")
    for (const published of unwanted) tasks.add({ kind: "keep", published, problem: keptProblem });
  for (const { published, problem } of flawed.values())
    tasks.add({ kind: "keep", published, problem });
  const refused: SetFault[] = [];
  yield* seeInSlices(verdicts, (verdict) => {
    if (verdict.kind === "keep") refused.push(verdict);
    if (!heldNames.has(verdict.application.name)) tasks.add({ kind: "publish", verdict });
  });
  yield* seeInSlices(now, (published) => tasks.add({ kind: "remove", published, cause }));
  // Of what is refused the last by name is told, as in Argo CD.
  const whole = severalAsOne([...flaws.map(faultOfFlaw), ...faults, ...refused.toReversed()]);
  const originProblem = problemSince(whole?.problem, input.problemBefore, input.nowMs);
  const statuses = rollout?.statuses ?? stillLeaving(input, now);
  return {
    steps: tasks.steps((task) => stepOf(input, task, rollout)),
    events: originEvents(input, originProblem),
    problem: originProblem,
    conditions: setConditions(
      {
        fault: whole,
        ungenerated: ungeneratedBy(flaws),
        rollout:
          input.rollout === undefined
            ? undefined
            : { kind: "known", statuses, issue: rollout?.issue },
      },
      input.conditionsBefore,
      input.nowMs,
    ),
    // What an application is refused for is among the inputs.
    isSettled: flaws.length === 0 && faults.length === 0,
    denied,
    held,
    isRowNeeded: unwanted.length > now.length,
    rollout: statuses,
  };
}

const problemOfKept = (
  { origin, outcome, keepsBecause }: PlanInput,
  count: number,
): ProblemDraft | undefined =>
  keepsBecause === undefined || outcome.kind !== "removed" || count === 0
    ? undefined
    : keptThoughGone(origin, count, keepsBecause);

/** What is to be done about an application, before it is worked out to what is written. */
type Task =
  | { readonly kind: "publish"; readonly verdict: Verdict }
  | {
      readonly kind: "keep";
      readonly published: PublishedApplication;
      readonly problem: ProblemDraft;
    }
  | {
      readonly kind: "remove";
      readonly published: PublishedApplication;
      readonly cause: TombstoneCause;
    };

/** Tasks by the cluster whose desired set they are about. */
class Tasks {
  readonly #byCluster = new Map<ClusterId | undefined, Task[]>();

  add(task: Task): void {
    const cluster = clusterOf(task);
    const together = this.#byCluster.get(cluster);
    if (together === undefined) this.#byCluster.set(cluster, [task]);
    else together.push(task);
  }

  /** Works each out when it is taken. */
  steps(workOut: (task: Task) => Step): Iterable<PlannedStep> {
    const byCluster = this.#byCluster;
    return {
      *[Symbol.iterator]() {
        for (const [cluster, tasks] of byCluster)
          for (const task of tasks) yield { ...workOut(task), cluster };
      },
    };
  }
}

/** What leaves a cluster is of that cluster, wherever it goes: there something may take over its objects. */
function clusterOf(task: Task): ClusterId | undefined {
  switch (task.kind) {
    case "publish":
      return task.verdict.before?.desired?.cluster ?? task.verdict.cluster?.id;
    case "keep":
      return undefined;
    case "remove":
      return task.published.desired?.cluster;
    default:
      return unreachable(task, "task");
  }
}

function stepOf(input: Planning, task: Task, rollout: RolloutPlan | undefined): Step {
  switch (task.kind) {
    case "publish":
      return publishVerdict(input, task.verdict, rollout);
    case "keep":
      return kept(input, task.published, task.problem);
    case "remove":
      return removal(input, task.published, task.cause);
    default:
      return unreachable(task, "task");
  }
}

/** What was published, without what was in clusters that have left the hub. */
const withoutLostClusters = (
  { clustersById }: Planning,
  published: readonly PublishedApplication[],
): Sliced<readonly PublishedApplication[]> =>
  mapInSlices(published, (one) => withoutLostCluster(one, clustersById));

type Judged = {
  readonly verdicts: readonly Verdict[];
  /** What is taken over by them. */
  readonly taken: readonly PublishedApplication[];
  readonly denied: readonly ApplicationName[];
  /** What else stands in the way. */
  readonly faults: SetFault[];
};

function* judged(
  input: Planning,
  wanted: readonly ApplicationOutcome[],
  flaws: readonly Flaw[],
  own: ReadonlyMap<ApplicationName, PublishedApplication>,
): Sliced<Judged> {
  const { origin, owners } = input;
  const admits = admission(input.clusters, input.projects);
  const leftBehind = new Map<ApplicationName, LeftApplication>();
  yield* seeInSlices(input.leftBehind, ({ published, goes }) =>
    leftBehind.set(published.draft.name, {
      published: withoutLostCluster(published, input.clustersById),
      goes,
    }),
  );
  const hiding = flaws.find(isHiding)?.problem;
  // Behind a name that failed is an application that is wanted.
  const denied = flaws.flatMap(({ application: name }) =>
    name !== undefined && leftBehind.has(name) ? [name] : [],
  );
  const faults: SetFault[] = [];
  const inTheWay = (because: ProblemDraft): void => {
    faults.push(fault("UpdateApplicationError", because));
  };
  const taken: PublishedApplication[] = [];
  const verdicts: Verdict[] = [];
  yield* seeInSlices(wanted, (outcome) => {
    const { name } = outcome.application;
    const before = own.get(name);
    const owner = owners.get(name);
    const left = leftBehind.get(name);
    if (before !== undefined || owner === undefined || sameOrigin(owner, origin))
      verdicts.push(judge(outcome, before, admits));
    else if (left === undefined) inTheWay(nameTaken(name, owner, origin));
    else {
      const takeover = takeOver(outcome, left, { origin, hiding }, admits);
      switch (takeover.kind) {
        case "taken":
          verdicts.push(takeover.verdict);
          taken.push(left.published);
          break;
        case "denied":
          denied.push(name);
          inTheWay(takeover.problem);
          break;
        case "of-another-project":
          inTheWay(takeover.problem);
          break;
        default:
          unreachable(takeover, "takeover");
      }
    }
  });
  return { verdicts, taken, denied, faults };
}

type Flawed = { readonly published: PublishedApplication; readonly problem: ProblemDraft };

/** Applications whose element failed this time, each with its reason. */
function flawedApplications(
  flaws: readonly Flaw[],
  wanted: ReadonlySet<ApplicationName>,
  before: ReadonlyMap<ApplicationName, PublishedApplication>,
): ReadonlyMap<ApplicationName, Flawed> {
  const found = new Map<ApplicationName, Flawed>();
  for (const { application, problem } of flaws) {
    const published = application === undefined ? undefined : before.get(application);
    if (application === undefined || published === undefined || wanted.has(application)) continue;
    if (!found.has(application)) found.set(application, { published, problem });
  }
  return found;
}

/** A cluster that left the hub has taken its desired set along; nothing is offered there any more. */
function withoutLostCluster(
  published: PublishedApplication,
  known: ReadonlyMap<ClusterId, ClusterFact>,
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

function publishVerdict(input: Planning, verdict: Verdict, rollout: RolloutPlan | undefined): Step {
  const { application, before, cluster } = verdict;
  switch (verdict.kind) {
    case "keep":
      return keptBack(input, application, before, cluster, verdict.problem);
    case "publish":
      return isReleased(verdict, rollout)
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
