import { fail, ok, type Result } from "../../proto/kit/result.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { DesiredApplication, SyncPolicy, TombstoneCause } from "../../proto/words/desired.ts";
import { canonicalJson, type Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId, Generation } from "../../proto/words/ids.ts";
import { defaultProject, projectAllows, type AppProject } from "./app-project.ts";
import type { Application } from "./application.ts";
import type { ClusterFact } from "./facts.ts";
import { codes, problem, problemSince, type ProblemDraft } from "./problem.ts";
import type {
  ApplicationChange,
  ApplicationDraft,
  FleetEventDraft,
  Origin,
  Problem,
  PublishedApplication,
  TombstoneDraft,
} from "./records.ts";
import { consentAnnotation, waitsForConsent, type ShrinkLimits } from "./shrink-guard.ts";

/** A rendering that succeeded. */
export type Rendered = {
  /** The commit of its source that was rendered. */
  readonly revision: string;
  readonly bundle: Digest;
  readonly objects: number;
};

export type ApplicationOutcome = {
  readonly application: Application;
  readonly rendered: Result<Rendered, ProblemDraft>;
};

/** What became of an origin at a commit. */
export type OriginOutcome =
  | { readonly kind: "generated"; readonly applications: readonly ApplicationOutcome[] }
  /** It could not be read or generated: everything it had stays. */
  | { readonly kind: "failed"; readonly problem: ProblemDraft }
  /** It is gone from Git. */
  | { readonly kind: "removed" };

export type PlanInput = {
  readonly origin: Origin;
  readonly outcome: OriginOutcome;
  /** What the origin has published. */
  readonly before: readonly PublishedApplication[];
  /** The problem on the origin itself (the set's row) from before. */
  readonly problemBefore: Problem | undefined;
  /** Every registered cluster. */
  readonly clusters: readonly ClusterFact[];
  /** By name. `default` need not be among them. */
  readonly projects: ReadonlyMap<string, AppProject>;
  /** Who has the names that the outcome wants, as far as they are taken. */
  readonly owners: ReadonlyMap<ApplicationName, Origin>;
  /** The largest generation an application had in a cluster that has forgotten it since, by `generationKey`. */
  readonly generationFloor: ReadonlyMap<string, Generation>;
  /** Whether someone agreed to removals beyond the limits. */
  readonly consent: boolean;
  readonly shrink: ShrinkLimits;
  /** Who causes this: the commit of the fleet repository, or a token's name. */
  readonly actor: string;
  readonly trace: string;
  readonly nowMs: number;
};

export type OriginPlan = {
  readonly changes: readonly ApplicationChange[];
  readonly events: readonly FleetEventDraft[];
  /** What the origin's own row should say. */
  readonly problem: Problem | undefined;
  /** Applications whose removal waits for consent. When the origin is removed and this is not empty, its row stays. */
  readonly held: readonly ApplicationName[];
};

export const generationKey = (cluster: ClusterId, application: ApplicationName): string =>
  `${cluster} ${application}`;

/** A question that is asked of many applications: to which cluster may this one go? */
export type Admission = (application: Application) => Result<ClusterFact, ProblemDraft>;

/** Prepares `admit` for many applications of one fleet. */
export function admission(
  clusters: readonly ClusterFact[],
  projects: ReadonlyMap<string, AppProject>,
): Admission {
  const byName = new Map<string, ClusterFact>(clusters.map((cluster) => [cluster.name, cluster]));
  const byServer = new Map(clusters.map((cluster) => [plainServer(cluster.server), cluster]));
  return (application) => {
    if (application.problem !== undefined) return fail(application.problem);
    const { name, server } = application.destination;
    const cluster = name === "" ? byServer.get(plainServer(server)) : byName.get(name);
    if (cluster === undefined) return fail(unknownCluster(name, server));
    const project =
      projects.get(application.project) ??
      (application.project === defaultProject.name ? defaultProject : undefined);
    if (project === undefined)
      return fail(
        problem(
          codes.unknownProject,
          `application references project ${JSON.stringify(application.project)}, which does not exist`,
        ),
      );
    const allowed = projectAllows(project, application, cluster);
    return allowed.ok ? ok(cluster) : allowed;
  };
}

/** The cluster an application goes to, or why it cannot be offered: ask before rendering, `planOrigin` asks again. */
export const admit = (
  application: Application,
  clusters: readonly ClusterFact[],
  projects: ReadonlyMap<string, AppProject>,
): Result<ClusterFact, ProblemDraft> => admission(clusters, projects)(application);

const plainServer = (server: string): string => server.replace(/\/+$/, "");

const unknownCluster = (name: string, server: string): ProblemDraft =>
  problem(
    codes.unknownCluster,
    name === ""
      ? `there is no cluster with the server ${JSON.stringify(server)} (spec.destination.server)`
      : `there is no cluster named ${JSON.stringify(name)} (spec.destination.name)`,
  );

