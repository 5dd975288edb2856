import { unreachable } from "../../proto/kit/unreachable.ts";
import { desiredDigest, type DesiredApplication } from "../../proto/words/desired.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import { generationBeyond } from "../domain/generation-beyond.ts";
import type { Origin } from "../domain/origin.ts";
import type { Overtaking } from "../domain/overtaking.ts";
import type { ApplicationChange, ApplicationDraft, TombstoneDraft } from "../domain/records.ts";
import { draftDigest, draftFromRow, draftToRow, originFromRow } from "./application-rows.ts";
import { countedFromRow, fallenBehind, unreported } from "./application-status.ts";
import type { KnownCluster } from "./cluster-keys.ts";
import { pieces, type Writing } from "./database.ts";
import { entryFromRow } from "./desired-sets.ts";
import { writeJson } from "./json.ts";
import { labelRows } from "./labels.ts";
import { changedColumns, rowsOfStatement } from "./prepared-rows.ts";
import {
  noRows,
  writeRows,
  type EntryRow,
  type KnownApplication,
  type PublishingStatements,
} from "./publishing-rows.ts";

/** What the store has of an application. */
type Found = {
  readonly known: KnownApplication | undefined;
  readonly offered: EntryRow | undefined;
};

/** A cluster whose desired set this publication changes, and the version that does. */
type Touched = { readonly cluster: KnownCluster; readonly version: number };

/** The clusters an application is drafted for and runs in; `undefined` where there is none. */
type Place = {
  readonly drafted: KnownCluster | undefined;
  readonly runsIn: KnownCluster | undefined;
};

/** One publication on its way into the database. */
export class Recording {
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

  /** Makes one change. `refuse` is told whose the application is so far, and throws when that may not be. */
  async make(change: ApplicationChange, refuse: (owner: Origin) => void): Promise<void> {
    const { known, offered } = await this.#find(nameOf(change));
    if (known !== undefined) refuse(originFromRow(known));
    switch (change.kind) {
      case "remove":
        if (known !== undefined) await this.#remove(known, offered, change.tombstone);
        return;
      case "write":
        return this.#write(known, offered, change);
      default:
        return unreachable(change, "change of an application");
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
        await this.#renumber(cluster, known, offered, generationBeyond([generation]));
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
      .set({ generation: generationBeyond([generation]), changed_version: version })
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
    const offered = leaves === undefined ? offeredBefore : await this.#leave(offeredBefore, leaves);
    const target = desired === undefined ? undefined : await this.#cluster(desired.cluster);
    if (target !== undefined && offered !== undefined && offered.cluster_key !== target.key)
      throw new TypeError(`application ${record.name} may not leave a cluster without a tombstone`);
    const raised =
      desired === undefined || target === undefined
        ? undefined
        : await this.#raise(target, desired.entry, offered, known);
    const place = await this.#placeOf(record, target, offered);
    const draft: ApplicationDraft = {
      ...record,
      // What is offered may have been given another number since this was decided.
      generation: raised?.generation ?? offered?.generation ?? record.generation,
      clusterId: place.drafted?.id,
    };
    await this.#writeDraft(known, draft, place, raised);
    if (target !== undefined && raised !== undefined) await this.#offer(target, raised, offered);
  }

  /** Where an application is meant to run, and where it does: as long as it is offered elsewhere, there. */
  async #placeOf(
    { clusterId }: ApplicationDraft,
    target: KnownCluster | undefined,
    offered: EntryRow | undefined,
  ): Promise<Place> {
    const drafted = clusterId === undefined ? undefined : await this.#cluster(clusterId);
    const isElsewhere = offered !== undefined && offered.cluster_key !== drafted?.key;
    const runsIn =
      target ?? (isElsewhere ? await this.#clusterByKey(offered.cluster_key) : drafted);
    return { drafted, runsIn };
  }

  /** Writes what differs from what is known of the application, its labels and counts with it. */
  async #writeDraft(
    known: KnownApplication | undefined,
    draft: ApplicationDraft,
    { drafted, runsIn }: Place,
    raised: DesiredApplication | undefined,
  ): Promise<void> {
    const { db, counts } = this.#writing;
    const { name: application, document } = draft;
    const digest = draftDigest(draft);
    const moves = known !== undefined && known.cluster_key !== (runsIn?.key ?? null);
    if (known !== undefined && known.draft_digest === digest && !moves) return;
    const row = {
      ...draftToRow(draft, digest),
      drafted_cluster_key: drafted?.key ?? null,
      cluster_key: runsIn?.key ?? null,
      cluster_name: runsIn?.name ?? "",
      changed_at_ms: this.#atMs,
    };
    const status = known === undefined || moves ? unreported : behind(known, raised);
    this.#waiting.names.add(application);
    if (known === undefined) {
      this.#waiting.applications.push({ ...row, ...unreported, created_at_ms: this.#atMs });
      this.#waiting.found.push({ application });
    } else {
      const changed = changedColumns<KnownApplication>(known, { ...row, ...status });
      await this.#statements.updateApplication(db, { ...changed, key: known.key });
      if (moves) await this.#statements.dropResources(db, { application });
    }
    const { sync_status, health } = known ?? unreported;
    counts.application(
      known === undefined ? undefined : countedFromRow(known),
      countedFromRow({ sync_status, health, ...row, ...status }),
    );
    this.#waiting.documents.push({ application, document });
    if (known?.labels !== row.labels) this.#relabel(known, draft);
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
    return { ...entry, generation: generationBeyond([before, reported], entry.generation) };
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
      generation: generationBeyond([offered.generation], tombstone.generation),
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

export const nameOf = (change: ApplicationChange): ApplicationName =>
  change.kind === "write" ? change.record.name : change.name;
