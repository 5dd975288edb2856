/** Best to worst, in Argo CD's order; a roll-up takes the worst. */
export const healthStates = [
  "Healthy",
  "Suspended",
  "Progressing",
  "Missing",
  "Degraded",
  "Unknown",
] as const;

export type HealthState = (typeof healthStates)[number];

export type Health = {
  readonly state: HealthState;
  /** Why, for people; empty when there is nothing to add. */
  readonly message: string;
};

const rank: ReadonlyMap<HealthState, number> = new Map(
  healthStates.map((state, index) => [state, index]),
);

/** The worst of several; nothing at all is Healthy. */
export function worstHealth(states: Iterable<HealthState>): HealthState {
  let worst: HealthState = "Healthy";
  for (const state of states) {
    if ((rank.get(state) ?? 0) > (rank.get(worst) ?? 0)) worst = state;
  }
  return worst;
}
