import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { fail } from "../../proto/kit/result.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { canonicalJson, digestOf, type Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import type { AppProject } from "../domain/app-project.ts";
import type { Application } from "../domain/application.ts";
import type { ApplicationSet } from "../domain/application-set.ts";
import {
  admission,
  planOrigin,
  type Admission,
  type ApplicationOutcome,
  type OriginOutcome,
  type OriginPlan,
} from "../domain/desired-set.ts";
import {
  repositoryFactKey,
  type ClusterFact,
  type Facts,
  type RepositoryFact,
} from "../domain/facts.ts";
import {
  readFleetDocuments,
  removedOrigins,
  type FleetDocuments,
} from "../domain/fleet-documents.ts";
import { generate, neededRepositories, type GenerateNeeds } from "../domain/generate.ts";
import { codes, problem, type ProblemDraft } from "../domain/problem.ts";
import type {
  ApplicationChange,
  ApplicationSetRecord,
  FleetEventDraft,
  Origin,
  PublishedApplication,
} from "../domain/records.ts";
import type { ShrinkLimits } from "../domain/shrink-guard.ts";
import { createPace, type Pace } from "./pace.ts";
import { bundlesOf, consents, setEvents, wantedNames, type SetRow } from "./publish-origin.ts";
import { copyUnusable, PassSources, type FactMemory, type SourceNeeds } from "./publish-sources.ts";
import { readFleet, type ParsedFiles, type PublishTree, type ReadYaml } from "./read-fleet.ts";
import type { NeededRevisions } from "./repositories.ts";
import type { RevisionState } from "./repository-loop.ts";

