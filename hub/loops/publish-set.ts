import { fail, ok, type Result } from "../../proto/kit/result.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName } from "../../proto/words/ids.ts";
import type { Admission } from "../domain/admission.ts";
import { applicationOf, type Application } from "../domain/application.ts";
import type { ApplicationSet } from "../domain/application-set.ts";
import { isObject, readDocument } from "../domain/document.ts";
import {
  repositoryFactKey,
  type ClusterFact,
  type Facts,
  type FileDialect,
  type RepositoryFact,
  type RepositoryNeed,
} from "../domain/facts.ts";
import { generation, type Flaw, type Generated, type GenerateNeeds } from "../domain/generate.ts";
import type { ApplicationOutcome, OriginOutcome } from "../domain/plan/input.ts";
import { askedRequeueMs } from "../domain/generators/index.ts";
import { codes, problem, type ProblemDraft } from "../domain/problem.ts";
import { reconciledApplication } from "../domain/reconciled-application.ts";
import type { PublishedApplication } from "../domain/records.ts";
import { consultsLive, type SetPolicy } from "../domain/set-policy.ts";
import { atGuardedPace, type Guard, type Pace } from "./pace.ts";
import { copyUnusable, type PassSources } from "./publish-sources.ts";
import type { UseLog } from "./publish-uses.ts";

/** What an origin comes to. */
export type Made = {
  readonly outcome: OriginOutcome;
  readonly set: ApplicationSet | undefined;
  /** A reason that may go away with the same inputs. */
  readonly transient: boolean;
  /** Whether trying it cost everybody so much that it is not to be tried again soon. */
  readonly isTooDear: boolean;
};

/** Something it needs has not been looked at yet. */
export type Waiting = "waiting";

export const madeOf = (outcome: OriginOutcome): Made => ({
  outcome,
  set: undefined,
  transient: false,
  isTooDear: false,
});

export const failed = (draft: ProblemDraft): Made => madeOf({ kind: "failed", problem: draft });

/** What a set generates once all that it asks is answered. */
type Answered = {
  readonly generated: Result<Generated, ProblemDraft>;
  /** Whether a repository could not be read. */
  readonly isTransient: boolean;
};

export type MakerNeeds = {
  readonly decodeYaml: GenerateNeeds["decodeYaml"];
  readonly transliterate: GenerateNeeds["transliterate"];
  readonly clusters: readonly ClusterFact[];
  readonly admits: Admission;
  /** What is left behind under these names, for whoever names it. */
  readonly leftBehind: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  readonly sources: PassSources;
  readonly pace: Pace;
  readonly guard: Guard;
  /** How patterns of git files are read. */
  readonly fileDialect: FileDialect;
  readonly elementsMost: number;
  /** Whether one element that fails keeps its whole set as it was. */
  readonly wholeSets: boolean;
};

const tookTooLong = "took-too-long";

const generationStopped = (set: string): ProblemDraft =>
  problem(
    codes.templateLimit,
    `ApplicationSet ${set}: its generation was stopped, since one stretch of it held up the hub for seconds`,
  );

/** Generates sets and renders applications, out of what one pass knows. */
export class Maker {
  readonly #needs: MakerNeeds;

  constructor(needs: MakerNeeds) {
    this.#needs = needs;
  }

