import { fail, type Result } from "../../../proto/kit/result.ts";
import type { Facts } from "../facts.ts";
import type { GenerateNeeds, RepositoryNeed } from "../generate.ts";
import type { Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import type { Templates } from "../render-template.ts";

/** What every generator is given besides its own fields. */
export type GeneratorContext = {
  readonly facts: Facts;
  readonly templates: Templates;
  readonly needs: GenerateNeeds;
  /** Notes that a repository's fact is asked for, whether it is there or not. */
  readonly wants: (repository: RepositoryNeed) => void;
};

export type Generation = Result<readonly Params[], ProblemDraft>;

export const generatorFailure = (
  message: string,
): { readonly ok: false; readonly problem: ProblemDraft } =>
  fail(problem(codes.generatorFailed, message));

/** The same problem, with words in front of its message that say where it was met. */
export const within = (
  words: string,
  inner: ProblemDraft,
): { readonly ok: false; readonly problem: ProblemDraft } =>
  fail(problem(inner.code, `${words}: ${inner.message}`));