export type PublishNeeds = SourceNeeds & {
  /** Where a revision is; asking makes it watched. */
  readonly revision: (url: string, revision: string) => RevisionState;
  readonly setNeeded: (needed: NeededRevisions) => void;
  /** Shows a fault in what the fleet repository holds, or takes it back. */
  readonly complain: (url: string, problem: ProblemDraft | undefined) => void;
  readonly readYaml: ReadYaml;
  readonly decodeYaml: GenerateNeeds["decodeYaml"];
  /** Sorted by name. */
  readonly clusters: (signal: AbortSignal) => Promise<readonly ClusterFact[]>;
  readonly findSet: (
    name: string,
    signal: AbortSignal,
  ) => Promise<ApplicationSetRecord | undefined>;
  readonly origins: (signal: AbortSignal) => Promise<readonly Origin[]>;
  readonly published: (
    origin: Origin,
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  readonly owners: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<ApplicationName, Origin>>;
  readonly record: (
    publication: {
      readonly origin: Origin;
      readonly set: SetRow | "removed" | "unchanged";
      readonly changes: readonly ApplicationChange[];
      readonly events: readonly FleetEventDraft[];
      readonly atMs: number;
    },
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
  /** Told after each recording: what these clusters are offered changed. */
  readonly onClustersChanged: (clusters: readonly ClusterId[]) => void;
  readonly newTrace: () => string;
  /** Resolves in the next turn of the event loop. */
  readonly nextTurn: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

export type PublishSettings = {
  /** Where ApplicationSets, Applications and AppProjects are written. */
  readonly fleet: { readonly url: string; readonly revision: string; readonly path: string };
  readonly shrink: ShrinkLimits;
  /** Longest stretch of work between two turns of the event loop. */
  readonly stretchMs: number;
};

/** What passes remember of each other. Only an economy: forgetting it costs one full pass. */
export type PublishMemory = {
  readonly parsed: ParsedFiles;
  /** By origin: what went into the last recording, and which revisions it asked for. */
  readonly origins: Map<string, { readonly inputs: Digest | undefined; readonly uses: Uses }>;
  /** File of each plain Application, as last read. */
  readonly applicationFiles: Map<string, string>;
  readonly facts: FactMemory;
  notesTold: string;
};

export const emptyMemory = (): PublishMemory => ({
  parsed: new Map(),
  origins: new Map(),
  applicationFiles: new Map(),
  facts: new Map(),
  notesTold: "",
});

export type PassOutcome = {
  /** The commit of the fleet repository that was published; `undefined` when none is known. */
  readonly commit: string | undefined;
  /** Origins that wait for a repository nobody has looked at yet; the look will wake us. */
  readonly waiting: number;
  /** Origins that fell over for a reason of ours, to be tried again. */
  readonly failures: number;
  /** Whether something was freed that another origin may want. */
  readonly again: boolean;
  /** When to look again though nothing moves. */
  readonly requeueAfterMs: number | undefined;
};

type Use = { readonly url: string; readonly revision: string };
type Uses = readonly Use[];

/**
 * Takes the newest known state of Git and of the fleet's clusters into the desired sets, one origin at a time.
 *
 * An origin that cannot be read, generated or rendered keeps what it had, beside the reason, and holds back
 * nobody else. Origins leave by tombstone, and only when the whole fleet repository could be read. Doing it
 * again changes nothing. Throws Trouble when the store or the fleet repository's copy fails.
 */
export async function publish(
  memory: PublishMemory,
  needs: PublishNeeds,
  settings: PublishSettings,
  signal: AbortSignal,
): Promise<PassOutcome> {
  const { fleet: place } = settings;
  const head = needs.revision(place.url, place.revision);
  if (head.kind !== "at")
    return { commit: undefined, waiting: 0, failures: 0, again: false, requeueAfterMs: undefined };

  const pace = createPace(settings.stretchMs, needs.clock.nowMs, needs.nextTurn);
  const tree = await needs.openCommit(place.url, head.commit, signal);
  if (tree === undefined)
    throw new Trouble(`commit ${head.commit} of ${place.url} is not here any more`);
  const documents = await readFleet(tree, place.path, needs.readYaml, memory.parsed, pace, signal);
  const fleet = readFleetDocuments(documents);
  tellNotes(fleet.notes, head.commit, memory, needs);

  const pass = new Pass(memory, needs, settings, pace, head.commit, fleet, {
    clusters: await needs.clusters(signal),
    fleetTree: tree,
  });
  const outcome = await pass.run(signal);
  needs.complain(
    place.url,
    asOneComplaint([...fleet.problems.map((one) => one.problem), ...pass.homeless]),
  );
  return outcome;
}

/** What is wrong in the fleet repository and belongs to no set or application that could show it. */
function asOneComplaint(problems: readonly ProblemDraft[]): ProblemDraft | undefined {
  const [first, ...others] = problems;
  const more = others.length === 0 ? "" : ` (and ${others.length} more files or documents)`;
  return first && problem(first.code, `${first.message}${more}`);
}

function tellNotes(
  notes: readonly string[],
  commit: string,
  memory: PublishMemory,
  needs: PublishNeeds,
): void {
  if (memory.notesTold === commit) return;
  memory.notesTold = commit;
  for (const note of notes.slice(0, notesMost))
    needs.log.info("document ignored", { commit, note });
  if (notes.length > notesMost)
    needs.log.info("more documents ignored", { commit, count: notes.length - notesMost });
}

const notesMost = 20;

/** What one origin comes to in this pass. */
type Work = {
  readonly origin: Origin;
  /** Everything but revisions that the result depends on. */
  readonly input: string;
  readonly file: string;
  readonly make: (
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ) => Promise<Made>;
};

type Made =
  | {
      readonly kind: "outcome";
      readonly outcome: OriginOutcome;
      readonly set: ApplicationSet | undefined;
      readonly requeueAfterMs: number | undefined;
      /** A reason that may go away with the same inputs. */
      readonly transient: boolean;
    }
  /** Something it needs has not been looked at yet. */
  | { readonly kind: "waiting" };

/** The revisions one origin asks for. */
class UseLog {
  readonly #uses = new Map<string, Use>();
  readonly #revision: PublishNeeds["revision"];

  constructor(revision: PublishNeeds["revision"]) {
    this.#revision = revision;
  }

  revision(url: string, revision: string): RevisionState {
    this.#uses.set(repositoryFactKey(url, revision), { url, revision });
    return this.#revision(url, revision);
  }

  all(): Uses {
    return [...this.#uses.values()];
  }
}

class Pass {
  readonly #memory: PublishMemory;
  readonly #needs: PublishNeeds;
  readonly #settings: PublishSettings;
  readonly #pace: Pace;
  readonly #commit: string;
  readonly #fleet: FleetDocuments;
  readonly #clusters: readonly ClusterFact[];
  readonly #admits: Admission;
  readonly #surroundings: Digest;
  readonly #trace: string;
  readonly #sources: PassSources;
  readonly #needed = new Map<string, Set<string>>();
  /** Problems of plain Applications that are not published at all, so that no application shows them. */
  readonly homeless: ProblemDraft[] = [];
  #waiting = 0;
  #failures = 0;
  #freed = false;
  #troubled = false;
  #requeueAfterMs: number | undefined;

  constructor(
    memory: PublishMemory,
    needs: PublishNeeds,
    settings: PublishSettings,
    pace: Pace,
    commit: string,
    fleet: FleetDocuments,
    around: { readonly clusters: readonly ClusterFact[]; readonly fleetTree: PublishTree },
  ) {
    this.#memory = memory;
    this.#needs = needs;
    this.#settings = settings;
    this.#pace = pace;
    this.#commit = commit;
    this.#fleet = fleet;
    this.#clusters = around.clusters;
    this.#admits = admission(around.clusters, fleet.projects);
    this.#trace = needs.newTrace();
    this.#sources = new PassSources(needs, memory.facts, pace, {
      url: settings.fleet.url,
      commit,
      tree: around.fleetTree,
    });
    this.#surroundings = digestOf({
      clusters: around.clusters.map((cluster) => ({ ...cluster })),
      projects: [...fleet.projects.values()].map((project: AppProject) => project.document),
    });
  }

  async run(signal: AbortSignal): Promise<PassOutcome> {
    const { fleet: place } = this.#settings;
    this.#need([{ url: place.url, revision: place.revision }]);
    for (const work of await this.#works(signal)) {
      await this.#pace.breathe(signal);
      await this.#carryOut(work, signal);
    }
    this.#needs.setNeeded(this.#needed);
    return {
      commit: this.#commit,
      waiting: this.#waiting,
      failures: this.#failures,
      again: this.#freed && this.#troubled,
      requeueAfterMs: this.#requeueAfterMs,
    };
  }

  /** Everything to do, removals last: what is moved away must not be missed before it has arrived. */
  async #works(signal: AbortSignal): Promise<readonly Work[]> {
    const known = await this.#needs.origins(signal);
    const present = new Set<string>();
    const works: Work[] = [];
    for (const { name, file, set } of this.#fleet.sets) {
      const origin: Origin = { kind: "application-set", name };
      present.add(keyOf(origin));
      works.push({
        origin,
        file,
        input: set.ok ? canonicalJson(set.value.document) : set.problem.message,
        make: (uses, before, workSignal) =>
          set.ok
            ? this.#generateSet(set.value, uses, before, workSignal)
            : Promise.resolve(failed(set.problem)),
      });
    }
    if (this.#fleet.problems.length === 0) this.#memory.applicationFiles.clear();
    for (const { file, application } of this.#fleet.applications) {
      const origin: Origin = { kind: "application", name: application.name };
      present.add(keyOf(origin));
      this.#memory.applicationFiles.set(application.name, file);
      works.push({
        origin,
        file,
        input: canonicalJson([application.document, application.problem?.message ?? null]),
        make: (uses, before, workSignal) =>
          this.#outcomes([application], undefined, undefined, uses, before, workSignal),
      });
    }
    const absent = known.filter((origin) => !present.has(keyOf(origin)));
    works.push(...(await this.#unreadableWorks(absent, signal)));
    for (const origin of removedOrigins(known, this.#fleet))
      works.push({
        origin,
        file: "",
        input: "removed",
        make: () => Promise.resolve(madeOf({ kind: "removed" })),
      });
    return works;
  }

  /** Origins whose own file cannot be read say so themselves, besides the repository. */
  async #unreadableWorks(absent: readonly Origin[], signal: AbortSignal): Promise<readonly Work[]> {
    if (this.#fleet.problems.length === 0) return [];
    const problems = new Map(this.#fleet.problems.map(({ file, problem: draft }) => [file, draft]));
    const works: Work[] = [];
    for (const origin of absent) {
      const file =
        origin.kind === "application-set"
          ? (await this.#needs.findSet(origin.name, signal))?.path
          : this.#memory.applicationFiles.get(origin.name);
      const draft = file === undefined ? undefined : problems.get(file);
      if (file !== undefined && draft !== undefined)
        works.push({
          origin,
          file,
          input: draft.message,
          make: () => Promise.resolve(failed(draft)),
        });
      else this.#need(this.#usesBefore(origin, await this.#needs.published(origin, signal)));
    }
    return works;
  }

  async #carryOut(work: Work, signal: AbortSignal): Promise<void> {
    const uses = new UseLog(this.#needs.revision);
    try {
      await this.#publishOrigin(work, uses, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The store's trouble is everybody's. A bug costs the origin that met it.
      if (error instanceof Trouble) throw error;
      this.#failures += 1;
      this.#need([...uses.all(), ...(this.#memory.origins.get(keyOf(work.origin))?.uses ?? [])]);
      this.#memory.origins.delete(keyOf(work.origin));
      this.#needs.log.error("publishing failed", {
        [work.origin.kind === "application-set" ? "set" : "application"]: work.origin.name,
        commit: this.#commit,
        problem: describeError(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    }
  }

  async #publishOrigin(work: Work, uses: UseLog, signal: AbortSignal): Promise<void> {
    const key = keyOf(work.origin);
    const remembered = this.#memory.origins.get(key);
    if (
      remembered?.inputs !== undefined &&
      remembered.inputs === this.#inputs(work, remembered.uses)
    ) {
      this.#need(remembered.uses);
      return;
    }
    const startedMs = this.#needs.clock.nowMs();
    const before = await this.#needs.published(work.origin, signal);
    const made = await work.make(uses, before, signal);
    const whole = made.kind === "outcome" && made.outcome.kind === "generated";
    // What a failed origin is offered still comes from somewhere: keep watching that.
    const used = whole
      ? uses.all()
      : distinct([...uses.all(), ...this.#usesBefore(work.origin, before)]);
    if (made.kind === "waiting") {
      this.#waiting += 1;
      this.#need(used);
      return;
    }
    const rowBefore =
      work.origin.kind === "application-set"
        ? await this.#needs.findSet(work.origin.name, signal)
        : undefined;
    const plan = planOrigin({
      origin: work.origin,
      outcome: made.outcome,
      before,
      problemBefore:
        work.origin.kind === "application-set" ? rowBefore?.problem : before[0]?.draft.problem,
      clusters: this.#clusters,
      projects: this.#fleet.projects,
      owners: await this.#needs.owners(wantedNames(made.outcome), signal),
      // The store raises generations beyond what it remembers of tombstones.
      generationFloor: new Map(),
      consent: consents(work.origin, made.set, before, rowBefore),
      shrink: this.#settings.shrink,
      actor: this.#commit,
      trace: this.#trace,
      nowMs: startedMs,
    });
    const isHomeless =
      work.origin.kind === "application" && before.length === 0 && plan.changes.length === 0;
    if (isHomeless && plan.problem !== undefined)
      this.homeless.push(problem(plan.problem.code, `${work.file}: ${plan.problem.message}`));
    await this.#record(work, made, plan, rowBefore, startedMs, signal);
    if (made.outcome.kind === "removed" && plan.held.length === 0) {
      this.#memory.origins.delete(key);
      this.#memory.applicationFiles.delete(work.origin.name);
      return;
    }
    this.#need(used);
    const settled = plan.problem === undefined && plan.held.length === 0 && !made.transient;
    this.#memory.origins.set(key, {
      inputs: settled ? this.#inputs(work, used) : undefined,
      uses: used,
    });
    if (made.requeueAfterMs !== undefined)
      this.#requeueAfterMs = Math.min(this.#requeueAfterMs ?? Infinity, made.requeueAfterMs);
  }

  async #record(
    work: Work,
    made: Extract<Made, { readonly kind: "outcome" }>,
    plan: OriginPlan,
    rowBefore: ApplicationSetRecord | undefined,
    atMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { origin } = work;
    const set = this.#rowOf(work, made, plan, rowBefore, atMs);
    if (plan.problem !== undefined) this.#troubled = true;
    if (plan.changes.some(({ kind }) => kind === "remove")) this.#freed = true;
    const events = [...plan.events, ...setEvents(origin, set, rowBefore)];
    if (plan.changes.length === 0 && events.length === 0 && set === "unchanged") return;
    const { changedClusters } = await this.#needs.record(
      { origin, set, changes: plan.changes, events, atMs },
      signal,
    );
    if (changedClusters.length > 0) this.#needs.onClustersChanged(changedClusters);
    const fields = {
      [origin.kind === "application-set" ? "set" : "application"]: origin.name,
      commit: this.#commit,
      trace: this.#trace,
    };
    if (plan.changes.length > 0)
      this.#needs.log.info("applications published", {
        ...fields,
        changes: plan.changes.length,
        clusters: changedClusters.length,
        durationMs: this.#needs.clock.nowMs() - atMs,
      });
    if (plan.problem !== undefined && plan.problem.sinceMs === atMs)
      this.#needs.log.warn("last good state kept", {
        ...fields,
        code: plan.problem.code,
        problem: plan.problem.message,
      });
  }

  #rowOf(
    { origin, file }: Work,
    made: Extract<Made, { readonly kind: "outcome" }>,
    plan: OriginPlan,
    before: ApplicationSetRecord | undefined,
    atMs: number,
  ): SetRow | "removed" | "unchanged" {
    if (origin.kind === "application") return "unchanged";
    if (made.outcome.kind === "removed" && plan.held.length === 0) return "removed";
    const row: SetRow = {
      name: origin.name,
      project: made.set?.project ?? before?.project ?? "",
      path: file === "" ? (before?.path ?? "") : file,
      commit: this.#commit,
      document:
        made.set === undefined ? (before?.document ?? "{}") : canonicalJson(made.set.document),
      generatedAtMs: made.outcome.kind === "generated" ? atMs : (before?.generatedAtMs ?? 0),
      problem: plan.problem,
    };
    // Having been read again at another commit is not worth a write by itself.
    const same =
      before !== undefined &&
      plan.changes.length === 0 &&
      before.project === row.project &&
      before.path === row.path &&
      before.document === row.document &&
      JSON.stringify(before.problem) === JSON.stringify(row.problem);
    return same ? "unchanged" : row;
  }

  async #generateSet(
    set: ApplicationSet,
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ): Promise<Made> {
    const gathered = await this.#gatherFacts(set, uses, signal);
    if (gathered.kind === "waiting") return gathered;
    const { facts, unread } = gathered;
    const generated = generate(set, facts, { decodeYaml: this.#needs.decodeYaml });
    if (!generated.ok) {
      const [reason] = unread;
      const draft =
        generated.problem.code === codes.repositoryUnknown && reason !== undefined
          ? problem(generated.problem.code, `${generated.problem.message}: ${reason.message}`)
          : generated.problem;
      return { ...failed(draft), set, transient: unread.length > 0 };
    }
    const { applications, requeueAfterMs } = generated.value;
    return this.#outcomes(applications, set, requeueAfterMs, uses, before, signal);
  }

  async #gatherFacts(
    set: ApplicationSet,
    uses: UseLog,
    signal: AbortSignal,
  ): Promise<
    | { readonly kind: "facts"; readonly facts: Facts; readonly unread: readonly ProblemDraft[] }
    | { readonly kind: "waiting" }
  > {
    const repositories = new Map<string, RepositoryFact>();
    const unread = new Map<string, ProblemDraft>();
    for (;;) {
      const facts: Facts = { clusters: this.#clusters, repositories };
      const wanted = neededRepositories(set, facts, { decodeYaml: this.#needs.decodeYaml }).filter(
        ({ repoURL, revision }) => {
          const key = repositoryFactKey(repoURL, revision);
          return !repositories.has(key) && !unread.has(key);
        },
      );
      if (wanted.length === 0) return { kind: "facts", facts, unread: [...unread.values()] };
      let waiting = false;
      for (const { repoURL, revision } of wanted) {
        const key = repositoryFactKey(repoURL, revision);
        const state = uses.revision(repoURL, revision);
        if (state.kind === "unknown") waiting = true;
        else if (state.kind === "unavailable") unread.set(key, state.problem);
        else {
          const fact = await this.#sources.fact(repoURL, revision, state.commit, signal);
          if (fact.ok) repositories.set(key, fact.value);
          else unread.set(key, fact.problem);
        }
      }
      if (waiting) return { kind: "waiting" };
    }
  }

  async #outcomes(
    applications: readonly Application[],
    set: ApplicationSet | undefined,
    requeueAfterMs: number | undefined,
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ): Promise<Made> {
    const outcomes: ApplicationOutcome[] = [];
    const offered = bundlesOf(before);
    let waiting = false;
    let transient = false;
    for (const application of applications) {
      await this.#pace.breathe(signal);
      const admitted = this.#admits(application);
      if (!admitted.ok) {
        outcomes.push({ application, rendered: fail(admitted.problem) });
        continue;
      }
      const { repoURL, targetRevision } = application.source;
      const state = uses.revision(repoURL, targetRevision);
      if (state.kind === "unknown") {
        waiting = true;
        continue;
      }
      if (state.kind === "unavailable") {
        outcomes.push({ application, rendered: fail(state.problem) });
        continue;
      }
      const rendered = await this.#sources.render(
        application.source,
        state.commit,
        offered,
        signal,
      );
      transient ||= !rendered.ok && rendered.problem.code === copyUnusable;
      outcomes.push({ application, rendered });
    }
    if (waiting) return { kind: "waiting" };
    return {
      kind: "outcome",
      outcome: { kind: "generated", applications: outcomes },
      set,
      requeueAfterMs,
      transient,
    };
  }

  #inputs(work: Work, uses: Uses): Digest {
    return digestOf({
      input: work.input,
      file: work.file,
      around: this.#surroundings,
      uses: uses.map(({ url, revision }) => {
        const state = this.#needs.revision(url, revision);
        return [url, revision, state.kind === "at" ? state.commit : state.kind];
      }),
    });
  }

  #usesBefore(origin: Origin, before: readonly PublishedApplication[]): Uses {
    return [
      ...(this.#memory.origins.get(keyOf(origin))?.uses ?? []),
      ...before
        .filter(({ draft }) => draft.source.repoURL !== "")
        .map(({ draft }) => ({
          url: draft.source.repoURL,
          revision: draft.source.targetRevision,
        })),
    ];
  }

  #need(uses: Uses): void {
    for (const { url, revision } of uses) {
      const revisions = this.#needed.get(url) ?? new Set();
      revisions.add(revision);
      this.#needed.set(url, revisions);
    }
  }
}

const keyOf = (origin: Origin): string => `${origin.kind} ${origin.name}`;

const madeOf = (outcome: OriginOutcome): Extract<Made, { readonly kind: "outcome" }> => ({
  kind: "outcome",
  outcome,
  set: undefined,
  requeueAfterMs: undefined,
  transient: false,
});

const failed = (draft: ProblemDraft): Extract<Made, { readonly kind: "outcome" }> =>
  madeOf({ kind: "failed", problem: draft });

const distinct = (uses: Uses): Uses => [
  ...new Map(uses.map((use) => [repositoryFactKey(use.url, use.revision), use])).values(),
];
