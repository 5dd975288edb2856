import type { ApplicationName } from "../../../proto/words/ids.ts";
import type { PlanInput } from "./input.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import { describeOrigin, type Origin } from "../origin.ts";
import type { ApplicationDraft, FleetEventDraft, Problem } from "../records.ts";
import { consentAnnotation } from "../shrink-guard.ts";

export const sameProblem = (a: Problem | undefined, b: Problem | undefined): boolean =>
  a?.code === b?.code && a?.message === b?.message;

export const nameTaken = (name: ApplicationName, owner: Origin, wants: Origin): ProblemDraft =>
  problem(
    codes.nameTaken,
    `the application name ${name} belongs to ${describeOrigin(owner)}; ${describeOrigin(wants)} cannot have it too`,
  );

/** What was left behind goes to somebody of its own project only. */
export const leftToAnotherProject = (
  { name, origin: owner, project }: ApplicationDraft,
  wants: Origin,
  wantsAs: string,
): ProblemDraft =>
  problem(
    codes.nameTaken,
    `the application name ${name} belongs to ${describeOrigin(owner)} of project ${project}, which is gone from Git; ` +
      `${describeOrigin(wants)} is of project ${wantsAs} and cannot take it over`,
  );

/** Somebody names what was left behind, and says nothing that could be offered. */
export const notTakenOver = (
  { name, origin: owner }: ApplicationDraft,
  because: ProblemDraft,
): ProblemDraft => ({
  code: because.code,
  message: `${name} stays with ${describeOrigin(owner)}, which is gone from Git: ${because.message}`,
});

export const removalsHeld = (held: readonly ApplicationName[]): ProblemDraft => {
  const shown = held.slice(0, 5).join(", ");
  const more = held.length > 5 ? ` and ${held.length - 5} more` : "";
  return problem(
    codes.removalsHeld,
    `${held.length} applications would be removed from their clusters at once, which waits for consent ` +
      `(annotation ${consentAnnotation}: "true"): ${shown}${more}`,
  );
};

/** An origin was taken out of Git, and what it made stays. */
export const keptThoughGone = (origin: Origin, count: number, because: string): ProblemDraft =>
  problem(
    codes.keptThoughGone,
    `${describeOrigin(origin)} is gone from Git; ${count === 1 ? "its application stays" : `its ${count} applications stay`}, because ${because}`,
  );

export function originEvents(
  input: PlanInput,
  now: Problem | undefined,
): readonly FleetEventDraft[] {
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