  async set(
    set: ApplicationSet,
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ): Promise<Made | Waiting> {
    const answered = await this.#generated(set, uses, signal);
    if (answered === "waiting") return answered;
    if (answered === tookTooLong)
      return { ...failed(generationStopped(set.name)), set, isTooDear: true };
    const { generated, isTransient } = answered;
    if (!generated.ok) return { ...failed(generated.problem), set, transient: isTransient };
    const { applications, flaws } = generated.value;
    const [first] = flaws.filter(({ kind }) => kind === "generation");
    if (this.#needs.wholeSets && first !== undefined)
      return { ...failed(first.problem), set, transient: isTransient };
    const wanted = await this.#asPolicySays(applications, set.policy, before, signal);
    const made = await this.applications(
      set.strategy === undefined ? wanted : wanted.map(syncedByRollout),
      flaws,
      uses,
      before,
      signal,
    );
    if (made === "waiting") return made;
    return { ...made, set, transient: made.transient || isTransient };
  }

  /** Renders applications as far as they may go anywhere. */
  async applications(
    applications: readonly Application[],
    flaws: readonly Flaw[],
    uses: UseLog,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ): Promise<Made | Waiting> {
    const { admits, pace, sources } = this.#needs;
    const outcomes: ApplicationOutcome[] = [];
    const offered = bundlesOf(before);
    let waiting = false;
    let transient = false;
    for (const application of applications) {
      await pace.breathe(signal);
      const admitted = admits(application);
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
      const rendered = await sources.render(application.source, state.commit, offered, signal);
      transient ||= !rendered.ok && rendered.problem.code === copyUnusable;
      outcomes.push({ application, rendered });
    }
    if (waiting) return "waiting";
    return { ...madeOf({ kind: "generated", applications: outcomes, flaws }), transient };
  }

  /** Generates the set, gathers what it asks of repositories, and generates again with what was found. */
  async #generated(
    set: ApplicationSet,
    uses: UseLog,
    signal: AbortSignal,
  ): Promise<Answered | Waiting | typeof tookTooLong> {
    const { clusters, fileDialect, guard, pace } = this.#needs;
    const repositories = new Map<string, RepositoryFact>();
    const unreadable = new Map<string, string>();
    const pollMs = askedRequeueMs(set.generators);
    for (;;) {
      const facts: Facts = { clusters, repositories, unreadable, fileDialect };
      const work = generation(set, facts, this.#needs);
      const ended = await atGuardedPace(work, guard, pace, signal);
      if (!ended.ok) return tookTooLong;
      const made = ended.value;
      const isTransient = unreadable.size > 0;
      if (made.kind === "failed") return { generated: fail(made.problem), isTransient };
      if (made.kind === "generated") return { generated: ok(made.generated), isTransient };
      let waiting = false;
      for (const need of made.repositories) {
        const found = await this.#fact(need, pollMs, uses, signal);
        if (found === "waiting") waiting = true;
        else if (found.ok) repositories.set(keyOf(need), found.value);
        else {
          repositories.delete(keyOf(need));
          unreadable.set(keyOf(need), found.problem);
        }
      }
      if (waiting) return "waiting";
    }
  }

  /** What is asked of one repository, or a sentence why it cannot be told. */
  async #fact(
    need: RepositoryNeed,
    pollMs: number | undefined,
    uses: UseLog,
    signal: AbortSignal,
  ): Promise<Result<RepositoryFact, string> | Waiting> {
    const { repoURL, revision } = need;
    const state = uses.revision(repoURL, revision, pollMs);
    if (state.kind === "unknown") return "waiting";
    const unread = (reason: string): Result<never, string> =>
      fail(
        `repository ${JSON.stringify(repoURL)} could not be read at ${JSON.stringify(revision)}: ${reason}`,
      );
    if (state.kind === "unavailable") return unread(state.problem.message);
    const fact = await this.#needs.sources.fact(need, state.commit, signal);
    return fact.ok ? fact : unread(fact.problem.message);
  }

  async #asPolicySays(
    applications: readonly Application[],
    policy: SetPolicy,
    before: readonly PublishedApplication[],
    signal: AbortSignal,
  ): Promise<readonly Application[]> {
    if (!consultsLive(policy)) return applications;
    const names = applications.map(({ name }) => name);
    const left = await this.#needs.leftBehind(names, signal);
    const own = new Map(before.map(({ draft }) => [draft.name, draft.document]));
    const others = new Map(left.map(({ draft }) => [draft.name, draft]));
    const wanted: Application[] = [];
    for (const application of applications) {
      await this.#needs.pace.breathe(signal);
      const { name } = application;
      const other = others.get(name);
      // Of another project it is not taken over, whatever the policy would make of it.
      const mayTake = other?.project === application.project;
      const live = own.get(name) ?? (mayTake ? other?.document : undefined);
      wanted.push(live === undefined ? application : reconciled(application, live, policy));
    }
    return wanted;
  }
}

/** Bundles that are offered already, so that the store surely has them. */
const bundlesOf = (before: readonly PublishedApplication[]): ReadonlySet<Digest> =>
  new Set(before.flatMap(({ desired }) => (desired === undefined ? [] : [desired.entry.bundle])));

const keyOf = ({ repoURL, revision }: RepositoryNeed): string =>
  repositoryFactKey(repoURL, revision);

function reconciled(application: Application, live: string, policy: SetPolicy): Application {
  const read = readDocument(JSON.parse(live));
  if (!read.ok || !isObject(read.value)) return application;
  const made = applicationOf(reconciledApplication(read.value, application.document, policy));
  return made.ok ? made.value : application;
}

/**
 * In a rollout it is the hub that decides when an application changes, so its cluster syncs what it is
 * offered, whether the Application says so or not. It prunes only where the Application would by itself.
 */
function syncedByRollout(application: Application): Application {
  const { policy } = application;
  return application.with({
    policy: {
      ...policy,
      automated: true,
      prune: policy.automated && policy.prune,
      selfHeal: policy.automated && policy.selfHeal,
    },
  });
}
