import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { DesiredApplication, TombstoneCause } from "../../../proto/words/desired.ts";
import { canonicalJson } from "../../../proto/words/digest.ts";
import type { Generation } from "../../../proto/words/ids.ts";
import type { Application } from "../application.ts";
import type { ClusterFact } from "../facts.ts";
import { describeOrigin, sameOrigin, type Origin } from "../origin.ts";
import type { Planning, Step } from "./input.ts";
import { sameProblem } from "./problems.ts";
import { takeoverEvents, takingOver } from "./takeover.ts";
import { isOffered, moves, samePolicy, type PublishVerdict } from "./verdict.ts";
import { problemSince, type ProblemDraft } from "../problem.ts";
import type {
  ApplicationDraft,
  FleetEventDraft,
  PublishedApplication,
  TombstoneDraft,
} from "../records.ts";

const nothing: Step = { changes: [], events: [] };

/**
 * What is written and told when an application goes out: nothing when all is as it was. An entry equal to the one
 * offered keeps its generation and moves nothing; where it leaves another cluster, a tombstone is left there.
 */
export function offer(input: Planning, verdict: PublishVerdict): Step {
  const { application, before, cluster, serviceAccount, rendered } = verdict;
  const current = before?.desired;
  const same = isOffered(verdict);
  const entry: DesiredApplication =
    same && current !== undefined
      ? current.entry
      : {
          application: application.name,
          generation: nextGeneration(before),
          revision: rendered.revision,
          bundle: rendered.bundle,
          project: application.project,
          destinationNamespace: application.destination.namespace,
          policy: application.policy,
          trace: input.trace,
          ...(serviceAccount === undefined ? {} : { serviceAccount }),
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
  const passes = takeoverEvents(input, before);
  const offered: FleetEventDraft = {
    kind: before === undefined ? "application-created" : "application-changed",
    subject: application.name,
    cluster: cluster.name,
    message: offerSentence(application, cluster, before, entry, same),
  };
  return {
    changes: [
      {
        kind: "write",
        record,
        desired: same ? undefined : { cluster: cluster.id, entry },
        leaves,
        ...takingOver(input, before),
      },
    ],
    events: same && passes.length > 0 ? passes : [...passes, offered],
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

/** Git wants something that is not offered yet: what is offered stays where it is, beside the reason if it is a problem. */
export function keptBack(
  input: Planning,
  application: Application,
  before: PublishedApplication | undefined,
  cluster: ClusterFact | undefined,
  because: ProblemDraft | undefined,
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

/** What is offered stays exactly as it was, beside the reason. */
export const kept = (
  input: Planning,
  published: PublishedApplication,
  because: ProblemDraft,
): Step =>
  troubled(
    input,
    {
      ...published.draft,
      origin: input.origin,
      problem: problemSince(because, published.draft.problem, input.nowMs),
    },
    published,
  );

function troubled(
  input: Planning,
  record: ApplicationDraft,
  before: PublishedApplication | undefined,
): Step {
  if (before !== undefined && sameDraft(before.draft, record)) return nothing;
  const isNew = record.problem !== undefined && !sameProblem(before?.draft.problem, record.problem);
  const cluster =
    record.clusterId === undefined ? undefined : input.clustersById.get(record.clusterId);
  return {
    changes: [
      {
        kind: "write",
        record,
        desired: undefined,
        leaves: undefined,
        ...takingOver(input, before),
      },
    ],
    events: [
      ...takeoverEvents(input, before),
      ...(isNew
        ? [
            {
              kind: "application-problem" as const,
              subject: record.name,
              cluster: cluster?.name ?? "",
              message: record.problem?.message ?? "",
            },
          ]
        : []),
    ],
  };
}

/** The application goes, with a tombstone where it is offered. */
export function removal(
  input: Planning,
  published: PublishedApplication,
  cause: TombstoneCause,
): Step {
  const { name } = published.draft;
  const cluster =
    published.desired === undefined ? undefined : input.clustersById.get(published.desired.cluster);
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
  input: Planning,
  published: PublishedApplication,
  cause: TombstoneCause,
): TombstoneDraft | undefined {
  const { desired, draft } = published;
  if (desired === undefined) return undefined;
  return {
    cluster: desired.cluster,
    application: draft.name,
    generation: nextGeneration(published),
    cause,
    actor: input.actor,
    keepObjects: draft.keepObjects,
  };
}

/**
 * Larger than anything the application has now, in this cluster or in the one it comes from. What it had in a cluster
 * before it left there the store remembers: recording raises a generation beyond that.
 */
const nextGeneration = (before: PublishedApplication | undefined): Generation =>
  Math.max(before?.draft.generation ?? 0, before?.desired?.entry.generation ?? 0) + 1;

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
  sameOrigin(a.origin, b.origin) &&
  a.revision === b.revision &&
  a.generation === b.generation &&
  a.bundle === b.bundle &&
  a.objects === b.objects &&
  a.clusterId === b.clusterId &&
  a.keepObjects === b.keepObjects &&
  samePolicy(a.policy, b.policy) &&
  sameProblem(a.problem, b.problem);
