import { unreachable } from "../../../proto/kit/unreachable.ts";
import type { Admission } from "../admission.ts";
import { describeOrigin, sameOrigin, type Origin } from "../origin.ts";
import type { FleetEventDraft, PublishedApplication } from "../records.ts";
import type { ApplicationOutcome, LeftApplication, Planning } from "./input.ts";
import { leftToAnotherProject, notTakenOver } from "./problems.ts";
import { judge, type PublishVerdict } from "./verdict.ts";
import type { ProblemDraft } from "../problem.ts";

/** What becomes of an application that was left behind when an origin wants its name. */
export type Takeover =
  | { readonly kind: "taken"; readonly verdict: PublishVerdict }
  /** Not this time. */
  | { readonly kind: "denied"; readonly problem: ProblemDraft }
  | { readonly kind: "of-another-project"; readonly problem: ProblemDraft };

/**
 * Decides whether an origin takes over what was left behind under a name it wants. From then on it is as if the
 * origin had made it. What could not be offered takes nothing, so that a slip changes nothing; nor does what is of
 * another project: a project may not let go of objects that it may not touch. Of what goes with its origin nothing
 * is taken while `hiding` may hide that the rest is wanted too: taking a part would let the rest go.
 */
export function takeOver(
  outcome: ApplicationOutcome,
  { published, goes }: LeftApplication,
  taker: { readonly origin: Origin; readonly hiding: ProblemDraft | undefined },
  admits: Admission,
): Takeover {
  const { project } = outcome.application;
  if (project !== published.draft.project)
    return {
      kind: "of-another-project",
      problem: leftToAnotherProject(published.draft, taker.origin, project),
    };
  const denied = (because: ProblemDraft): Takeover => ({
    kind: "denied",
    problem: notTakenOver(published.draft, because),
  });
  if (goes && taker.hiding !== undefined) return denied(taker.hiding);
  const verdict = judge(outcome, published, admits);
  switch (verdict.kind) {
    case "publish":
      return { kind: "taken", verdict };
    case "keep":
      return denied(verdict.problem);
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
