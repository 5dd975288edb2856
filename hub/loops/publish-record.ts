import type { ClusterId } from "../../proto/words/ids.ts";
import type { OriginPlan, PlannedStep } from "../domain/plan/input.ts";
import type { Origin } from "../domain/origin.ts";
import type { ApplicationSetRecord } from "../domain/records.ts";
import type { RolloutChange } from "../domain/rollout/record.ts";
import type { Pace } from "./pace.ts";
import { rolloutEvents } from "./publish-rollout.ts";
import { setEvents, type SetRow } from "./publish-set-row.ts";
import type { PublishNeeds } from "./publish.ts";

/** What is written of one origin. */
export type Recording = {
  readonly origin: Origin;
  readonly plan: OriginPlan;
  /** `changes`: whether anything of its applications changes. */
  readonly set: (changes: boolean) => SetRow | "removed" | "unchanged";
  readonly setBefore: ApplicationSetRecord | undefined;
  readonly rollout: RolloutChange;
  readonly atMs: number;
};

/** What one transaction wrote. */
export type Piece = {
  readonly changes: number;
  /** Whether an application went, so that its name is free. */
  readonly freed: boolean;
  readonly changedClusters: readonly ClusterId[];
};

/** Steps of one transaction, unless one cluster has more. Whoever else reads or writes waits for one. */
const stepsEnough = 100;
/** Where even one cluster's steps are cut. */
const stepsMost = 4_000;

/**
 * Writes down what was decided, in pieces: whatever else reads or writes the store has its turn between them.
 * What one cluster is offered changes in one piece, unless that would be thousands of applications. The set is
 * written with the first piece, so that what is published is known as its own, and removed with the last. Its
 * rollout comes first too: an application that may go and has not gone is held back again, one that has gone
 * without being known to would open the next step. Whoever is stopped in between plans again and does the rest.
 *
 * Tells of each piece once it is written, since a later one may fail.
 */
export async function record(
  recording: Recording,
  needs: Pick<PublishNeeds, "record">,
  pace: Pace,
  onPiece: (piece: Piece) => void,
  signal: AbortSignal,
): Promise<void> {
  let pending: PlannedStep[] = [];
  let pieces = 0;
  const write = async (isLast: boolean): Promise<void> => {
    const steps = pending;
    pending = [];
    const isFirst = pieces === 0;
    pieces += 1;
    const written = await writePiece(recording, steps, { isFirst, isLast }, needs, signal);
    if (written !== undefined) onPiece(written);
  };
  for (const step of recording.plan.steps) {
    await pace.breathe(signal);
    if (step.changes.length === 0 && step.events.length === 0) continue;
    const last = pending.at(-1);
    const isCut = last !== undefined && last.cluster !== step.cluster;
    if (pending.length >= (isCut ? stepsEnough : stepsMost)) await write(false);
    pending.push(step);
  }
  await write(true);
}

/** `undefined` when there was nothing to write. */
async function writePiece(
  { origin, plan, set: rowOf, setBefore, rollout: wholeRollout, atMs }: Recording,
  steps: readonly PlannedStep[],
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  needs: Pick<PublishNeeds, "record">,
  signal: AbortSignal,
): Promise<Piece | undefined> {
  const changes = steps.flatMap((step) => step.changes);
  // A last piece that is not the first follows others that changed something.
  const row = isFirst || isLast ? rowOf(changes.length > 0 || !isFirst) : "unchanged";
  const isDue = row === "removed" ? isLast : isFirst;
  const set = isDue ? row : "unchanged";
  const rollout: RolloutChange = isFirst ? wholeRollout : { kind: "unchanged" };
  const events = [
    ...steps.flatMap((step) => step.events),
    ...(isDue ? plan.events : []),
    ...setEvents(origin, set, setBefore),
    ...rolloutEvents(origin, rollout),
  ];
  const isQuiet = set === "unchanged" && rollout.kind !== "changed";
  if (changes.length === 0 && events.length === 0 && isQuiet) return undefined;
  const { changedClusters } = await needs.record(
    { origin, set, changes, rollout, events, atMs },
    signal,
  );
  const freed = changes.some(({ kind }) => kind === "remove");
  return { changes: changes.length, freed, changedClusters };
}
