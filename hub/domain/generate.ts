import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Json } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import { applicationOf, type Application } from "./application.ts";
import type { ApplicationSet } from "./application-set.ts";
import { applicationTemplate } from "./application-template.ts";
import { field, isObject, type JsonObject } from "./document.ts";
import {
  answers,
  repositoryFactKey,
  RepositoryNeeds,
  type Facts,
  type RepositoryNeed,
} from "./facts.ts";
import { Flaws } from "./flaws.ts";
import { elementsByDefault, type GeneratorContext } from "./generators/context.ts";
import { runEntry } from "./generators/index.ts";
import { codes, problem, type ProblemDraft } from "./problem.ts";
import { Templates } from "./render-template.ts";
import { atOnce, seeInSlices, sortedInSlices, type Sliced } from "./sliced.ts";

/** What generation needs from outside that is neither set nor fact. */
export type GenerateNeeds = {
  /** One YAML document as Go reads it (1.1 scalars, keys as text). Fails with a sentence. */
  readonly decodeYaml: (text: string) => Result<Json, string>;
  /** ASCII for text in any script, as the slugs of Argo CD have it. */
  readonly transliterate: (text: string) => string;
  /** How many elements a set may have; `elementsByDefault` when it is left out. */
  readonly elementsMost?: number;
};

/** Something of a set that failed while the rest went on. */
export type Flaw = {
  /** `generation`: an element gave no application. `validation`: it gave one that cannot be. */
  readonly kind: "generation" | "validation";
  /** The application it would have become, where that can be told. */
  readonly application: ApplicationName | undefined;
  readonly problem: ProblemDraft;
};

export type Generated = {
  /** Sorted by name, no name twice. */
  readonly applications: readonly Application[];
  /** Elements, generators and names that failed. */
  readonly flaws: readonly Flaw[];
};

/** Whether an application that is missing beside this flaw may still be wanted, whatever its name. */
export const isHiding = ({ kind, application }: Flaw): boolean =>
  kind === "generation" || application === undefined;

/** Whether an application that is missing beside these flaws may still be wanted. */
export const mayHide = (flaws: readonly Flaw[]): boolean => flaws.some(isHiding);

/** What asking a set for its Applications comes to. */
export type GenerationOutcome =
  | { readonly kind: "generated"; readonly generated: Generated }
  /** The facts do not answer all it asks of repositories, as far as they tell: gather that and ask again. */
  | { readonly kind: "asks"; readonly repositories: readonly RepositoryNeed[] }
  /** The set itself can give nothing. */
  | { readonly kind: "failed"; readonly problem: ProblemDraft };

/**
 * What this set asks of repositories and `facts` do not answer yet, as far as they tell: what one generator
 * gives may name the repository of the next.
 */
export function neededRepositories(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): readonly RepositoryNeed[] {
  const asked = new Asked(facts);
  const context: GeneratorContext = {
    ...contextOf(set, facts, needs),
    wants: (need) => asked.add(need),
    spare: () => {},
  };
  // A generator that fails for want of a repository has said which one it wants.
  for (const entry of set.generators) {
    const generated = runEntry(entry, context);
    // Some sets are made, and some repositories asked for, only as they are taken.
    if (generated.ok) for (const { sets } of generated.value) for (const _ of sets);
  }
  return asked.unanswered();
}

/**
 * The Applications of a set. An element or generator that fails is a flaw and costs only itself; so does a
 * name that several elements give, which then none of them has. Fails when the set itself can give nothing.
 * What facts do not answer is a flaw of the generator that asked.
 */
