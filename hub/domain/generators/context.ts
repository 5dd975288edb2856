import { fail, type Result } from "../../../proto/kit/result.ts";
import type { Facts, RepositoryNeed } from "../facts.ts";
import type { GenerateNeeds } from "../generate.ts";
import type { Params } from "../params.ts";
import { codes, problem, type ProblemDraft } from "../problem.ts";
import type { Templates } from "../render-template.ts";

/** Elements of one set: a thousand clusters with two hundred directories each. */
export const elementsByDefault = 200_000;

/** What every generator is given besides its own fields. */
export type GeneratorContext = {
  /** Name of the set. */
  readonly set: string;
  readonly facts: Facts;
  readonly templates: Templates;
  readonly needs: GenerateNeeds;
  /** Notes what is asked of a repository, whether it is there or not. */
  readonly wants: (repository: RepositoryNeed) => void;
  /**
   * Takes note of one element that fails, so that the others go on. `undefined` where an element that is
   * missing would change what becomes of the others: there the first failure is the generator's.
   */
  readonly spare: ((flaw: ProblemDraft) => void) | undefined;
};

export type ParamsResult = Result<readonly Params[], ProblemDraft>;

/** The same where sets may be made one by one as they are taken. They can be gone through once. */
export type GradualParams = Result<Iterable<Params>, ProblemDraft>;

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

/** The same context with words in front of every flaw that is spared. */
export const sparingWithin = (words: string, context: GeneratorContext): GeneratorContext => {
  const { spare } = context;
  if (spare === undefined) return context;
  return { ...context, spare: (flaw) => spare(within(words, flaw).problem) };
};
