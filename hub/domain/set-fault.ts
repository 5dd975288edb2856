import type { Flaw } from "./generate.ts";
import { codes, type ProblemDraft } from "./problem.ts";

/** What kind of thing went wrong with a set, as Argo CD names it. */
export const faultReasons = [
  /** A generator gave nothing, or the set itself cannot be read. */
  "ApplicationGenerationFromParamsError",
  /** A template or patch failed with what a generator gave. */
  "RenderTemplateParamsError",
  /** An application was generated that may not be. */
  "ApplicationValidationError",
  /** An application cannot be given to its cluster as Git wants it. */
  "UpdateApplicationError",
  /** An application that is not wanted any more stays. */
  "DeleteApplicationError",
] as const;

export type FaultReason = (typeof faultReasons)[number];

/** Something of a set that is not as it should be. */
export type SetFault = { readonly reason: FaultReason; readonly problem: ProblemDraft };

export const fault = (reason: FaultReason, problem: ProblemDraft): SetFault => ({
  reason,
  problem,
});

const templateCodes: ReadonlySet<string> = new Set([
  codes.badTemplate,
  codes.templateFailed,
  codes.templateLimit,
  codes.badTemplatePatch,
]);

/** Not all elements of a set became applications. */
export const generationFault = (problem: ProblemDraft): SetFault =>
  fault(
    templateCodes.has(problem.code)
      ? "RenderTemplateParamsError"
      : "ApplicationGenerationFromParamsError",
    problem,
  );

export const faultOfFlaw = ({ kind, problem }: Flaw): SetFault =>
  kind === "generation" ? generationFault(problem) : fault("ApplicationValidationError", problem);

/** Why not every element became an application; `undefined`: every one did. */
export const ungeneratedBy = (flaws: readonly Flaw[]): ProblemDraft | undefined =>
  severalAsOne(flaws.filter(({ kind }) => kind === "generation").map(faultOfFlaw))?.problem;

/** Several are told by the first of them, and how many more there are. */
export function severalAsOne(faults: readonly SetFault[]): SetFault | undefined {
  const [first, ...others] = faults;
  if (first === undefined || others.length === 0) return first;
  const { code, message } = first.problem;
  return fault(first.reason, { code, message: `${message} (and ${others.length} more)` });
}
