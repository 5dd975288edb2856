import type { OriginPlan } from "../domain/plan/input.ts";
import { consultsLive } from "../domain/set-policy.ts";
import type { MadeOnce, OriginMemory } from "./publish-memory.ts";
import type { Made } from "./publish-set.ts";
import type { Uses } from "./publish-uses.ts";

/** How long a set rests whose generation had to be stopped, unless it changes. */
const dearRestMs = 600_000;

/** What was made is made again after this time, before the store forgets bundles that nobody was offered. */
const madeLifeMs = 600_000;

/** What is to be done about an origin in a pass. */
export type Turn =
  /** Nothing: it would come to the same, or costs everybody too much to be tried again already. */
  | { readonly kind: "rest"; readonly uses: Uses }
  /** What was made still holds, and clusters may let more of it out. */
  | { readonly kind: "plan"; readonly uses: Uses; readonly made: MadeOnce }
  | { readonly kind: "make" };

/** `remembered` is what the same inputs came to the last time; `undefined`: they never were the same. */
export function turnOf(
  remembered: OriginMemory | undefined,
  now: { readonly atMs: number; readonly isAnyLeftBehind: boolean },
): Turn {
  if (remembered === undefined) return { kind: "make" };
  const { uses, made } = remembered;
  if (remembered.isSettled || now.atMs < remembered.restsUntilMs) return { kind: "rest", uses };
  if (made === undefined || now.atMs - made.atMs >= madeLifeMs) return { kind: "make" };
  return now.isAnyLeftBehind && consultsOthers(made)
    ? { kind: "make" }
    : { kind: "plan", uses, made };
}

/** Whether what was made may depend on what has been left behind since. */
const consultsOthers = ({ outcome: { set } }: MadeOnce): boolean =>
  set !== undefined && consultsLive(set.policy);

/** How an origin stands once its plan is recorded. */
export type Standing =
  /** It is gone from Git, and so is what it made. */
  | "gone"
  /** Its changes wait for what clusters report. */
  | "rolling"
  /** What it made goes step by step. */
  | "leaving"
  /** The same inputs need no second look. */
  | "settled"
  /** Something stands in the way that may go away with the same inputs. */
  | "open";

export function standingOf(
  { outcome, transient }: Pick<Made, "outcome" | "transient">,
  {
    plan,
    hasRollout,
    isLeftBehind,
  }: {
    readonly plan: Pick<OriginPlan, "isRowNeeded" | "isSettled" | "rollout">;
    readonly hasRollout: boolean;
    /** Its origin is gone and lets go of nothing: of what it made nothing moves. */
    readonly isLeftBehind: boolean;
  },
): Standing {
  const isRemoved = outcome.kind === "removed";
  if (isRemoved && !plan.isRowNeeded) return "gone";
  if (!isLeftBehind) {
    if (plan.rollout.some(({ status }) => status !== "Healthy")) return "rolling";
    if (isRemoved && hasRollout) return "leaving";
  }
  return plan.isSettled && !transient ? "settled" : "open";
}

/** What is remembered of an origin that stands so. */
export const memoryOf = (
  standing: Exclude<Standing, "gone">,
  made: MadeOnce,
  atMs: number,
): Pick<OriginMemory, "isSettled" | "restsUntilMs" | "made"> => ({
  isSettled: standing === "settled",
  restsUntilMs: made.outcome.isTooDear ? atMs + dearRestMs : 0,
  made: standing === "rolling" ? made : undefined,
});
