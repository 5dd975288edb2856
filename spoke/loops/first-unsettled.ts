import { objectName } from "../domain/conditions.ts";
import { explainHealth } from "../domain/health/index.ts";
import type { DesiredObject } from "../domain/plan.ts";
import type { OngoingPass } from "./ongoing-pass.ts";
import { findingsOf } from "./pod-looks.ts";

/** What the first object that is not well is waited for; `undefined` when all are. */
export function firstUnsettled(
  { work, needs }: OngoingPass,
  members: readonly DesiredObject[],
): string | undefined {
  const { inventories, view, nowMs } = needs;
  for (const { key, ignoreHealth, mayVanish } of members) {
    if (ignoreHealth) continue;
    const live = view.live(work, key);
    if (live === undefined) {
      if (mayVanish && inventories.of(work.application).get(key)?.applied !== "") continue;
      return `${objectName(key)} to be there`;
    }
    const health = explainHealth(live.object, findingsOf(work, live), nowMs());
    if (health === undefined || health.state === "Healthy" || health.state === "Suspended")
      continue;
    const why = health.message === "" ? health.state : `${health.state}: ${health.message}`;
    return `${objectName(key)} to be healthy (${why})`;
  }
  return undefined;
}
