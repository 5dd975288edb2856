import { fail, ok, type Result } from "../../../proto/kit/result.ts";
import type { ApplicationSet } from "../../../hub/domain/application-set.ts";
import { applicationTemplate } from "../../../hub/domain/application-template.ts";
import type { JsonObject } from "../../../hub/domain/document.ts";
import type { Facts } from "../../../hub/domain/facts.ts";
import type { GenerateNeeds } from "../../../hub/domain/generate.ts";
import type { GeneratorContext } from "../../../hub/domain/generators/context.ts";
import { runEntry } from "../../../hub/domain/generators/index.ts";
import type { Params } from "../../../hub/domain/params.ts";
import type { ProblemDraft } from "../../../hub/domain/problem.ts";
import { Templates } from "../../../hub/domain/render-template.ts";

/** Generation as Argo CD does it, in the order of the generators: the first failure is everybody's. */

type Strictly<T> = Result<T, ProblemDraft>;

export const strictContext = (
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): GeneratorContext => ({
  set: set.name,
  facts,
  needs,
  templates: new Templates(set, needs),
  wants: () => {},
  spare: undefined,
});

/** The documents of a set's Applications, made as they are taken. Behind a failure there are no more. */
export function* documentsOf(
  set: ApplicationSet,
  context: GeneratorContext,
): Iterable<Strictly<JsonObject>> {
  for (const entry of set.generators) {
    const generated = runEntry(entry, context);
    if (!generated.ok) {
      yield generated;
      return;
    }
    for (const { sets, template } of generated.value) {
      const made = applicationTemplate(set, template, context.templates, context.needs);
      for (const params of sets) {
        const document = made.application(params);
        yield document;
        if (!document.ok) return;
      }
    }
  }
}

/** All of them, or the first reason why not. */
export function generateDocuments(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Strictly<readonly JsonObject[]> {
  const documents: JsonObject[] = [];
  for (const document of documentsOf(set, strictContext(set, facts, needs))) {
    if (!document.ok) return fail(document.problem);
    documents.push(document.value);
  }
  return ok(documents);
}

/** The params that a set's generators give, entry after entry, or the first reason why not. */
export function generateParams(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Strictly<readonly Params[]> {
  const context = strictContext(set, facts, needs);
  const all: Params[] = [];
  for (const entry of set.generators) {
    const generated = runEntry(entry, context);
    if (!generated.ok) return generated;
    for (const { sets } of generated.value) for (const params of sets) all.push(params);
  }
  return ok(all);
}
