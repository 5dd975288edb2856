import type { Clock } from "../../proto/kit/clock.ts";
import type { Log } from "../../proto/kit/log.ts";
import { Trouble } from "../../proto/kit/trouble.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import type { ClusterFact, FileDialect } from "../domain/facts.ts";
import { readFleetDocuments } from "../domain/fleet-documents.ts";
import { problem, type ProblemDraft } from "../domain/problem.ts";
import type { Origin } from "../domain/origin.ts";
import type {
  ApplicationChange,
  ApplicationSetRecord,
  FleetEventDraft,
  PublishedApplication,
} from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import type { ShrinkLimits } from "../domain/shrink-guard.ts";
import type { ReadYaml } from "../domain/source-tree.ts";
import { createPace, type Guard } from "./pace.ts";
import type { PublishMemory } from "./publish-memory.ts";
import { Pass } from "./publish-pass.ts";
import type { SetRow } from "./publish-set-row.ts";
import type { SourceNeeds } from "./publish-sources.ts";
import { readFleet } from "./read-fleet.ts";
import type { NeededRepositories } from "./repositories.ts";
import type { RevisionState } from "./repository-loop.ts";

export type PublishNeeds = SourceNeeds & {
  /** Where a revision is; asking makes it watched. */
  readonly revision: (url: string, revision: string) => RevisionState;
  readonly setNeeded: (needed: NeededRepositories) => void;
  /** Shows a fault in what the fleet repository holds, or takes it back. */
  readonly complain: (url: string, problem: ProblemDraft | undefined) => void;
  readonly readYaml: ReadYaml;
  /** Sorted by name. */
  readonly clusters: (signal: AbortSignal) => Promise<readonly ClusterFact[]>;
  readonly findSet: (
    name: string,
    signal: AbortSignal,
  ) => Promise<ApplicationSetRecord | undefined>;
  readonly origins: (signal: AbortSignal) => Promise<readonly Origin[]>;
  readonly published: (
    origin: Origin,
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  /** How far the rollout of a set is, and what clusters say of its applications. */
  readonly rollout: (set: string, signal: AbortSignal) => Promise<RolloutRecord>;
  readonly owners: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<ApplicationName, Origin>>;
  /** What is published under these names, whoever has them. */
  readonly named: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  readonly record: (
    publication: {
      readonly origin: Origin;
      readonly set: SetRow | "removed" | "unchanged";
      readonly changes: readonly ApplicationChange[];
      readonly rollout: RolloutChange;
      readonly events: readonly FleetEventDraft[];
      readonly atMs: number;
    },
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
  /** Told at the end of a pass: what these clusters are offered changed. */
  readonly onClustersChanged: (clusters: readonly ClusterId[]) => void;
  readonly newTrace: () => string;
  /** Gives up on a stretch of generation that holds up everybody. */
  readonly guard: Guard;
  /** Resolves in the next turn of the event loop. */
  readonly nextTurn: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

export type PublishSettings = {
  /** Where ApplicationSets, Applications and AppProjects are written. */
  readonly fleet: { readonly url: string; readonly revision: string; readonly path: string };
  readonly shrink: ShrinkLimits;
  /** Whether one element that fails keeps its whole set as it was, as in Argo CD. */
  readonly wholeSets: boolean;
  /** How patterns of git files are read. */
  readonly fileDialect: FileDialect;
  /** Elements that one set may have. */
  readonly elementsMost: number;
  /** Longest stretch of work between two turns of the event loop. */
  readonly stretchMs: number;
};

export type PassOutcome = {
  /** The commit of the fleet repository that was published; `undefined` when none is known. */
  readonly commit: string | undefined;
  /** Origins that wait for a repository nobody has looked at yet; the look will wake us. */
  readonly waiting: number;
  /** Those that fell over for a reason of ours, to be tried again. */
  readonly failed: readonly Origin[];
  /** Whether something was freed that another origin may want. */
  readonly again: boolean;
  /** Whether the changes of some set wait for what clusters report. */
  readonly isRolling: boolean;
  /** When to look again though nothing moves, since clusters may have moved a rollout on. */
  readonly requeueAfterMs: number | undefined;
};

/**
 * Takes the newest known state of Git and of the fleet's clusters into the desired sets, one origin at a time.
 *
 * An origin that cannot be read, generated or rendered keeps what it had, beside the reason, and holds back
 * nobody else. Origins leave by tombstone, and only when the whole fleet repository could be read. Doing it
 * again changes nothing. Throws Trouble when the store or the fleet repository's copy fails.
 */
export async function publish(
  memory: PublishMemory,
  needs: PublishNeeds,
  settings: PublishSettings,
  signal: AbortSignal,
): Promise<PassOutcome> {
  const { fleet: place } = settings;
  const head = needs.revision(place.url, place.revision);
  if (head.kind !== "at")
    return {
      commit: undefined,
      waiting: 0,
      failed: [],
      again: false,
      isRolling: false,
      requeueAfterMs: undefined,
    };

  const pace = createPace(settings.stretchMs, needs.clock.nowMs, needs.nextTurn);
  const tree = await needs.openCommit(place.url, head.commit, signal);
  if (tree === undefined)
    throw new Trouble(`commit ${head.commit} of ${place.url} is not here any more`);
  const documents = await readFleet(tree, place.path, needs.readYaml, memory.parsed, pace, signal);
  const fleet = readFleetDocuments(documents);
  tellNotes(fleet.notes, head.commit, memory, needs);

  const pass = new Pass(memory, needs, settings, pace, head.commit, fleet, {
    clusters: await needs.clusters(signal),
    fleetTree: tree,
  });
  const outcome = await pass.run(signal);
  needs.complain(
    place.url,
    asOneComplaint([...fleet.problems.map((one) => one.problem), ...pass.homeless]),
  );
  return outcome;
}

/** What is wrong in the fleet repository and belongs to no set or application that could show it. */
function asOneComplaint(problems: readonly ProblemDraft[]): ProblemDraft | undefined {
  const [first, ...others] = problems;
  const more = others.length === 0 ? "" : ` (and ${others.length} more files or documents)`;
  return first && problem(first.code, `${first.message}${more}`);
}

function tellNotes(
  notes: readonly string[],
  commit: string,
  memory: PublishMemory,
  needs: PublishNeeds,
): void {
  if (memory.notesTold === commit) return;
  memory.notesTold = commit;
  for (const note of notes.slice(0, notesMost))
    needs.log.info("document ignored", { commit, note });
  if (notes.length > notesMost)
    needs.log.info("more documents ignored", { commit, count: notes.length - notesMost });
}

const notesMost = 20;
