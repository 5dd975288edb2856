import type { Health, HealthState } from "../../proto/words/health.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import { unreachable } from "../../proto/kit/unreachable.ts";
import type { ProblemDraft } from "./problem.ts";
import type { RolloutStatus } from "./rollout/rollout.ts";
import { faultReasons, type SetFault } from "./set-fault.ts";

/** One application of a set, as the set's status lists it. */
export type SetResource = {
  readonly name: string;
  readonly status: SyncStatus;
  readonly health: Health;
};

/** How many applications a set's status lists. */
export const setResourcesMost = 5_000;

/** By name, and no more than `most`; 0 is no limit. */
export const setResources = (
  applications: readonly SetResource[],
  most: number,
): readonly SetResource[] => {
  const sorted = applications.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return most > 0 ? sorted.slice(0, most) : sorted;
};

export const setConditionTypes = [
  "ErrorOccurred",
  "InvalidRolloutConfig",
  "ParametersGenerated",
  "ResourcesUpToDate",
  "RolloutProgressing",
] as const;

/** Why a condition is as it is, in Argo CD's words. */
export const setConditionReasons = [
  ...faultReasons,
  "ApplicationSetInvalidRolloutConfig",
  "ApplicationSetModified",
  "ApplicationSetRolloutComplete",
  "ApplicationSetRolloutError",
  "ApplicationSetUpToDate",
  "ApplicationSetValidRolloutConfig",
  "ErrorOccurred",
  "ParametersGenerated",
] as const;

/** What is true of a set, in Argo CD's words. */
export type SetCondition = {
  readonly type: (typeof setConditionTypes)[number];
  readonly status: "True" | "False";
  readonly reason: (typeof setConditionReasons)[number];
  readonly message: string;
  /** Since when it has had this status. */
  readonly sinceMs: number;
};

type Judged = Omit<SetCondition, "sinceMs">;

/** What came of a set. */
export type SetOutcome = {
  /** What is wrong with it or any of its applications. */
  readonly fault: SetFault | undefined;
  /** Why not everything became an application that was to. */
  readonly ungenerated: ProblemDraft | undefined;
  readonly rollout: SetRollout | undefined;
};

export type SetRollout =
  | {
      readonly kind: "known";
      readonly statuses: readonly RolloutStatus[];
      /** What is odd about its steps. */
      readonly issue: string | undefined;
    }
  /** It could not be told this time: what was said of it stays. */
  | { readonly kind: "as-before" };

/** Everything there is to say about a set, sorted by type. The rollout's part is there only while it has one. */
export function setConditions(
  { fault, ungenerated, rollout }: SetOutcome,
  before: readonly SetCondition[],
  nowMs: number,
): readonly SetCondition[] {
  const judged: readonly Judged[] = [
    ...upToDateConditions(fault, rollout?.kind === "known" ? rollout.statuses : []),
    ungenerated === undefined
      ? condition(
          "ParametersGenerated",
          true,
          "ParametersGenerated",
          "Successfully generated parameters for all Applications",
        )
      : condition("ParametersGenerated", false, "ErrorOccurred", withCode(ungenerated)),
    ...rolloutConditions(rollout, before),
  ];
  const known = new Map(before.map((found) => [found.type, found]));
  return judged
    .map(({ type, status, reason, message }): SetCondition => {
      const last = known.get(type);
      const sinceMs = last?.status === status ? last.sinceMs : nowMs;
      return { type, status, reason, message, sinceMs };
    })
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

const condition = (
  type: Judged["type"],
  isTrue: boolean,
  reason: Judged["reason"],
  message: string,
): Judged => ({ type, status: isTrue ? "True" : "False", reason, message });

const withCode = ({ code, message }: ProblemDraft): string => `${code}: ${message}`;

function upToDateConditions(
  fault: SetFault | undefined,
  statuses: readonly RolloutStatus[],
): readonly Judged[] {
  if (fault !== undefined) {
    const message = withCode(fault.problem);
    return [
      condition("ErrorOccurred", true, fault.reason, message),
      condition("ResourcesUpToDate", false, "ErrorOccurred", message),
    ];
  }
  const held = heldSentence(statuses);
  const reason = held === undefined ? "ApplicationSetUpToDate" : "ApplicationSetModified";
  const message = held ?? "All applications are up to date";
  return [
    condition("ErrorOccurred", false, reason, message),
    condition("ResourcesUpToDate", held === undefined, reason, message),
  ];
}

/** What a rollout holds back; `undefined`: nothing. */
function heldSentence(statuses: readonly RolloutStatus[]): string | undefined {
  const waiting = statuses.filter(({ status }) => status === "Waiting");
  const lost = waiting.filter(isOfNoStep).length;
  const parts = [
    ...(waiting.length > lost
      ? [`${applications(waiting.length - lost)} for a step of the rollout`]
      : []),
    ...(lost > 0 ? [lostSentence(lost)] : []),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}

const isOfNoStep = ({ step }: RolloutStatus): boolean => step <= 0;

const applications = (count: number): string =>
  count === 1 ? "1 application waits" : `${count} applications wait`;

const lostSentence = (count: number): string =>
  `${applications(count)}, and no step of the rollout selects ${count === 1 ? "it" : "them"}`;

function rolloutConditions(
  rollout: SetRollout | undefined,
  before: readonly SetCondition[],
): readonly Judged[] {
  switch (rollout?.kind) {
    case undefined:
      return [];
    case "as-before":
      return before.filter(
        ({ type }) => type === "InvalidRolloutConfig" || type === "RolloutProgressing",
      );
    case "known":
      return [
        rollout.issue === undefined
          ? condition("InvalidRolloutConfig", false, "ApplicationSetValidRolloutConfig", "")
          : condition(
              "InvalidRolloutConfig",
              true,
              "ApplicationSetInvalidRolloutConfig",
              rollout.issue,
            ),
        progressCondition(rollout.statuses),
      ];
    default:
      return unreachable(rollout, "rollout of a set");
  }
}

function progressCondition(statuses: readonly RolloutStatus[]): Judged {
  let first = Infinity;
  let lost = 0;
  for (const one of statuses) {
    if (one.status !== "Healthy" && !isOfNoStep(one)) first = Math.min(first, one.step);
    if (one.status === "Waiting" && isOfNoStep(one)) lost += 1;
  }
  if (first !== Infinity)
    return condition(
      "RolloutProgressing",
      true,
      "ApplicationSetModified",
      `ApplicationSet is performing rollout of step ${first}`,
    );
  return lost > 0
    ? condition("RolloutProgressing", false, "ApplicationSetRolloutError", lostSentence(lost))
    : condition(
        "RolloutProgressing",
        false,
        "ApplicationSetRolloutComplete",
        "ApplicationSet Rollout has completed",
      );
}

/** The health of a set as a whole. */
export function setHealth(conditions: readonly SetCondition[]): HealthState {
  const isTrue = (type: SetCondition["type"]): boolean =>
    conditions.some((found) => found.type === type && found.status === "True");
  if (isTrue("ErrorOccurred")) return "Degraded";
  if (isTrue("RolloutProgressing")) return "Progressing";
  return isTrue("ResourcesUpToDate") ? "Healthy" : "Unknown";
}
