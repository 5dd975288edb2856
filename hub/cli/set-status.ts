import { number, parts, text, type Answer } from "./answer.ts";
import { oneLine, shortAge } from "./terminal.ts";

/** What every condition of a set is while all is well. A hub of another version may have more. */
const statusWhenWell: ReadonlyMap<string, string> = new Map([
  ["ErrorOccurred", "False"],
  ["InvalidRolloutConfig", "False"],
  ["ParametersGenerated", "True"],
  ["ResourcesUpToDate", "True"],
  ["RolloutProgressing", "False"],
]);

/** The conditions of a set that are not as they should be, a line each. What its problem says is not said again. */
export function conditionTexts(set: Answer, nowMs: number): readonly string[] {
  const problem = `${text(set, "problem", "code")}: ${text(set, "problem", "message")}`;
  return parts(set, "status", "conditions").flatMap((condition) => {
    const type = text(condition, "type");
    const status = text(condition, "status");
    const well = statusWhenWell.get(type);
    if (well === undefined || well === status) return [];
    const message = text(condition, "message");
    const sinceMs = Date.parse(text(condition, "lastTransitionTime"));
    const age = Number.isNaN(sinceMs) ? "" : ` for ${shortAge(sinceMs, nowMs)}`;
    const why = message === problem || message === "" ? "" : `: ${message}`;
    return [oneLine(`${type} is ${status}${age}, ${text(condition, "reason")}${why}`)];
  });
}

/** From the beginning of a rollout to its end. */
const rolloutOrder = ["Waiting", "Pending", "Progressing", "Healthy"];

/** How many applications are in which state in each step of a set's rollout. Those of no step come last. */
export function stepTexts(set: Answer): readonly (readonly [step: string, counts: string])[] {
  const statuses = parts(set, "status", "applicationStatus");
  const steps = new Map<number, Map<string, number>>();
  for (const one of statuses) {
    const counts = steps.get(number(one, "step")) ?? new Map<string, number>();
    const state = text(one, "status");
    counts.set(state, (counts.get(state) ?? 0) + 1);
    steps.set(number(one, "step"), counts);
  }
  const rank = (step: number): number => (step > 0 ? step : Infinity);
  const isCut = statuses.length > 0 && statuses.length < number(set, "status", "resourcesCount");
  return [
    ...[...steps]
      .toSorted(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
      .map(
        ([step, counts]) => [step > 0 ? `STEP ${step}` : "NO STEP", countsText(counts)] as const,
      ),
    ...(isCut ? [["", `of its first ${statuses.length} applications`] as const] : []),
  ];
}

const countsText = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([a], [b]) => rolloutOrder.indexOf(a) - rolloutOrder.indexOf(b))
    .map(([state, count]) => oneLine(`${count} ${state}`))
    .join(", ");
