import { sql } from "kysely";
import { desiredDigest, type DesiredApplication } from "../../proto/words/desired.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import { sameOrigin, type Origin } from "../domain/origin.ts";
import type {
  ApplicationChange,
  ApplicationDraft,
  ApplicationSetRecord,
  FleetEventDraft,
  Overtaking,
  PublishedApplication,
  TombstoneDraft,
} from "../domain/records.ts";
import type { RolloutChange, RolloutRecord } from "../domain/rollout/record.ts";
import {
  draftDigest,
  draftFromRow,
  draftToRow,
  originFromRow,
  type ApplicationRow,
} from "./application-rows.ts";
import { removeSet, writeSet } from "./application-sets.ts";
import { countedFromRow, fallenBehind, unreported } from "./application-status.ts";
import type { KnownCluster } from "./cluster-keys.ts";
import {
  breathing,
  eachPiece,
  pieces,
  rowsAtOnce,
  type Database,
  type Db,
  type Writing,
} from "./database.ts";
import { entryFromRow } from "./desired-sets.ts";
import { writeJson } from "./json.ts";
import { labelRows } from "./labels.ts";
import { changedColumns, rowsOfStatement } from "./prepared-rows.ts";
import {
  noRows,
  prepareStatements,
  writeRows,
  type EntryRow,
  type KnownApplication,
  type PublishingStatements,
} from "./publishing-rows.ts";
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
        await recording.inPieces(changes, nameOf, (change) => recording.make(change, origin));
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

/**
 * In pieces, so that a large origin holds nobody up. What changes meanwhile (a cluster goes, what is offered gets
 * another number) may be read as it was or as it is; recording looks again at what a cluster is offered.
 */
async function readPublished(
  database: Database,
  origin: Origin,
  signal: AbortSignal,
): Promise<readonly PublishedApplication[]> {
  const published: PublishedApplication[] = [];
  await eachPiece(
    (after) => database.read((db) => publishedAfter(db, origin, after), signal),
    (one) => {
      published.push(one);
      return one.draft.name;
    },
  );
  return published;
}

async function publishedAfter(
  db: Db,
  origin: Origin,
  after: string,
): Promise<readonly PublishedApplication[]> {
  const rows = await selectPublished(db)
    .where("a.origin_kind", "=", origin.kind)
    .where("a.origin_name", "=", origin.name)
    .where("a.name", ">", after as ApplicationName)
    .orderBy("a.name")
    .limit(rowsAtOnce)
    .execute();
  return withOffered(db, rows);
}

const publishedNamed = async (
  db: Db,
  names: readonly ApplicationName[],
): Promise<readonly PublishedApplication[]> =>
  withOffered(db, await selectPublished(db).where("a.name", "in", names).execute());

const selectPublished = (db: Db) =>
  db
    .selectFrom("applications as a")
    .innerJoin("application_documents as d", "d.application", "a.name")
    .leftJoin("clusters as c", "c.key", "a.drafted_cluster_key")
    .selectAll("a")
    .select(["d.document", "c.id as drafted_cluster"]);

type PublishedRow = ApplicationRow & { readonly drafted_cluster: ClusterId | null };

/** Adds what clusters are offered of these applications. */
async function withOffered(
  db: Db,
  rows: readonly PublishedRow[],
): Promise<readonly PublishedApplication[]> {
  if (rows.length === 0) return [];
  const offered = await db
    .selectFrom("desired_entries as e")
    .innerJoin("clusters as c", "c.key", "e.cluster_key")
    .selectAll("e")
    .select("c.id as cluster")
    .where(
      "e.application",
      "in",
      rows.map(({ name }) => name),
    )
    .execute();
  const entries = new Map(
    offered.map((row) => [row.application, { cluster: row.cluster, entry: entryFromRow(row) }]),
  );
  return rows.map(({ drafted_cluster: cluster, ...row }): PublishedApplication => ({
    draft: draftFromRow(row satisfies ApplicationRow, cluster ?? undefined),
    desired: entries.get(row.name),
  }));
}

/**
 * Every origin that has a set or an application.
 *
 * Hops from name to name through the index over origins: its cost is that of the origins, not of their
 * applications.
 */
async function distinctOrigins(db: Db): Promise<readonly Origin[]> {
  const { rows: sets } = await sql<{ name: string }>`
    with recursive hop (name) as (
      select min(origin_name) from applications where origin_kind = 'application-set'
      union all
      select (
        select min(a.origin_name) from applications as a
        where a.origin_kind = 'application-set' and a.origin_name > hop.name
      ) from hop where hop.name is not null
    )
    select name from hop where name is not null
    union select name from application_sets
    order by name
  `.execute(db);
  const plain = await db
    .selectFrom("applications")
    .select("origin_name")
    .distinct()
    .where("origin_kind", "=", "application")
    .orderBy("origin_name")
    .execute();
  return [
    ...sets.map(({ name }): Origin => ({ kind: "application-set", name })),
    ...plain.map((row): Origin => ({ kind: "application", name: row.origin_name })),
  ];
}

