import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { ok } from "../../proto/kit/result.ts";
import { digestOf, type Digest } from "../../proto/words/digest.ts";
import { admission } from "../domain/admission.ts";
import type { AppProject } from "../domain/app-project.ts";
import { planOrigin } from "../domain/plan/plan-origin.ts";
import { wantedNames } from "../domain/plan/wanted-names.ts";
import type { ClusterFact } from "../domain/facts.ts";
import { removedOrigins, type FleetDocuments } from "../domain/fleet-documents.ts";
import type { OriginPlan, RolloutInput } from "../domain/plan/input.ts";
import { problem, type ProblemDraft } from "../domain/problem.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import { originKey, type Origin } from "../domain/origin.ts";
import type { ApplicationSetRecord, PublishedApplication } from "../domain/records.ts";
import { atPace, type Pace } from "./pace.ts";
import { LeftBehind } from "./publish-left-behind.ts";
import type { OriginMemory, PublishMemory } from "./publish-memory.ts";
import { record } from "./publish-record.ts";
import { rolloutChangeOf } from "./publish-rollout.ts";
import { setRow } from "./publish-set-row.ts";
import { Maker, type Made, type Waiting } from "./publish-set.ts";
import { memoryOf, standingOf, turnOf } from "./publish-standing.ts";
import { PassSources } from "./publish-sources.ts";
import { distinct, Needed, UseLog, withoutHurry, type Uses } from "./publish-uses.ts";
import { consents, keepsBecause, lastWords } from "./publish-words.ts";
import { removedWork, unreadableWork, worksOf, type Work } from "./publish-works.ts";
import type { PassOutcome, PublishNeeds, PublishSettings } from "./publish.ts";
import type { PublishTree } from "./read-fleet.ts";

/** How often a rollout is looked at when nobody says that something changed. */
const rolloutLookMs = 5_000;

type Planned = {
  readonly plan: OriginPlan;
  readonly rowBefore: ApplicationSetRecord | undefined;
  readonly rollout: RolloutInput | undefined;
  readonly hasRollout: boolean;
  /** Its origin is gone and lets go of nothing: of what it made nothing moves. */
  readonly isLeftBehind: boolean;
};

/** Whose the names are that an origin wants; `undefined` before that is known. */
type Wants = { owners: ReadonlyMap<ApplicationName, Origin> | undefined };

