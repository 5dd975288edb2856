import type { OriginOutcome, OriginPlan, RolloutInput } from "../domain/plan/input.ts";
import type { Origin } from "../domain/origin.ts";
import type { FleetEventDraft } from "../domain/records.ts";
import { rolloutChange, type RolloutChange } from "../domain/rollout/record.ts";
import { rolloutStates } from "../domain/rollout/rollout.ts";

/** How the record of an origin's rollout changes. What failed leaves it as it is. */
export function rolloutChangeOf(
  { outcome }: { readonly outcome: OriginOutcome },
  plan: OriginPlan,
  before: RolloutInput | undefined,
): RolloutChange {
  if (before !== undefined) return rolloutChange(before.statuses, plan.rollout);
  return outcome.kind === "failed" ? { kind: "unchanged" } : { kind: "cleared" };
}

/** What a rollout tells people as it goes on: one sentence, whatever it moves. */
export function rolloutEvents(origin: Origin, change: RolloutChange): readonly FleetEventDraft[] {
  if (change.kind !== "changed" || change.written.length === 0) return [];
  const counts = rolloutStates.flatMap((state) => {
    const count = change.written.filter(({ status }) => status === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  const message = `the rollout of ${origin.name} goes on: ${counts.join(", ")}`;
  return [{ kind: "set-changed", subject: origin.name, cluster: "", message }];
}