/** What the store has of an application. */
type Found = {
  readonly known: KnownApplication | undefined;
  readonly offered: EntryRow | undefined;
};

/** A cluster whose desired set this publication changes, and the version that does. */
type Touched = { readonly cluster: KnownCluster; readonly version: number };

/** One publication on its way into the database. */
class Recording {
  readonly #writing: Writing;
  readonly #statements: PublishingStatements;
  readonly #atMs: number;
  readonly #clusters = new Map<ClusterId, KnownCluster | undefined>();
  readonly #touched = new Map<ClusterId, Touched>();
  readonly #found = new Map<ApplicationName, Found>();
  #waiting = noRows();

  constructor(writing: Writing, statements: PublishingStatements, atMs: number) {
    this.#writing = writing;
    this.#statements = statements;
    this.#atMs = atMs;
  }

  /** Does what is to be done about each application, with a few statements for many of them, and breathes. */
  async inPieces<T>(
    items: readonly T[],
    nameOfItem: (item: T) => ApplicationName,
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    for (const some of pieces(items, rowsOfStatement)) {
      await this.#readAhead(some.map(nameOfItem));
      for (const item of some) {
        await work(item);
        await this.#writing.breathe();
      }
      await this.#writeDown();
    }
  }

  /** Reads what there is of the applications that change next, with a few statements for all of them. */
  async #readAhead(names: readonly ApplicationName[]): Promise<void> {
    const { db } = this.#writing;
    const rows = await this.#statements.applicationsOf(
      db,
      names.map((application) => ({ application })),
    );
    const known = new Map(rows.map((row) => [row.name, row]));
    // Nothing is offered that is no application.
    const entries = await this.#statements.entriesOf(
      db,
      rows.map(({ name }) => ({ application: name })),
    );
    const offered = new Map(entries.map((entry) => [entry.application, entry]));
    for (const name of names)
      this.#found.set(name, { known: known.get(name), offered: offered.get(name) });
  }

  async make(change: ApplicationChange, origin: Origin): Promise<void> {
    const name = nameOf(change);
    const { known, offered } = await this.#find(name);
    if (known !== undefined && !mayChange(change, origin, originFromRow(known)))
      throw new TypeError(
        `application ${name} is of ${known.origin_kind} ${known.origin_name}, not of ` +
          `${origin.kind} ${origin.name}`,
      );
    if (change.kind === "remove") {
      if (known !== undefined) await this.#remove(known, offered, change.tombstone);
    } else {
      await this.#write(known, offered, change);
    }
  }

  /** What there is of an application before it changes. Given once: after the change it is something else. */
  async #find(name: ApplicationName): Promise<Found> {
    if (this.#waiting.names.has(name)) await this.#writeDown();
    if (!this.#found.has(name)) await this.#readAhead([name]);
    const found = this.#found.get(name);
    if (found === undefined) throw new TypeError(`application ${name} was not read`);
    this.#found.delete(name);
    return found;
  }

  /** Gives what the cluster should have, or lose, a number it has not seen. Nothing to do when it has one. */
  async outnumber({ what, cluster: id, application, generation }: Overtaking): Promise<void> {
    const { db } = this.#writing;
    const cluster = await this.#cluster(id);
    if (cluster === undefined) return;
    if (what === "offer") {
      const { known, offered } = await this.#find(application);
      if (known === undefined || offered?.cluster_key !== cluster.key) return;
      if (offered.generation < generation)
        await this.#renumber(cluster, known, offered, generation + 1);
      return;
    }
    const [tombstone] = await this.#statements.tombstoneGeneration(db, {
      cluster: cluster.key,
      application,
    });
    if (tombstone === undefined || tombstone.generation > generation) return;
    const { version } = this.#touch(cluster);
    await db
      .updateTable("tombstones")
      .set({ generation: generation + 1, changed_version: version })
      .where("cluster_key", "=", cluster.key)
      .where("application", "=", application)
      .where("carried_out_at_ms", "is", null)
      .execute();
  }

  async #renumber(
    cluster: KnownCluster,
    known: KnownApplication,
    offered: EntryRow,
    generation: number,
  ): Promise<void> {
    const { name: application } = known;
    const [long] = await this.#statements.documentOf(this.#writing.db, { application });
    if (long === undefined) return;
    const drafted =
      known.drafted_cluster_key === null
        ? undefined
        : await this.#clusterByKey(known.drafted_cluster_key);
    await this.#write(known, offered, {
      kind: "write",
      record: draftFromRow({ ...known, ...long }, drafted?.id),
      desired: { cluster: cluster.id, entry: { ...entryFromRow(offered), generation } },
      leaves: undefined,
    });
  }

  /** Writes what waits. */
  async #writeDown(): Promise<void> {
    const rows = this.#waiting;
    this.#waiting = noRows();
    await writeRows(this.#writing.db, this.#statements, rows);
  }

  /** Writes what waits, and the new versions and roots. Returns whose they are. */
  async finish(): Promise<readonly ClusterId[]> {
    const { db, breathe } = this.#writing;
    await this.#writeDown();
    for (const { cluster, version } of this.#touched.values()) {
      const root = await this.#statements.rootOf(db, cluster.key);
      await this.#statements.setDesired(db, { cluster: cluster.key, version, root });
      await breathe();
    }
    return [...this.#touched.keys()];
  }

  async #remove(
    known: KnownApplication,
    offered: EntryRow | undefined,
    tombstone: TombstoneDraft | undefined,
  ): Promise<void> {
    const { db, counts } = this.#writing;
    const left = tombstone === undefined ? offered : await this.#leave(offered, tombstone);
    if (left !== undefined)
      throw new TypeError(`application ${known.name} may not be removed without a tombstone`);
    counts.application(countedFromRow(known), undefined);
    this.#waiting.names.add(known.name);
    this.#waiting.lost.push({ key: known.key });
    // Its document, labels, resources and images go with it.
    await this.#statements.removeApplication(db, { key: known.key });
  }

  async #write(
    known: KnownApplication | undefined,
    offeredBefore: EntryRow | undefined,
    { record, desired, leaves }: Extract<ApplicationChange, { kind: "write" }>,
  ): Promise<void> {
    const { db, counts } = this.#writing;
    const offered = leaves === undefined ? offeredBefore : await this.#leave(offeredBefore, leaves);
    const drafted =
      record.clusterId === undefined ? undefined : await this.#cluster(record.clusterId);
    const target = desired === undefined ? undefined : await this.#cluster(desired.cluster);
    if (target !== undefined && offered !== undefined && offered.cluster_key !== target.key)
      throw new TypeError(`application ${record.name} may not leave a cluster without a tombstone`);

    const raised =
      desired === undefined || target === undefined
        ? undefined
        : await this.#raise(target, desired.entry, offered, known);
    const runsIn =
      target ??
      (offered === undefined || offered.cluster_key === drafted?.key
        ? drafted
        : await this.#clusterByKey(offered.cluster_key));
    // What is offered may have been given another number since this was decided.
    const generation = raised?.generation ?? offered?.generation ?? record.generation;
    const draft: ApplicationDraft = {
      ...record,
      generation,
      clusterId: drafted?.id,
    };
    const digest = draftDigest(draft);
    const moves = known !== undefined && known.cluster_key !== (runsIn?.key ?? null);
    if (known === undefined || known.draft_digest !== digest || moves) {
      const row = {
        ...draftToRow(draft, digest),
        drafted_cluster_key: drafted?.key ?? null,
        cluster_key: runsIn?.key ?? null,
        cluster_name: runsIn?.name ?? "",
        changed_at_ms: this.#atMs,
      };
      const status = known === undefined || moves ? unreported : behind(known, raised);
      this.#waiting.names.add(record.name);
      if (known === undefined) {
        this.#waiting.applications.push({ ...row, ...unreported, created_at_ms: this.#atMs });
        this.#waiting.found.push({ application: record.name });
      } else {
        const changed = changedColumns<KnownApplication>(known, { ...row, ...status });
        await this.#statements.updateApplication(db, { ...changed, key: known.key });
        if (moves) await this.#statements.dropResources(db, { application: record.name });
      }
      const { sync_status, health } = known ?? unreported;
      counts.application(
        known === undefined ? undefined : countedFromRow(known),
        countedFromRow({ sync_status, health, ...row, ...status }),
      );
      this.#waiting.documents.push({ application: record.name, document: record.document });
      if (known?.labels !== row.labels) this.#relabel(known, record);
    }
    if (desired !== undefined && target !== undefined && raised !== undefined)
      await this.#offer(target, raised, offered);
  }

  #relabel(
    known: KnownApplication | undefined,
    { name: application, labels }: ApplicationDraft,
  ): void {
    if (known !== undefined) this.#waiting.unlabelled.push({ application });
    for (const row of labelRows(labels)) this.#waiting.labels.push({ application, ...row });
  }

  /** The entry with a generation beyond all before it; `undefined` when it is what is offered already. */
  async #raise(
    target: KnownCluster,
    entry: DesiredApplication,
    offered: EntryRow | undefined,
    known: KnownApplication | undefined,
  ): Promise<DesiredApplication | undefined> {
    if (offered !== undefined && offered.digest === desiredDigest(entry)) return undefined;
    // A hub that was restored from a backup hears of newer generations than it gave out.
    const reported = known?.cluster_key === target.key ? known.stored_generation : 0;
    const before = offered?.generation ?? (await this.#liftTombstone(target, entry.application));
    return { ...entry, generation: Math.max(entry.generation, before + 1, reported + 1) };
  }

  /** Returns the highest generation the application ever had in a cluster that is not offered it. */
  async #liftTombstone(cluster: KnownCluster, application: ApplicationName): Promise<number> {
    const { db } = this.#writing;
    const place = { cluster: cluster.key, application };
    const [tombstone] = await this.#statements.tombstoneGeneration(db, place);
    if (tombstone === undefined) return cluster.generation_floor;
    await this.#statements.dropTombstone(db, place);
    return tombstone.generation;
  }

  async #offer(
    target: KnownCluster,
    entry: DesiredApplication,
    offered: EntryRow | undefined,
  ): Promise<void> {
    const { version } = this.#touch(target);
    const row: EntryRow = {
      cluster_key: target.key,
      application: entry.application,
      generation: entry.generation,
      revision: entry.revision,
      bundle: entry.bundle,
      project: entry.project,
      destination_namespace: entry.destinationNamespace,
      policy: writeJson(entry.policy),
      trace: entry.trace,
      digest: desiredDigest(entry),
      changed_version: version,
      service_account: entry.serviceAccount ?? null,
    };
    this.#waiting.names.add(entry.application);
    if (offered === undefined) this.#waiting.entries.push(row);
    else
      await this.#statements.updateEntry(this.#writing.db, {
        ...changedColumns(offered, row),
        application: entry.application,
      });
  }

  /** Withdraws what a cluster is offered and leaves a tombstone. Returns what is still offered, by another cluster. */
  async #leave(
    offered: EntryRow | undefined,
    tombstone: TombstoneDraft,
  ): Promise<EntryRow | undefined> {
    const cluster = await this.#cluster(tombstone.cluster);
    if (cluster === undefined || offered?.cluster_key !== cluster.key) return offered;
    const { version } = this.#touch(cluster);
    const { application } = offered;
    await this.#statements.dropEntry(this.#writing.db, { application });
    await this.#statements.addTombstone(this.#writing.db, {
      cluster_key: cluster.key,
      application,
      generation: Math.max(tombstone.generation, offered.generation + 1),
      cause: tombstone.cause,
      actor: tombstone.actor,
      keep_objects: tombstone.keepObjects ? 1 : 0,
      changed_version: version,
      carried_out_at_ms: null,
      service_account: offered.service_account,
    });
    return undefined;
  }

  /** `undefined` for a cluster that was removed while the publication was prepared. */
  async #cluster(id: ClusterId): Promise<KnownCluster | undefined> {
    if (!this.#clusters.has(id))
      this.#clusters.set(id, await this.#statements.clusterOf(this.#writing.db, id));
    return this.#clusters.get(id);
  }

  async #clusterByKey(key: number): Promise<KnownCluster | undefined> {
    const [found] = await this.#statements.clusterIdOf(this.#writing.db, { key });
    return found === undefined ? undefined : this.#cluster(found.id);
  }

  #touch(cluster: KnownCluster): Touched {
    const touched = this.#touched.get(cluster.id) ?? {
      cluster,
      version: cluster.desired_version + 1,
    };
    this.#touched.set(cluster.id, touched);
    return touched;
  }
}

/** What a new generation makes of a status: synced it is not, until the cluster says so again. */
const behind = (
  known: KnownApplication,
  raised: DesiredApplication | undefined,
): Partial<typeof fallenBehind> =>
  raised !== undefined && known.sync_status === "Synced" ? fallenBehind : {};

/** Whether an origin may change an application of `owner`: its own, and what it takes over from just that one. */
const mayChange = (change: ApplicationChange, origin: Origin, owner: Origin): boolean =>
  sameOrigin(owner, origin) ||
  (change.kind === "write" &&
    change.takenFrom !== undefined &&
    sameOrigin(owner, change.takenFrom));

const nameOf = (change: ApplicationChange): ApplicationName =>
  change.kind === "write" ? change.record.name : change.name;