export function generate(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Result<Generated, ProblemDraft> {
  const made = atOnce(generating(set, facts, needs, undefined));
  return made.kind === "generated"
    ? ok(made.generated)
    : fail(made.kind === "failed" ? made.problem : neverAsks());
}

function neverAsks(): never {
  throw new TypeError("a generation with its last facts asks for more");
}

/** The same in slices of a millisecond or so, and the facts may not be complete yet. */
export const generation = (
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
): Sliced<GenerationOutcome> => generating(set, facts, needs, new Asked(facts));

/** Elements in one slice of a generation: they take 5 to 20 microseconds each, */
const elementsPerSlice = 64;
/** unless their templates go a long way: steps of about 50 nanoseconds, */
const stepsPerSlice = 20_000;
/** or make much on it: characters of a few nanoseconds. */
const workPerSlice = 200_000;

function* generating(
  set: ApplicationSet,
  facts: Facts,
  needs: GenerateNeeds,
  asked: Asked | undefined,
): Sliced<GenerationOutcome> {
  if (Object.keys(set.template).length === 0)
    return {
      kind: "failed",
      problem: problem(
        codes.badApplicationSet,
        `ApplicationSet ${set.name}: spec.template is missing`,
      ),
    };
  const flaws = new Flaws();
  const named = new NamedApplications(set.name);
  const context = contextOf(set, facts, needs);
  const { budget } = context.templates;
  const { elementsMost = elementsByDefault } = needs;
  let elements = 0;
  let { stepsLeft, workLeft } = budget;
  const isLong = (): boolean =>
    stepsLeft - budget.stepsLeft > stepsPerSlice || workLeft - budget.workLeft > workPerSlice;
  for (const element of elementsIn(set, context, asked)) {
    elements += 1;
    if (elements > elementsMost) return { kind: "failed", problem: tooLarge(set, elementsMost) };
    if (elements % elementsPerSlice === 0 || isLong()) {
      ({ stepsLeft, workLeft } = budget);
      yield;
    }
    if (element.kind === "flaw") flaws.add(element.flaw);
    else if (element.kind === "document") named.add(element.document);
  }
  if (asked?.isAnswered === false) return { kind: "asks", repositories: asked.unanswered() };
  const { applications, flaws: nameFlaws } = yield* named.all();
  for (const flaw of nameFlaws) flaws.add(flaw);
  return { kind: "generated", generated: { applications, flaws: flaws.all() } };
}

const tooLarge = (set: ApplicationSet, elementsMost: number): ProblemDraft =>
  problem(
    codes.tooManyElements,
    `ApplicationSet ${set.name}: its generators give more than ${elementsMost} elements, which is the most a set may have here (set-elements-most)`,
  );

/** What is asked of repositories, and whether the facts answer it. */
class Asked {
  readonly #facts: Facts;
  readonly #needs = new RepositoryNeeds();
  isAnswered = true;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  add(need: RepositoryNeed): void {
    this.#needs.add(need);
    this.isAnswered &&= this.#answers(need);
  }

  unanswered(): readonly RepositoryNeed[] {
    return this.isAnswered ? [] : this.#needs.all().filter((need) => !this.#answers(need));
  }

  #answers(need: RepositoryNeed): boolean {
    const key = repositoryFactKey(need.repoURL, need.revision);
    if (this.#facts.unreadable?.has(key) === true) return true;
    const fact = this.#facts.repositories.get(key);
    return fact !== undefined && answers(fact, need);
  }
}

/** Reads what a set's elements came to, by name. What has no name, or one that others have too, is a flaw. */
class NamedApplications {
  readonly #set: string;
  readonly #found: Application[] = [];
  readonly #flaws = new Flaws();

  constructor(set: string) {
    this.#set = set;
  }

  add(document: JsonObject): void {
    const application = applicationOf(document);
    if (application.ok) this.#found.push(application.value);
    else
      this.#flaws.add({
        kind: "validation",
        application: undefined,
        problem: unnamed(this.#set, document, application.problem.message),
      });
  }

  /** By name. What has a name that others have too comes together in that order: no table of names is needed. */
  *all(): Sliced<Pick<Generated, "applications" | "flaws">> {
    const sorted = yield* sortedInSlices(this.#found, byName);
    const applications: Application[] = [];
    yield* seeInSlices(sorted, (application, index) => {
      const { name } = application;
      const isLikeBefore = sorted[index - 1]?.name === name;
      const isLikeNext = sorted[index + 1]?.name === name;
      if (!isLikeBefore && !isLikeNext) applications.push(application);
      if (isLikeBefore && !isLikeNext) this.#flaws.add(duplicateName(this.#set, name));
    });
    return { applications, flaws: this.#flaws.all() };
  }
}

const byName = (a: Application, b: Application): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

const duplicateName = (set: string, name: ApplicationName): Flaw => ({
  kind: "validation",
  application: name,
  problem: problem(
    codes.duplicateName,
    `ApplicationSet ${set} contains applications with duplicate name: ${name}`,
  ),
});

function unnamed(set: string, document: JsonObject, reason: string): ProblemDraft {
  const metadata = field(document, "metadata");
  const name = isObject(metadata) ? (field(metadata, "name") ?? "") : "";
  return problem(
    codes.badGeneratedApplication,
    name === ""
      ? `ApplicationSet ${set} contains an application with no name; a name must be set in the template's metadata.name or via a templatePatch (generateName is not supported)`
      : `ApplicationSet ${set} generates an ${reason}`,
  );
}

/** What became of one element. */
type Element =
  | { readonly kind: "document"; readonly document: JsonObject }
  | { readonly kind: "flaw"; readonly flaw: Flaw }
  /** Not made, since something is missing and all will be made again. */
  | { readonly kind: "unwanted" };

/**
 * Makes the elements of a set as they are taken, so that a large set need not be held. Generators go on while
 * their first sets of params are used; of each entry, their flaws still come before those of its elements.
 */
function* elementsIn(
  set: ApplicationSet,
  around: GeneratorContext,
  asked: Asked | undefined,
): Iterable<Element> {
  let spared = new Flaws();
  const context: GeneratorContext = {
    ...around,
    wants: (need) => asked?.add(need),
    spare: (flaw) => spared.add(ofGenerator(flaw)),
  };
  const { needs } = context;
  for (const entry of set.generators) {
    const later = new Flaws();
    spared = new Flaws();
    const generated = runEntry(entry, context);
    if (!generated.ok) spared.add(ofGenerator(generated.problem));
    for (const { sets, template } of generated.ok ? generated.value : []) {
      const made = applicationTemplate(set, template, context.templates, needs);
      for (const params of sets) {
        if (asked?.isAnswered === false) {
          yield { kind: "unwanted" };
          continue;
        }
        const document = made.application(params);
        if (document.ok) yield { kind: "document", document: document.value };
        else
          later.add({
            kind: "generation",
            application: made.name(params),
            problem: document.problem,
          });
      }
    }
    for (const flaw of spared.all()) yield { kind: "flaw", flaw };
    for (const flaw of later.all()) yield { kind: "flaw", flaw };
  }
}

const ofGenerator = (flaw: ProblemDraft): Flaw => ({
  kind: "generation",
  application: undefined,
  problem: flaw,
});

const contextOf = (set: ApplicationSet, facts: Facts, needs: GenerateNeeds): GeneratorContext => ({
  set: set.name,
  facts,
  needs,
  templates: new Templates(set, needs),
  wants: () => {},
  spare: undefined,
});
