import type { ClusterId } from "../../proto/words/ids.ts";
import type { OriginPlan, PlannedStep } from "../domain/plan/input.ts";
import type { ApplicationSetRecord, Origin } from "../domain/records.ts";
import type { RolloutChange } from "../domain/rollout/record.ts";
import { rolloutEvents, setEvents, type SetRow } from "./publish-origin.ts";
import type { Pace } from "./pace.ts";
import type { PublishNeeds } from "./publish.ts";

/** What is written of one origin besides its steps. */
export type Recording = {
  readonly origin: Origin;
  readonly plan: OriginPlan;
  /** `changes`: whether anything of its applications changes. */
  readonly set: (changes: boolean) => SetRow | "removed" | "unchanged";
  readonly setBefore: ApplicationSetRecord | undefined;
  readonly rollout: RolloutChange;
  readonly atMs: number;
};

export type Recorded = {
  readonly changes: number;
  /** Whether an application went, so that its name is free. */
  readonly freed: boolean;
  readonly changedClusters: ReadonlySet<ClusterId>;
};

/** Steps of one transaction, unless one cluster has more. Whoever else reads or writes waits for one. */
const stepsEnough = 100;
/** Where even one cluster's steps are cut. */
const stepsMost = 4_000;

/**
 * Writes down what was decided, in pieces: whatever else reads or writes the store has its turn between them.
 * A cluster's part is one piece, so that it is offered as a whole. The set is written with the first piece, so
 * that what is published is known as its own, and removed with the last; its rollout comes last, so that it says
 * what was done. Whoever is stopped in between plans again and does the rest.
 */
export async function record(
  recording: Recording,
  needs: Pick<PublishNeeds, "record">,
  pace: Pace,
  /** Told of clusters as they change, since a later piece may fail. */
  onChanged: (clusters: readonly ClusterId[]) => void,
  signal: AbortSignal,
): Promise<Recorded> {
  const writer = new Writer(recording, needs, onChanged, signal);
  for (const step of recording.plan.steps) {
    await pace.breathe(signal);
    await writer.add(step);
  }
  return writer.finish();
}

class Writer {
  readonly #recording: Recording;
  readonly #needs: Pick<PublishNeeds, "record">;
  readonly #onChanged: (clusters: readonly ClusterId[]) => void;
  readonly #signal: AbortSignal;
  #pending: PlannedStep[] = [];
  #pieces = 0;
  #changes = 0;
  #freed = false;
  readonly #changedClusters = new Set<ClusterId>();

  constructor(
    recording: Recording,
    needs: Pick<PublishNeeds, "record">,
    onChanged: (clusters: readonly ClusterId[]) => void,
    signal: AbortSignal,
  ) {
    this.#recording = recording;
    this.#needs = needs;
    this.#onChanged = onChanged;
    this.#signal = signal;
  }

  async add(step: PlannedStep): Promise<void> {
    if (step.changes.length === 0 && step.events.length === 0) return;
    const last = this.#pending.at(-1);
    const isCut = last !== undefined && last.cluster !== step.cluster;
    if (this.#pending.length >= (isCut ? stepsEnough : stepsMost)) await this.#write(false);
    this.#pending.push(step);
    this.#changes += step.changes.length;
    this.#freed ||= step.changes.some(({ kind }) => kind === "remove");
  }

  async finish(): Promise<Recorded> {
    await this.#write(true);
    return {
      changes: this.#changes,
      freed: this.#freed,
      changedClusters: this.#changedClusters,
    };
  }

  async #write(isLast: boolean): Promise<void> {
    const { origin, plan, setBefore, atMs } = this.#recording;
    const isFirst = this.#pieces === 0;
    const row = this.#recording.set(this.#changes > 0);
    const isDue = row === "removed" ? isLast : isFirst;
    const set = isDue ? row : "unchanged";
    const rollout: RolloutChange = isLast ? this.#recording.rollout : { kind: "unchanged" };
    const steps = this.#pending;
    this.#pending = [];
    this.#pieces += 1;
    const changes = steps.flatMap((step) => step.changes);
    const events = [
      ...steps.flatMap((step) => step.events),
      ...(isFirst ? plan.events : []),
      ...setEvents(origin, set, setBefore),
      ...rolloutEvents(origin, rollout),
    ];
    const isQuiet = set === "unchanged" && rollout.kind !== "changed";
    if (changes.length === 0 && events.length === 0 && isQuiet) return;
    const { changedClusters } = await this.#needs.record(
      { origin, set, changes, rollout, events, atMs },
      this.#signal,
    );
    for (const cluster of changedClusters) this.#changedClusters.add(cluster);
    this.#onChanged(changedClusters);
  }
}
