import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import { applicationOf, resourcesFinalizer, type Application } from "./application.ts";
import { inApplicationShape } from "./application-shape.ts";
import type { ApplicationSet } from "./application-set.ts";
import { emptyObject, field, isList, isObject, type JsonObject } from "./document.ts";
import { repositoryFactKey, type Facts } from "./facts.ts";
import type { GeneratorContext } from "./generators/context.ts";
import { requeueSeconds, runEntry, smallest } from "./generators/index.ts";
import { overriddenTemplate } from "./override-template.ts";
import type { Params } from "./params.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { compileDocument, Templates, type DocumentTemplate } from "./render-template.ts";
import { patchedApplication } from "./template-patch.ts";

/** What generation needs from outside that is neither set nor fact. */
export type GenerateNeeds = {
  /** One YAML document as Go reads it (1.1 scalars, keys as text). Fails with a sentence. */
  readonly decodeYaml: (text: string) => Result<Json, string>;
};

export type RepositoryNeed = { readonly repoURL: string; readonly revision: string };

export type Generated = {
  /** Sorted by name. */
  readonly applications: readonly Application[];
  /** How soon to look again though nothing moved; `undefined`: no need. */
  readonly requeueAfterMs: number | undefined;
};

/**
 * The repositories whose RepositoryFact this set asks for, as far as `facts` tell: what one generator gives
 * may name the repository of the next. Gather what is missing and ask again, until nothing new comes.
 */
export function neededRepositories(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): readonly RepositoryNeed[] {
  const wanted = new Map<string, RepositoryNeed>();
  const context = contextOf(set, facts, needs, (repository) =>
    wanted.set(repositoryFactKey(repository.repoURL, repository.revision), repository),
  );
  // A generator that fails for want of a repository has said which one it wants.
  for (const entry of set.generators) runEntry(entry, context);
  return [...wanted.values()];
}

/** All Applications of a set, or the first reason why there are none. Never a part of them. */
export function generate(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Result<Generated, ProblemDraft> {
  if (Object.keys(set.template).length === 0)
    return fail(
      problem(codes.badApplicationSet, `ApplicationSet ${set.name}: spec.template is missing`),
    );
  const documents = generateDocuments(set, facts, needs);
  if (!documents.ok) return documents;
  const applications = new Map<string, Application>();
  for (const document of documents.value) {
    const application = applicationOf(document);
    if (!application.ok)
      return fail(
        problem(
          codes.badGeneratedApplication,
          `ApplicationSet ${set.name} generates an ${application.problem.message}`,
        ),
      );
    const { name } = application.value;
    if (applications.has(name))
      return fail(
        problem(
          codes.duplicateName,
          `ApplicationSet ${set.name} contains applications with duplicate name: ${name}`,
        ),
      );
    applications.set(name, application.value);
  }
  const seconds = smallest(
    set.generators.flatMap((entry) =>
      entry.generators.map((generator) => requeueSeconds(generator, requeueDefaults)),
    ),
  );
  return ok({
    applications: [...applications.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    requeueAfterMs: seconds === 0 ? undefined : seconds * 1000,
  });
}

/** Argo CD's. */
const requeueDefaults = { gitSeconds: 180, remoteSeconds: 1800 };

/** The documents of a set's Applications as its generators order them, neither named nor compared yet. */
export function generateDocuments(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Result<readonly JsonObject[], ProblemDraft> {
  const context = contextOf(set, facts, needs, () => {});
  const documents: JsonObject[] = [];
  for (const entry of set.generators) {
    const generated = runEntry(entry, context);
    if (!generated.ok) return generated;
    for (const { sets, template } of generated.value) {
      const render = applicationTemplate(set, template, context.templates, needs);
      for (const params of sets) {
        const document = render(params);
        if (!document.ok) return document;
        documents.push(document.value);
      }
    }
  }
  return ok(documents);
}

/** The params that a set's generators give, entry after entry. */
export function generateParams(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Result<readonly Params[], ProblemDraft> {
  const context = contextOf(set, facts, needs, () => {});
  const all: Params[] = [];
  for (const entry of set.generators) {
    const generated = runEntry(entry, context);
    if (!generated.ok) return generated;
    all.push(...generated.value.flatMap(({ sets }) => sets));
  }
  return ok(all);
}

const contextOf = (
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
  wants: GeneratorContext["wants"],
): GeneratorContext => ({ facts, needs, wants, templates: new Templates(set, needs) });

type RenderApplication = (params: Params) => Result<JsonObject, ProblemDraft>;

/** Prepares what is the same for all Applications of one generator. */
function applicationTemplate(
  set: ApplicationSet,
  override: JsonObject | undefined,
  templates: Templates,
  needs: GenerateNeeds,
): RenderApplication {
  const structure = inApplicationShape(
    templateStructure(overriddenTemplate(override, set.template)),
  );
  const render: DocumentTemplate = compileDocument(structure, templates);
  const patch = set.templatePatch === undefined ? undefined : templates.renderer(set.templatePatch);
  return (params) => {
    // Argo CD leaves everything as written when there is nothing to put in.
    const rendered = params.size === 0 ? ok<Json>(structure) : render(params);
    if (!rendered.ok) return rendered;
    let document = isObject(rendered.value) ? rendered.value : structure;
    if (params.size > 0) document = withDefaultFinalizer(document, set);
    if (patch !== undefined) {
      const text = patch(params);
      if (!text.ok) return text;
      const patched = patchedApplication(document, text.value, needs);
      if (!patched.ok) return patched;
      document = patched.value;
    }
    return ok(inApplicationShape(inNamespace(document, set.namespace)));
  };
}

/** The Application that a template describes: the parts of metadata a template may set, and the spec. */
export function templateStructure(template: JsonObject): JsonObject {
  const given = field(template, "metadata");
  const spec = field(template, "spec");
  const metadata = emptyObject();
  for (const key of ["name", "namespace", "labels", "annotations", "finalizers"]) {
    const value = isObject(given) ? (field(given, key) ?? null) : null;
    if (value !== null && !isEmptyComposite(value)) metadata[key] = value;
  }
  const application = emptyObject();
  application["apiVersion"] = "argoproj.io/v1alpha1";
  application["kind"] = "Application";
  application["metadata"] = metadata;
  application["spec"] = isObject(spec) ? spec : emptyObject();
  return application;
}

const isEmptyComposite = (value: Json): boolean =>
  isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;

/** Unless the set preserves resources, an Application without finalizers takes its objects along. */
export function withDefaultFinalizer(
  document: JsonObject,
  set: Pick<ApplicationSet, "preserveResourcesOnDeletion">,
): JsonObject {
  const metadata = field(document, "metadata");
  if (set.preserveResourcesOnDeletion || !isObject(metadata)) return document;
  const finalizers = field(metadata, "finalizers");
  if (isList(finalizers) && finalizers.length > 0) return document;
  return { ...document, metadata: { ...metadata, finalizers: [resourcesFinalizer] } };
}

function inNamespace(document: JsonObject, namespace: string): JsonObject {
  const metadata = field(document, "metadata");
  return { ...document, metadata: { ...(isObject(metadata) ? metadata : {}), namespace } };
}
