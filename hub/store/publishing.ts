import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import { sameOrigin, type Origin } from "../domain/origin.ts";
import type { Overtaking } from "../domain/overtaking.ts";
import type {
  ApplicationChange,
  ApplicationSetRecord,
  FleetEventDraft,
  PublishedApplication,
} from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import { originFromRow } from "./application-rows.ts";
import { removeSet, writeSet } from "./application-sets.ts";
import { breathing, pieces, type Database } from "./database.ts";
import { distinctOrigins, publishedNamed, readPublished } from "./published.ts";
import { prepareStatements } from "./publishing-rows.ts";
import { nameOf, Recording } from "./recording.ts";
import { readRolloutRecord } from "./rollouts.ts";

type Publication = {
  readonly origin: Origin;
  /**
   * For application sets: the newest row; "removed" deletes it; "unchanged" leaves it. Plain applications
   * pass "unchanged".
   */
  readonly set: Omit<ApplicationSetRecord, "applications"> | "removed" | "unchanged";
  readonly changes: readonly ApplicationChange[];
  /** Of a set's rollout; unchanged when it is left out. */
  readonly rollout?: RolloutChange;
  readonly events: readonly FleetEventDraft[];
  readonly atMs: number;
};

export type Publishing = {
  readonly origins: (signal: AbortSignal) => Promise<readonly Origin[]>;
  /** Sorted by name. */
  readonly published: (
    origin: Origin,
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  /** What is published under these names, whoever has them. */
  readonly named: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<readonly PublishedApplication[]>;
  /** Empty for a set without a rollout. */
  readonly rollout: (set: string, signal: AbortSignal) => Promise<RolloutRecord>;
  readonly owners: (
    names: readonly ApplicationName[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<ApplicationName, Origin>>;
  /**
   * One transaction: the set's row, every change, versions and roots of the clusters touched, events.
   *
   * Generations only grow: an entry that differs from the one offered, and a tombstone, get a generation
   * beyond every one the application had in that cluster, also when the draft says less. An entry equal to
   * the one offered moves nothing. Whatever concerns a cluster that is removed is passed over. Throws
   * TypeError, and writes nothing, when an application would leave a cluster without a tombstone or take
   * the name of another origin's, unless the change says that it takes over from just that one.
   */
  readonly record: (
    publication: Publication,
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
  /** What is offered in an older generation than the one its cluster reported to hold. Reads all that is offered. */
  readonly overtaken: (signal: AbortSignal) => Promise<
    readonly (Overtaking & {
      readonly origin: Origin;
      /** Where the application's source is. */
      readonly repository: string;
      /** What is offered is the last good state, and not what Git says. */
      readonly hasProblem: boolean;
    })[]
  >;
  /**
   * Gives what is offered, or the order to remove it, a generation beyond the one the cluster holds. For when
   * what is offered is known to be what Git says. What has changed meanwhile is left alone.
   */
  readonly outnumber: (
    overtakings: readonly Overtaking[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly changedClusters: readonly ClusterId[] }>;
};

/**
 * What is recorded is one transaction. Lists of applications are read in pieces, each of one moment: what changes
 * in between may be read as it was or as it is.
 */
export function createPublishing(database: Database): Publishing {
  const statements = prepareStatements(database.db);

  return {
    origins: (signal) => database.read(distinctOrigins, signal),

    published: (origin, signal) => readPublished(database, origin, signal),

    named: async (names, signal) => {
      const found: PublishedApplication[] = [];
      const breathe = breathing();
      for (const some of pieces(names)) {
        found.push(...(await database.read((db) => publishedNamed(db, some), signal)));
        await breathe();
      }
      return found;
    },

    rollout: (set, signal) => readRolloutRecord(database, set, signal),

    owners: async (names, signal) => {
      const owners = new Map<ApplicationName, Origin>();
      const breathe = breathing();
      for (const some of pieces(names)) {
        const rows = await database.read(
          (db) =>
            db
              .selectFrom("applications")
              .select(["name", "origin_kind", "origin_name"])
              .where("name", "in", some)
              .execute(),
          signal,
        );
        for (const row of rows) owners.set(row.name, originFromRow(row));
        await breathe();
      }
      return owners;
    },

    record: (publication, signal) =>
      database.write(async (writing) => {
        const { origin, set, changes, rollout, events, atMs } = publication;
        const recording = new Recording(writing, statements, atMs);
        if (set === "removed") await removeSet(writing.db, origin.name);
        else if (set !== "unchanged") await writeSet(writing.db, set);
        await recording.inPieces(changes, nameOf, (change) =>
          recording.make(change, (owner) => refuseTheirs(change, origin, owner)),
        );
        if (origin.kind === "application-set" && set !== "removed" && rollout !== undefined)
          await statements.writeRollout(writing, origin.name, rollout);
        const changedClusters = await recording.finish();
        for (const event of events) writing.append(event, atMs);
        return { changedClusters };
      }, signal),

    overtaken: (signal) =>
      database.read(async (db) => {
        const rows = await db
          .selectFrom("applications as a")
          .innerJoin("desired_entries as e", "e.application", "a.name")
          .innerJoin("clusters as c", "c.key", "e.cluster_key")
          .select([
            "a.name",
            "a.origin_kind",
            "a.origin_name",
            "a.source_repo_url",
            "a.stored_generation",
            "a.problem_code",
            "c.id as cluster",
          ])
          .whereRef("a.cluster_key", "=", "e.cluster_key")
          .whereRef("a.stored_generation", ">", "e.generation")
          .execute();
        return rows.map((row) => ({
          what: "offer" as const,
          cluster: row.cluster,
          application: row.name,
          generation: row.stored_generation,
          origin: originFromRow(row),
          repository: row.source_repo_url,
          hasProblem: row.problem_code !== null,
        }));
      }, signal),

    outnumber: (overtakings, atMs, signal) =>
      database.write(async (writing) => {
        const recording = new Recording(writing, statements, atMs);
        await recording.inPieces(
          overtakings,
          ({ application }) => application,
          (overtaking) => recording.outnumber(overtaking),
        );
        return { changedClusters: await recording.finish() };
      }, signal),
  };
}

/** Throws TypeError unless the origin may make this change to an application of `owner`. */
function refuseTheirs(change: ApplicationChange, origin: Origin, owner: Origin): void {
  if (mayChange(change, origin, owner)) return;
  throw new TypeError(
    `application ${nameOf(change)} is of ${owner.kind} ${owner.name}, not of ` +
      `${origin.kind} ${origin.name}`,
  );
}

/** Whether an origin may change an application of `owner`: its own, and what it takes over from just that one. */
const mayChange = (change: ApplicationChange, origin: Origin, owner: Origin): boolean =>
  sameOrigin(owner, origin) ||
  (change.kind === "write" &&
    change.takenFrom !== undefined &&
    sameOrigin(owner, change.takenFrom));
