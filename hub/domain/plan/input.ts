import type { Result } from "../../../proto/kit/result.ts";
import type { Digest } from "../../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../../proto/words/ids.ts";
import type { AppProject } from "../app-project.ts";
import type { Application } from "../application.ts";
import type { ClusterFact } from "../facts.ts";
import type { Flaw } from "../generate.ts";
import type { ProblemDraft } from "../problem.ts";
import type { Origin } from "../origin.ts";
import type {
  ApplicationChange,
  ApplicationStatus,
  FleetEventDraft,
  Problem,
  PublishedApplication,
} from "../records.ts";
import type { RolloutStatus } from "../rollout/rollout.ts";
import type { RolloutStrategy } from "../rollout/strategy.ts";
import type { SetCondition } from "../set-status.ts";
import type { ShrinkLimits } from "../shrink-guard.ts";

/** A rendering that succeeded. */
export type Rendered = {
  /** The commit of its source that was rendered. */
  readonly revision: string;
  readonly bundle: Digest;
  readonly objects: number;
};

export type ApplicationOutcome = {
  readonly application: Application;
  readonly rendered: Result<Rendered, ProblemDraft>;
};

/** What became of an origin at a commit. */
export type OriginOutcome =
  | {
      readonly kind: "generated";
      readonly applications: readonly ApplicationOutcome[];
      /** What failed beside them. */
      readonly flaws: readonly Flaw[];
    }
  /** It could not be read or generated: everything it had stays. */
  | { readonly kind: "failed"; readonly problem: ProblemDraft }
  /** It is gone from Git. */
  | { readonly kind: "removed" };

/** An application whose origin is gone from Git. */
export type LeftApplication = {
  readonly published: PublishedApplication;
  /** Whether it goes with its origin, unless somebody takes it over. */
  readonly goes: boolean;
};

/** What a set with a rollout strategy needs besides, to let its changes go in order. */
export type RolloutInput = {
  readonly strategy: RolloutStrategy;
  /** As they were written down last. */
  readonly statuses: readonly RolloutStatus[];
  /** What clusters say of the set's applications. */
  readonly reported: ReadonlyMap<ApplicationName, ApplicationStatus>;
  /** Applications that were removed, and whose clusters have not carried it out yet. */
  readonly leaving: ReadonlySet<ApplicationName>;
};

export type PlanInput = {
  readonly origin: Origin;
  readonly outcome: OriginOutcome;
  /** What the origin has published. */
  readonly before: readonly PublishedApplication[];
  /** The problem on the origin itself (the set's row) from before. */
  readonly problemBefore: Problem | undefined;
  /** What there was to say of the set before. */
  readonly conditionsBefore: readonly SetCondition[];
  /** Every registered cluster. */
  readonly clusters: readonly ClusterFact[];
  /** By name. `default` need not be among them. */
  readonly projects: ReadonlyMap<string, AppProject>;
  /** Who has the names that the outcome wants, or would if it had not failed there, as far as they are taken. */
  readonly owners: ReadonlyMap<ApplicationName, Origin>;
  /** Of those names, what belongs to origins that are gone from Git. */
  readonly leftBehind: readonly LeftApplication[];
  /** Whether someone agreed to removals beyond the limits. */
  readonly consent: boolean;
  readonly shrink: ShrinkLimits;
  /** Why applications that are not wanted any more stay, in words that follow "because"; `undefined`: they go. */
  readonly keepsBecause: string | undefined;
  /** `undefined`: every change goes out at once. */
  readonly rollout: RolloutInput | undefined;
  /** Who causes this: the commit of the fleet repository, or a token's name. */
  readonly actor: string;
  readonly trace: string;
  readonly nowMs: number;
};

/** The same with what many steps look up. */
export type Planning = PlanInput & {
  readonly clustersById: ReadonlyMap<ClusterId, ClusterFact>;
};

/** What is done about one application; nothing at all when it stays as it is. */
export type Step = {
  readonly changes: readonly ApplicationChange[];
  readonly events: readonly FleetEventDraft[];
};

/** A step, and the cluster whose desired set it changes; of one that moves an application, the cluster it leaves. */
export type PlannedStep = Step & { readonly cluster: ClusterId | undefined };

export type OriginPlan = {
  /**
   * What is done about each application: first what only writes down why something stays, then what changes
   * desired sets, that of one cluster after each other. Whoever carries out the first of them only, and plans
   * again, comes to the same end. Made as they are taken, so that what is written of a large set is never held at
   * once; the same whenever they are taken.
   */
  readonly steps: Iterable<PlannedStep>;
  /** What there is to tell of the origin itself. */
  readonly events: readonly FleetEventDraft[];
  /** What the origin's own row should say: what is wrong with it, and with any of its applications. */
  readonly problem: Problem | undefined;
  /** All there is to say of a set now. */
  readonly conditions: readonly SetCondition[];
  /** Whether the same inputs come to the same again: nothing stands in the way that may go without them. */
  readonly isSettled: boolean;
  /**
   * Names of what is left behind that the origin wants and could not take over this time. Who is gone from Git and
   * has one of them lets go of nothing meanwhile.
   */
  readonly denied: readonly ApplicationName[];
  /** Applications whose removal waits for consent. */
  readonly held: readonly ApplicationName[];
  /** Whether a removed origin still has applications, so that its row stays. */
  readonly isRowNeeded: boolean;
  /** The state of the rollout after this; empty without one. */
  readonly rollout: readonly RolloutStatus[];
};
