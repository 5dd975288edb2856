import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { Admission } from "../admission.ts";
import type { FleetEventDraft, Origin, PublishedApplication } from "../records.ts";
import type { ApplicationOutcome, Planning } from "./input.ts";
import { describeOrigin, leftToAnotherProject, notTakenOver, sameOrigin } from "./problems.ts";
import { judge, type PublishVerdict } from "./verdict.ts";
import type { ProblemDraft } from "../problem.ts";

/**
 * Decides whether an origin takes over what was left behind under a name it wants. From then on it is as if the
 * origin had made it. What could not be offered takes nothing, so that a slip changes nothing; nor does what is of
 * another project: a project may not let go of objects that it may not touch.
 */
export function takeOver(
  outcome: ApplicationOutcome,
  leftBehind: PublishedApplication,
  origin: Origin,
  admits: Admission,
): Result<PublishVerdict, ProblemDraft> {
  const { application } = outcome;
  if (application.project !== leftBehind.draft.project)
    return fail(leftToAnotherProject(leftBehind.draft, origin, application.project));
  const verdict = judge(outcome, leftBehind, admits);
  switch (verdict.kind) {
    case "publish":
      return ok(verdict);
    case "keep":
      return fail(notTakenOver(leftBehind.draft, verdict.problem));
    default:
      return unreachable(verdict, "verdict");
  }
}

/** Says in a change whose the application has been, when that is another. */
export function takingOver(
  input: Planning,
  before: PublishedApplication | undefined,
): { readonly takenFrom?: Origin } {
  const from = takenFrom(input, before);
  return from === undefined ? {} : { takenFrom: from };
}

/** What there is to tell when an application passes from one origin to another. */
export function takeoverEvents(
  input: Planning,
  before: PublishedApplication | undefined,
): readonly FleetEventDraft[] {
  const from = takenFrom(input, before);
  if (before === undefined || from === undefined) return [];
  const { draft, desired } = before;
  const cluster = desired === undefined ? undefined : input.clustersById.get(desired.cluster);
  return [
    {
      kind: "application-changed",
      subject: draft.name,
      cluster: cluster?.name ?? "",
      message: `${describeOrigin(input.origin)} takes over ${draft.name} from ${describeOrigin(from)}, which is gone from Git`,
    },
  ];
}

const takenFrom = (
  { origin }: Planning,
  before: PublishedApplication | undefined,
): Origin | undefined =>
  before === undefined || sameOrigin(before.draft.origin, origin) ? undefined : before.draft.origin;