/** One pass over everything the fleet repository says at one commit. */
export class Pass {
  readonly #memory: PublishMemory;
  readonly #needs: PublishNeeds;
  readonly #settings: PublishSettings;
  readonly #pace: Pace;
  readonly #commit: string;
  readonly #fleet: FleetDocuments;
  readonly #clusters: readonly ClusterFact[];
  readonly #surroundings: Digest;
  readonly #trace: string;
  readonly #maker: Maker;
  readonly #leftBehind: LeftBehind;
  readonly #needed = new Needed();
  /** Problems of plain Applications that are not published at all, so that no application shows them. */
  readonly homeless: ProblemDraft[] = [];
  readonly #changedClusters = new Set<ClusterId>();
  #waiting = 0;
  readonly #failed: Origin[] = [];
  #freed = false;
  #troubled = false;
  #isRolling = false;

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
    this.#trace = needs.newTrace();
    this.#leftBehind = new LeftBehind(needs);
    this.#maker = new Maker({
      decodeYaml: needs.decodeYaml,
      transliterate: needs.transliterate,
      guard: needs.guard,
      clusters: around.clusters,
      admits: admission(around.clusters, fleet.projects),
      leftBehind: (names, signal) => this.#leftBehind.under(names, signal),
      sources: new PassSources(needs, memory.facts, pace, {
        url: settings.fleet.url,
        commit,
        tree: around.fleetTree,
      }),
      pace,
      fileDialect: settings.fileDialect,
      elementsMost: settings.elementsMost,
      wholeSets: settings.wholeSets,
    });
    this.#surroundings = digestOf({
      clusters: around.clusters.map((cluster) => ({ ...cluster })),
      projects: [...fleet.projects.values()].map((project: AppProject) => project.document),
    });
  }

  async run(signal: AbortSignal): Promise<PassOutcome> {
    const { fleet: place } = this.#settings;
    this.#need([{ url: place.url, revision: place.revision }]);
    try {
      const known = await this.#needs.origins(signal);
      const removed = removedOrigins(known, this.#fleet);
      await this.#leftBehind.learn(removed, signal);
      for (const origin of removed) this.#unsettle(origin);
      for (const work of await this.#works(known, signal)) {
        await this.#pace.breathe(signal);
        await this.#carryOut(work, { owners: undefined }, signal);
      }
      for (const origin of removed) {
        await this.#pace.breathe(signal);
        await this.#remove(origin, signal);
      }
    } finally {
      // Not before: an object that a commit moves from one application to another reaches its cluster in one
      // offer, so that it changes hands there instead of being removed and made again.
      if (this.#changedClusters.size > 0) this.#needs.onClustersChanged([...this.#changedClusters]);
    }
    this.#needs.setNeeded(this.#needed.all());
    return {
      commit: this.#commit,
      waiting: this.#waiting,
      failed: this.#failed,
      again: this.#freed && this.#troubled,
      isRolling: this.#isRolling,
      requeueAfterMs: this.#isRolling ? rolloutLookMs : undefined,
    };
  }

  /**
   * An origin that is gone may lose to others what it was settled with, before its own removal is looked at. When
   * it comes back as it was, it has to be made again.
   */
  #unsettle(origin: Origin): void {
    const key = originKey(origin);
    const remembered = this.#memory.origins.get(key);
    if (remembered === undefined) return;
    if (remembered.inputs === this.#inputs(removedWork(origin), remembered.uses)) return;
    this.#memory.origins.set(key, {
      ...remembered,
      isSettled: false,
      restsUntilMs: 0,
      made: undefined,
    });
  }

  /** What becomes of an origin that is gone from Git, after all others: what is moved away must have arrived. */
  async #remove(origin: Origin, signal: AbortSignal): Promise<void> {
    // Who has to be asked again soon has not said yet what it takes over.
    if (this.#waiting > 0)
      return this.#need(this.#usesBefore(origin, await this.#needs.published(origin, signal)));
    return this.#carryOut(removedWork(origin), { owners: new Map() }, signal);
  }

  /** Everything to do, but for what is gone from Git. */
  async #works(known: readonly Origin[], signal: AbortSignal): Promise<readonly Work[]> {
    const works = worksOf(this.#fleet, this.#maker);
    const { applicationFiles } = this.#memory;
    if (this.#fleet.problems.length === 0) applicationFiles.clear();
    for (const { origin, file } of works)
      if (origin.kind === "application") applicationFiles.set(origin.name, file);
    const present = new Set(works.map(({ origin }) => originKey(origin)));
    const absent = known.filter((origin) => !present.has(originKey(origin)));
    return [...works, ...(await this.#unreadableWorks(absent, signal))];
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
        works.push(unreadableWork(origin, file, draft));
      else this.#need(this.#usesBefore(origin, await this.#needs.published(origin, signal)));
    }
    return works;
  }

  async #carryOut(work: Work, wants: Wants, signal: AbortSignal): Promise<void> {
    const uses = new UseLog(this.#needs.revision);
    try {
      await this.#publishOrigin(work, uses, wants, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The store's trouble is everybody's. A bug costs the origin that met it.
      if (error instanceof Trouble) throw error;
      this.#failed.push(work.origin);
      this.#denyAll(work.origin, wants);
      this.#need([
        ...uses.all(),
        ...(this.#memory.origins.get(originKey(work.origin))?.uses ?? []),
      ]);
      this.#memory.origins.delete(originKey(work.origin));
      this.#needs.log.error("publishing failed", {
        [work.origin.kind === "application-set" ? "set" : "application"]: work.origin.name,
        commit: this.#commit,
        problem: describeError(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    }
  }

  /** What an origin wants that fell over is let go of by nobody; where it did not come to say, nothing is. */
  #denyAll(taker: Origin, { owners }: Wants): void {
    if (owners === undefined) this.#leftBehind.mistrust(taker);
    else this.#leftBehind.deny(taker, owners.keys(), owners, "could not be published");
  }

  /** Leaves in `uses` and `wants` what it read, and whose the names were that it wants, as far as it came. */
  async #publishOrigin(work: Work, uses: UseLog, wants: Wants, signal: AbortSignal): Promise<void> {
    const key = originKey(work.origin);
    const remembered = this.#memory.origins.get(key);
    const atMs = this.#needs.clock.nowMs();
    const turn = turnOf(this.#isSame(work, remembered) ? remembered : undefined, {
      atMs,
      isAnyLeftBehind: !this.#leftBehind.isEmpty,
    });
    if (turn.kind === "rest") return this.#need(turn.uses);
    const before = await this.#needs.published(work.origin, signal);
    const isKept = turn.kind === "plan";
    const made = isKept ? turn.made.outcome : await work.make(uses, before, signal);
    const used = isKept
      ? turn.uses
      : this.#usesOf(made, uses, this.#usesBefore(work.origin, before));
    if (made === "waiting") {
      this.#waiting += 1;
      return this.#need(used);
    }
    const owners = await this.#needs.owners(wantedNames(made.outcome), signal);
    wants.owners = owners;
    const planned = await this.#planned(work, made, before, owners, atMs, signal);
    // What is recorded in part is settled no more, also when everything is as it was before that.
    if (remembered !== undefined)
      this.#memory.origins.set(key, { ...remembered, isSettled: false });
    const recorded = await this.#record(work, made, planned, atMs, signal);
    if (before.length === 0 && recorded === 0) this.#tellHomeless(work, planned.plan);
    const standing = standingOf(made, planned);
    if (standing === "gone") {
      this.#memory.origins.delete(key);
      this.#memory.applicationFiles.delete(work.origin.name);
      return;
    }
    this.#need(used);
    this.#memory.origins.set(key, {
      inputs: this.#inputs(work, used),
      uses: used,
      ...memoryOf(standing, isKept ? turn.made : { outcome: made, atMs }, atMs),
    });
    this.#isRolling ||= standing === "rolling" || standing === "leaving";
  }

  #isSame(work: Work, remembered: OriginMemory | undefined): boolean {
    return remembered !== undefined && remembered.inputs === this.#inputs(work, remembered.uses);
  }

  /** Of a plain Application that has none of its own to say so, the repository says what is wrong. */
  #tellHomeless({ origin, file }: Work, plan: OriginPlan): void {
    if (origin.kind === "application" && plan.problem !== undefined)
      this.homeless.push(problem(plan.problem.code, `${file}: ${plan.problem.message}`));
  }

  async #planned(
    work: Work,
    made: Made,
    before: readonly PublishedApplication[],
    owners: ReadonlyMap<ApplicationName, Origin>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Planned> {
    const { origin } = work;
    const isSet = origin.kind === "application-set";
    const rowBefore = isSet ? await this.#needs.findSet(origin.name, signal) : undefined;
    // Of a set that is gone, its last words count.
    const words = made.outcome.kind === "removed" ? lastWords(rowBefore) : ok(made.set);
    const set = words.ok ? words.value : undefined;
    const rollout =
      set?.strategy === undefined || made.outcome.kind === "failed"
        ? undefined
        : {
            strategy: set.strategy,
            ...(await this.#needs.rollout(origin.name, signal)),
          };
    const stays = keepsBecause(words) ?? this.#leftBehind.waitsBecause(origin);
    const planning = planOrigin({
      origin,
      outcome: made.outcome,
      before,
      conditionsBefore: rowBefore?.conditions ?? [],
      problemBefore: isSet ? rowBefore?.problem : before[0]?.draft.problem,
      clusters: this.#clusters,
      projects: this.#fleet.projects,
      owners,
      leftBehind: await this.#leftBehind.among(owners, signal),
      consent: consents(origin, set, before),
      shrink: this.#settings.shrink,
      keepsBecause: stays,
      rollout,
      actor: this.#commit,
      trace: this.#trace,
      nowMs,
    });
    const plan = await atPace(planning, this.#pace, signal);
    this.#leftBehind.deny(
      origin,
      plan.denied,
      owners,
      "cannot take it over as it is written there",
    );
    const isLeftBehind = made.outcome.kind === "removed" && stays !== undefined;
    return { plan, rowBefore, rollout, hasRollout: rollout !== undefined, isLeftBehind };
  }

  /** How many applications changed. */
  async #record(
    work: Work,
    made: Made,
    { plan, rowBefore, rollout }: Planned,
    atMs: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { origin } = work;
    if (!plan.isSettled) this.#troubled = true;
    let recorded = 0;
    const clusters = new Set<ClusterId>();
    const written = { commit: this.#commit, atMs };
    try {
      await record(
        {
          origin,
          plan,
          set: (changes) => setRow(work, made, plan, rowBefore, { ...written, changes }),
          setBefore: rowBefore,
          rollout: rolloutChangeOf(made, plan, rollout),
          atMs,
        },
        this.#needs,
        this.#pace,
        ({ changes, freed, changedClusters }) => {
          recorded += changes;
          if (freed) this.#freed = true;
          for (const cluster of changedClusters) {
            clusters.add(cluster);
            this.#changedClusters.add(cluster);
          }
        },
        signal,
      );
    } finally {
      if (recorded > 0)
        this.#needs.log.info("applications published", {
          ...this.#fields(origin),
          changes: recorded,
          clusters: clusters.size,
          durationMs: this.#needs.clock.nowMs() - atMs,
        });
    }
    if (plan.problem !== undefined && plan.problem.sinceMs === atMs)
      this.#needs.log.warn("last good state kept", {
        ...this.#fields(origin),
        code: plan.problem.code,
        problem: plan.problem.message,
      });
    return recorded;
  }

  #fields(origin: Origin): Record<string, string> {
    return {
      [origin.kind === "application-set" ? "set" : "application"]: origin.name,
      commit: this.#commit,
      trace: this.#trace,
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

  /** What a failed origin is offered still comes from somewhere: that is watched on. */
  #usesOf(made: Made | Waiting, uses: UseLog, usesBefore: Uses): Uses {
    if (made !== "waiting" && made.outcome.kind === "generated") return uses.all();
    const all = distinct([...uses.all(), ...usesBefore]);
    return made !== "waiting" && made.outcome.kind === "removed" ? withoutHurry(all) : all;
  }

  #usesBefore(origin: Origin, before: readonly PublishedApplication[]): Uses {
    return [
      ...(this.#memory.origins.get(originKey(origin))?.uses ?? []),
      ...before
        .filter(({ draft }) => draft.source.repoURL !== "")
        .map(({ draft }) => ({
          url: draft.source.repoURL,
          revision: draft.source.targetRevision,
        })),
    ];
  }

  #need(uses: Uses): void {
    this.#needed.add(uses);
  }
}
