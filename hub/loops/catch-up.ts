import { backoffMs, type BackoffPolicy } from "../../proto/kit/backoff.ts";
import { Bell } from "../../proto/kit/bell.ts";
import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import type { ClusterId } from "../../proto/words/ids.ts";
import { originKey, type Origin } from "../domain/origin.ts";
import type { Overtaking } from "../domain/overtaking.ts";

export type CatchUpNeeds = {
  readonly allTried: () => boolean;
  readonly isCurrent: (repository: string) => boolean;
  readonly overtaken: (signal: AbortSignal) => Promise<
    readonly (Overtaking & {
      readonly origin: Origin;
      readonly repository: string;
      readonly hasProblem: boolean;
    })[]
  >;
  readonly outnumber: (
    overtakings: readonly Overtaking[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
  /** Every cluster there is. */
  readonly clusters: (signal: AbortSignal) => Promise<readonly ClusterId[]>;
  readonly onClustersChanged: (clusters: readonly ClusterId[]) => void;
  /** Has what should be published looked at once more. */
  readonly lookAgain: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type CatchUp = {
  /** Catches up whenever there is a reason to, until aborted. */
  readonly run: (signal: AbortSignal) => Promise<never>;
  /** A pass over the fleet repository has ended: whether it left nothing waiting, and what fell over in it. */
  readonly onPass: (isComplete: boolean, failed: readonly Origin[]) => void;
  readonly onOvertaken: (overtakings: readonly Overtaking[]) => void;
  readonly vouchedFor: () => Vouched;
};

/**
 * How much of what is desired is known to be what Git has said since this process began, and not what a database
 * said that may be a backup. Of what falls over it is not known, and that must not keep all others waiting.
 */
type Vouched = "nothing" | "most" | "all";

const retry: BackoffPolicy = { firstMs: 1_000, factor: 2, mostMs: 60_000 };

/**
 * Gets a hub that was restored from a backup past what its spokes have seen.
 *
 * A restored hub remembers older generations than spokes hold, and spokes take no older ones. Whether the hub
 * or the spoke is right can only be told from Git: until it has been read since this process began, and
 * everything it says has been published, spokes keep what they have. Then whatever they have seen in a newer
 * generation is offered, or ordered away, in one that is newer still.
 *
 * A try that fails is made again after a growing pause, and costs nobody else anything.
 */
export function createCatchUp(fleetRepository: string, needs: CatchUpNeeds): CatchUp {
  const bell = new Bell();
  /** Orders to remove that were overtaken; those are remembered nowhere else. */
  const removals = new Map<string, Overtaking>();
  let vouched: Vouched = "nothing";
  /** Of some application it is not known what Git says. */
  let someLeft = false;
  /** All was read when the pass before this one ended, so that this one saw nothing else. */
  let hasRead = false;
  /** By key: what fell over in the last pass. */
  let failed: ReadonlySet<string> = new Set();

  async function catchUp(signal: AbortSignal): Promise<void> {
    // What is ordered away may be just what one that failed would want.
    const told = failed.size > 0 ? [] : [...removals];
    const offers = await needs.overtaken(signal);
    const known = offers.filter(
      ({ origin, repository, hasProblem }) =>
        !hasProblem && !failed.has(originKey(origin)) && needs.isCurrent(repository),
    );
    someLeft = known.length < offers.length || told.length < removals.size;
    const overtakings = [...known, ...told.map(([, removal]) => removal)];
    if (overtakings.length === 0) return;
    const { changedClusters } = await needs.outnumber(overtakings, needs.clock.nowMs(), signal);
    for (const [key, removal] of told) if (removals.get(key) === removal) removals.delete(key);
    if (changedClusters.length === 0) return;
    needs.log.warn("clusters had seen newer generations than this hub remembers", {
      applications: overtakings.length,
      clusters: changedClusters.length,
    });
    needs.onClustersChanged(changedClusters);
  }

  return {
    vouchedFor: () => vouched,
    onOvertaken: (overtakings) => {
      if (overtakings.length === 0) return;
      for (const overtaking of overtakings)
        if (overtaking.what === "removal")
          removals.set(`${overtaking.cluster} ${overtaking.application}`, overtaking);
      bell.ring();
    },
    onPass: (isComplete, failedNow) => {
      failed = new Set(failedNow.map(originKey));
      const before = vouched;
      if (vouched === "nothing" && isComplete && hasRead) vouched = "most";
      if (vouched === "most" && isComplete && failed.size === 0) vouched = "all";
      if (vouched !== before || someLeft) bell.ring();
      if (vouched !== "nothing") return;
      hasRead = needs.isCurrent(fleetRepository) && needs.allTried();
      if (hasRead) needs.lookAgain();
    },
    run: async (signal) => {
      let told: Vouched = "nothing";
      let failures = 0;
      for (;;) {
        await bell.wait(signal);
        if (vouched === "nothing") continue;
        const vouchedNow = vouched;
        try {
          await catchUp(signal);
          // Sessions that were kept waiting look at their clusters again.
          if (told !== vouchedNow) needs.onClustersChanged(await needs.clusters(signal));
          told = vouchedNow;
          failures = 0;
        } catch (error) {
          signal.throwIfAborted();
          failures += 1;
          needs.log[error instanceof Trouble ? "warn" : "error"]("catching up failed", {
            failures,
            problem: describeError(error),
            stack: error instanceof Trouble || !(error instanceof Error) ? undefined : error.stack,
          });
          await needs.clock.sleep(backoffMs(failures, retry, needs.random), signal);
          bell.ring();
        }
      }
    },
  };
}
