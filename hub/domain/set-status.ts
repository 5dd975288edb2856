import type { Health, HealthState } from "../../proto/words/health.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { Problem } from "./records.ts";
import type { RolloutStatus } from "./rollout/rollout.ts";

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

/** What is true of a set, in Argo CD's words. */
export type SetCondition = {
  readonly type: (typeof setConditionTypes)[number];
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
};

/** Why the parameters of a set could not be generated, rather than its applications not be written. */
const generationCodes = /^WH-GEN-310[1234]$|^WH-TPL-/;

/** Everything there is to say about a set, sorted by type. The rollout's part is there only while it has one. */
export function setConditions(set: {
  readonly problem: Problem | undefined;
  readonly rollout:
    | { readonly statuses: readonly RolloutStatus[]; readonly issue: string | undefined }
    | undefined;
}): readonly SetCondition[] {
  const { problem, rollout } = set;
  const failsToGenerate = problem !== undefined && generationCodes.test(problem.code);
  const conditions: SetCondition[] = [
    problem === undefined
      ? condition(
          "ErrorOccurred",
          false,
          "ApplicationSetUpToDate",
          "All applications are up to date",
        )
      : condition("ErrorOccurred", true, problem.code, problem.message),
    condition(
      "ParametersGenerated",
      !failsToGenerate,
      failsToGenerate ? "ErrorOccurred" : "ParametersGenerated",
      failsToGenerate ? problem.message : "Successfully generated parameters for all Applications",
    ),
    problem === undefined
      ? condition(
          "ResourcesUpToDate",
          true,
          "ApplicationSetUpToDate",
          "All applications are up to date",
        )
      : condition("ResourcesUpToDate", false, "ErrorOccurred", problem.message),
  ];
  if (rollout !== undefined) {
    const { statuses, issue } = rollout;
    conditions.push(
      issue === undefined
        ? condition("InvalidRolloutConfig", false, "ApplicationSetValidRolloutConfig", "")
        : condition("InvalidRolloutConfig", true, "ApplicationSetInvalidRolloutConfig", issue),
      rolloutCondition(statuses),
    );
  }
  return conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

const condition = (
  type: SetCondition["type"],
  isTrue: boolean,
  reason: string,
  message: string,
): SetCondition => ({ type, status: isTrue ? "True" : "False", reason, message });

function rolloutCondition(statuses: readonly RolloutStatus[]): SetCondition {
  const steps = statuses
    .filter(({ status, step }) => status !== "Healthy" && step > 0)
    .map(({ step }) => step);
  return steps.length === 0
    ? condition(
        "RolloutProgressing",
        false,
        "ApplicationSetRolloutComplete",
        "ApplicationSet Rollout has completed",
      )
    : condition(
        "RolloutProgressing",
        true,
        "ApplicationSetModified",
        `ApplicationSet is performing rollout of step ${Math.min(...steps)}`,
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