/** Decides what publishing an origin's outcome changes. Nothing that fails changes what a cluster is offered. */
export function planOrigin(input: PlanInput): OriginPlan {
  const { outcome } = input;
  switch (outcome.kind) {
    case "failed":
      return planFailure(input, outcome.problem);
    case "removed":
      return planWanted(
        input,
        [],
        input.origin.kind === "application" ? "removed-from-git" : "set-removed",
      );
    case "generated":
      return planWanted(
        input,
        outcome.applications,
        input.origin.kind === "application" ? "removed-from-git" : "no-longer-generated",
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
  };
}

type Step = {
  readonly changes: readonly ApplicationChange[];
  readonly events: readonly FleetEventDraft[];
};

const nothing: Step = { changes: [], events: [] };

function planWanted(
  input: PlanInput,
  wanted: readonly ApplicationOutcome[],
  cause: TombstoneCause,
): OriginPlan {
  const known = new Set(input.clusters.map((cluster) => cluster.id));
  const before = input.before.map((published) => withoutLostCluster(published, known));
  const beforeByName = new Map(before.map((published) => [published.draft.name, published]));
  const admits = admission(input.clusters, input.projects);
  const problems: ProblemDraft[] = [];

  const verdicts: Verdict[] = [];
  const wantedNames = new Set<ApplicationName>();
  for (const outcome of wanted) {
    const { name } = outcome.application;
    wantedNames.add(name);
    const owner = input.owners.get(name);
    if (owner !== undefined && !sameOrigin(owner, input.origin) && !beforeByName.has(name))
      problems.push(nameTaken(name, owner, input.origin));
    else verdicts.push(judge(outcome, beforeByName.get(name), admits));
  }
  const gone = before.filter(({ draft }) => !wantedNames.has(draft.name));

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
  const held =
    !input.consent && waitsForConsent(shrinkage, input.shrink)
      ? deletes.map(({ draft }) => draft.name).toSorted()
      : [];
  const heldNames = new Set(held);
  const heldProblem = removalsHeld(held);
  if (held.length > 0) problems.push(heldProblem);

  const steps = [
    ...verdicts.map((verdict) =>
      verdict.before !== undefined && heldNames.has(verdict.before.draft.name)
        ? kept(input, verdict.before, heldProblem)
        : publishVerdict(input, verdict),
    ),
    ...gone.map((published) =>
      heldNames.has(published.draft.name)
        ? kept(input, published, heldProblem)
        : removal(input, published, cause),
    ),
  ];
  const originProblem = problemSince(severalAsOne(problems), input.problemBefore, input.nowMs);
  return {
    changes: steps.flatMap((step) => step.changes),
    events: [...steps.flatMap((step) => step.events), ...originEvents(input, originProblem)],
    problem: originProblem,
    held,
  };
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

/** What is to be done about one application that Git wants. */
type Verdict = {
  readonly application: Application;
  readonly before: PublishedApplication | undefined;
  readonly cluster: ClusterFact | undefined;
} & (
  | { readonly kind: "publish"; readonly cluster: ClusterFact; readonly rendered: Rendered }
  | { readonly kind: "keep"; readonly problem: ProblemDraft }
);

function judge(
  { application, rendered }: ApplicationOutcome,
  before: PublishedApplication | undefined,
  admits: Admission,
): Verdict {
  const admitted = admits(application);
  const cluster = admitted.ok ? admitted.value : undefined;
  const keep = (because: ProblemDraft): Verdict => ({
    kind: "keep",
    application,
    before,
    cluster,
    problem: because,
  });
  if (!admitted.ok) return keep(admitted.problem);
  if (!rendered.ok) return keep(rendered.problem);
  const objectsBefore = before?.desired === undefined ? 0 : before.draft.objects;
  if (rendered.value.objects === 0 && objectsBefore > 0 && !application.policy.allowEmpty)
    return keep(
      problem(
        codes.wouldBecomeEmpty,
        `the application would lose all of its ${objectsBefore} objects at revision ${rendered.value.revision}; ` +
          "the last good bundle is kept (spec.syncPolicy.automated.allowEmpty permits this)",
      ),
    );
  return {
    kind: "publish",
    application,
    before,
    cluster: admitted.value,
    rendered: rendered.value,
  };
}

const moves = (verdict: Verdict): boolean =>
  verdict.kind === "publish" &&
  verdict.before?.desired !== undefined &&
  verdict.before.desired.cluster !== verdict.cluster.id;

function publishVerdict(input: PlanInput, verdict: Verdict): Step {
  switch (verdict.kind) {
    case "keep":
      return keptBack(input, verdict.application, verdict.before, verdict.cluster, verdict.problem);
    case "publish":
      return offer(input, verdict);
    default:
      return unreachable(verdict, "verdict");
  }
}

function offer(input: PlanInput, verdict: Extract<Verdict, { readonly kind: "publish" }>): Step {
  const { application, before, cluster, rendered } = verdict;
  const current = before?.desired;
  const same =
    current !== undefined &&
    current.cluster === cluster.id &&
    sameOffer(current.entry, application, rendered);
  const entry: DesiredApplication = same
    ? current.entry
    : {
        application: application.name,
        generation: nextGeneration(input, application.name, cluster.id, before),
        revision: rendered.revision,
        bundle: rendered.bundle,
        project: application.project,
        destinationNamespace: application.destination.namespace,
        policy: application.policy,
        trace: input.trace,
      };
  const record: ApplicationDraft = {
    ...described(input.origin, application),
    revision: entry.revision,
    generation: entry.generation,
    bundle: rendered.bundle,
    objects: rendered.objects,
    clusterId: cluster.id,
    problem: undefined,
  };
  if (same && before !== undefined && sameDraft(before.draft, record)) return nothing;
  const leaves =
    before !== undefined && moves(verdict)
      ? tombstone(input, before, "destination-changed")
      : undefined;
  return {
    changes: [
      {
        kind: "write",
        record,
        desired: same ? undefined : { cluster: cluster.id, entry },
        leaves,
      },
    ],
    events: [
      {
        kind: before === undefined ? "application-created" : "application-changed",
        subject: application.name,
        cluster: cluster.name,
        message: offerSentence(application, cluster, before, entry, same),
      },
    ],
  };
}

function offerSentence(
  application: Application,
  cluster: ClusterFact,
  before: PublishedApplication | undefined,
  entry: DesiredApplication,
  same: boolean,
): string {
  const what = `generation ${entry.generation} of ${application.name}`;
  if (before?.desired === undefined) return `${what} is offered to ${cluster.name}`;
  if (before.desired.cluster !== cluster.id)
    return `${what} is offered to ${cluster.name}, and leaves the cluster it was in`;
  if (!same) return `${what} is offered to ${cluster.name} at revision ${entry.revision}`;
  return before.draft.problem === undefined
    ? `the description of ${application.name} changed; what is offered stays`
    : `the problem of ${application.name} is gone`;
}

/** Git wants something we cannot give: what is offered stays where it is, beside the reason. */
function keptBack(
  input: PlanInput,
  application: Application,
  before: PublishedApplication | undefined,
  cluster: ClusterFact | undefined,
  because: ProblemDraft,
): Step {
  const offered = before?.desired;
  const record: ApplicationDraft = {
    ...described(input.origin, application),
    // What is offered is removed by the rules it was offered under.
    keepObjects:
      offered === undefined
        ? application.keepObjects
        : (before?.draft.keepObjects ?? application.keepObjects),
    revision: before?.draft.revision ?? "",
    generation: before?.draft.generation ?? 0,
    bundle: before?.draft.bundle,
    objects: before?.draft.objects ?? 0,
    clusterId: offered?.cluster ?? cluster?.id,
    problem: problemSince(because, before?.draft.problem, input.nowMs),
  };
  return troubled(input, record, before);
}

/** The application stays exactly as it was, beside the reason. */
const kept = (input: PlanInput, published: PublishedApplication, because: ProblemDraft): Step =>
  troubled(
    input,
    {
      ...published.draft,
      problem: problemSince(because, published.draft.problem, input.nowMs),
    },
    published,
  );

function troubled(
  input: PlanInput,
  record: ApplicationDraft,
  before: PublishedApplication | undefined,
): Step {
  if (before !== undefined && sameDraft(before.draft, record)) return nothing;
  const isNew = !sameProblem(before?.draft.problem, record.problem);
  const cluster = input.clusters.find((candidate) => candidate.id === record.clusterId);
  return {
    changes: [{ kind: "write", record, desired: undefined, leaves: undefined }],
    events: isNew
      ? [
          {
            kind: "application-problem",
            subject: record.name,
            cluster: cluster?.name ?? "",
            message: record.problem?.message ?? "",
          },
        ]
      : [],
  };
}

function removal(input: PlanInput, published: PublishedApplication, cause: TombstoneCause): Step {
  const { name } = published.draft;
  const cluster = input.clusters.find((candidate) => candidate.id === published.desired?.cluster);
  return {
    changes: [
      {
        kind: "remove",
        name,
        tombstone: published.desired === undefined ? undefined : tombstone(input, published, cause),
      },
    ],
    events: [
      {
        kind: "application-removed",
        subject: name,
        cluster: cluster?.name ?? "",
        message: `${name} is removed: ${causeSentence(cause, input.origin)}`,
      },
    ],
  };
}

function causeSentence(cause: TombstoneCause, origin: Origin): string {
  switch (cause) {
    case "removed-from-git":
      return "it is gone from Git";
    case "no-longer-generated":
      return `${describeOrigin(origin)} no longer generates it`;
    case "set-removed":
      return `${describeOrigin(origin)} is gone from Git`;
    case "destination-changed":
      return "its destination changed";
    case "removed-by-command":
      return "it was removed by command";
    default:
      return unreachable(cause, "tombstone cause");
  }
}

function tombstone(
  input: PlanInput,
  published: PublishedApplication,
  cause: TombstoneCause,
): TombstoneDraft | undefined {
  const { desired, draft } = published;
  if (desired === undefined) return undefined;
  return {
    cluster: desired.cluster,
    application: draft.name,
    generation: nextGeneration(input, draft.name, desired.cluster, published),
    cause,
    actor: input.actor,
    keepObjects: draft.keepObjects,
  };
}

/** Larger than anything the application had, in this cluster or in the one it comes from. */
function nextGeneration(
  input: PlanInput,
  application: ApplicationName,
  cluster: ClusterId,
  before: PublishedApplication | undefined,
): Generation {
  const floor = input.generationFloor.get(generationKey(cluster, application)) ?? 0;
  return Math.max(floor, before?.draft.generation ?? 0, before?.desired?.entry.generation ?? 0) + 1;
}

const sameOffer = (
  entry: DesiredApplication,
  application: Application,
  rendered: Rendered,
): boolean =>
  entry.bundle === rendered.bundle &&
  entry.project === application.project &&
  entry.destinationNamespace === application.destination.namespace &&
  samePolicy(entry.policy, application.policy);

const samePolicy = (a: SyncPolicy, b: SyncPolicy): boolean =>
  canonicalJson({ ...a }) === canonicalJson({ ...b });

/** The part of a record that the Application itself says. */
const described = (
  origin: Origin,
  application: Application,
): Pick<
  ApplicationDraft,
  | "name"
  | "origin"
  | "project"
  | "labels"
  | "annotations"
  | "source"
  | "destination"
  | "policy"
  | "document"
  | "keepObjects"
> => ({
  name: application.name,
  origin,
  project: application.project,
  labels: application.labels,
  annotations: application.annotations,
  source: {
    repoURL: application.source.repoURL,
    path: application.source.path,
    targetRevision: application.source.targetRevision,
  },
  destination: application.destination,
  policy: application.policy,
  document: canonicalJson(application.document),
  keepObjects: application.keepObjects,
});

// Labels, destination and the like are read out of the document, so equal documents have equal ones.
const sameDraft = (a: ApplicationDraft, b: ApplicationDraft): boolean =>
  a.document === b.document &&
  a.revision === b.revision &&
  a.generation === b.generation &&
  a.bundle === b.bundle &&
  a.objects === b.objects &&
  a.clusterId === b.clusterId &&
  a.keepObjects === b.keepObjects &&
  samePolicy(a.policy, b.policy) &&
  sameProblem(a.problem, b.problem);

const sameProblem = (a: Problem | undefined, b: Problem | undefined): boolean =>
  a?.code === b?.code && a?.message === b?.message;

const sameOrigin = (a: Origin, b: Origin): boolean => a.kind === b.kind && a.name === b.name;

const describeOrigin = (origin: Origin): string =>
  origin.kind === "application-set"
    ? `ApplicationSet ${origin.name}`
    : `Application ${origin.name}`;

const nameTaken = (name: ApplicationName, owner: Origin, wants: Origin): ProblemDraft =>
  problem(
    codes.nameTaken,
    `the application name ${name} belongs to ${describeOrigin(owner)}; ${describeOrigin(wants)} cannot have it too`,
  );

const removalsHeld = (held: readonly ApplicationName[]): ProblemDraft => {
  const shown = held.slice(0, 5).join(", ");
  const more = held.length > 5 ? ` and ${held.length - 5} more` : "";
  return problem(
    codes.removalsHeld,
    `${held.length} applications would be removed from their clusters at once, which waits for consent ` +
      `(annotation ${consentAnnotation}: "true"): ${shown}${more}`,
  );
};

function severalAsOne(problems: readonly ProblemDraft[]): ProblemDraft | undefined {
  const [first, ...others] = problems;
  if (first === undefined || others.length === 0) return first;
  return { code: first.code, message: `${first.message} (and ${others.length} more)` };
}

function originEvents(input: PlanInput, now: Problem | undefined): readonly FleetEventDraft[] {
  if (input.origin.kind !== "application-set" || sameProblem(input.problemBefore, now)) return [];
  return [
    now === undefined
      ? {
          kind: "set-changed",
          subject: input.origin.name,
          cluster: "",
          message: `the problem of ApplicationSet ${input.origin.name} is gone`,
        }
      : { kind: "set-problem", subject: input.origin.name, cluster: "", message: now.message },
  ];
}
