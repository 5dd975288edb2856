import type { ApplicationName } from "../../../proto/words/ids.ts";
import { codes } from "../problem.ts";
import type { PublishedApplication } from "../records.ts";
import { waitsForConsent } from "../shrink-guard.ts";
import { seeInSlices, type Sliced } from "../sliced.ts";
import type { Planning } from "./input.ts";
import { isReleased, type RolloutPlan } from "./rollout.ts";
import { moves, type Verdict } from "./verdict.ts";

/** What the removals of an origin are judged by. */
export type Removals = {
  readonly own: readonly PublishedApplication[];
  /** What it takes over now. */
  readonly taken: readonly PublishedApplication[];
  /** What it wants no more. */
  readonly gone: readonly PublishedApplication[];
  readonly verdicts: readonly Verdict[];
  readonly rollout: RolloutPlan | undefined;
};

/** The removals that wait for consent: all of them or none. */
export function* heldRemovals(
  input: Planning,
  { own, taken, gone, verdicts, rollout }: Removals,
): Sliced<readonly ApplicationName[]> {
  const deletes: PublishedApplication[] = [];
  yield* seeInSlices(gone, (published) => {
    if (deletesObjects(published)) deletes.push(published);
  });
  yield* seeInSlices(verdicts, (verdict) => {
    if (verdict.before === undefined || !moves(verdict) || !isReleased(verdict, rollout)) return;
    if (deletesObjects(verdict.before)) deletes.push(verdict.before);
  });
  const ownOffered = yield* countOffered(own);
  const offered = ownOffered + (yield* countOffered(taken));
  const takenNames = new Set(taken.map(({ draft }) => draft.name));
  const ownDeletes = deletes.filter(({ draft }) => !takenNames.has(draft.name));
  const wait = (removals: readonly PublishedApplication[], among: number): boolean =>
    waitsForConsent(
      {
        removals: removals.length,
        offered: among,
        // What waits goes on waiting: else it would be enough that the origin grows meanwhile.
        waiting: removals.filter(isHeld).length,
        originRemoved: input.outcome.kind === "removed",
      },
      input.shrink,
    );
  // An origin that grows by what it takes over may not lose more of its own for that.
  return !input.consent && (wait(ownDeletes, ownOffered) || wait(deletes, offered))
    ? deletes.map(({ draft }) => draft.name).toSorted()
    : [];
}

function* countOffered(all: readonly PublishedApplication[]): Sliced<number> {
  let count = 0;
  yield* seeInSlices(all, (published) => {
    if (deletesObjects(published)) count += 1;
  });
  return count;
}

const isHeld = ({ draft }: PublishedApplication): boolean =>
  draft.problem?.code === codes.removalsHeld;

const deletesObjects = (published: PublishedApplication): boolean =>
  published.desired !== undefined && !published.draft.keepObjects;
