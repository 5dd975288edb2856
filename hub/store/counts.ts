import type { HealthState } from "../../proto/words/health.ts";
import type { SyncStatus } from "../../proto/words/sync-status.ts";
import type { Labels, StatusCounts } from "../domain/records.ts";
import { pieces, prepared, type Db } from "./database.ts";
import { preparedRows } from "./prepared-rows.ts";
import type { CountScope, Tables } from "./tables.ts";

/** All that decides where an application is counted. */
export type CountedApplication = {
  readonly clusterKey: number | undefined;
  readonly set: string | undefined;
  readonly syncStatus: SyncStatus;
  readonly health: HealthState;
};

type State = { readonly syncStatus: SyncStatus; readonly health: HealthState };

type Place = { readonly scope: CountScope; readonly subject: string; readonly value: string };

/**
 * What one transaction does to the kept counts, added up in memory and written once.
 *
 * A batch of a thousand reports then costs a few rows. Labels of clusters are read when it is flushed: whoever
 * changes labels after counting applications in the same transaction flushes first.
 */
export class CountLedger {
  readonly #applications = new Map<string, { counted: CountedApplication; delta: number }>();
  readonly #states = new Map<string, { place: Place; state: State; delta: number }>();
  readonly #clusters = new Map<
    string,
    { label: string; value: string; clusters: number; attached: number }
  >();
  readonly #statements: CountStatements;

  constructor(statements: CountStatements) {
    this.#statements = statements;
  }

  /** The application was counted as `before` and is now `after`; `undefined` where it did or does not exist. */
  application(before: CountedApplication | undefined, after: CountedApplication | undefined): void {
    if (before !== undefined) this.#note(before, -1);
    if (after !== undefined) this.#note(after, 1);
  }

  /** Adds clusters, and attached ones, to the whole fleet and to each of the labels. */
  clusters(labels: Labels, clusters: number, attached: number): void {
    for (const [label, value] of [["", ""] as const, ...Object.entries(labels)]) {
      const key = `${label}\n${value}`;
      const noted = this.#clusters.get(key) ?? { label, value, clusters: 0, attached: 0 };
      noted.clusters += clusters;
      noted.attached += attached;
      this.#clusters.set(key, noted);
    }
  }

  /** The applications of a cluster leave the counts of `before`'s labels for those of `after`'s. */
  async relabel(db: Db, clusterKey: number, before: Labels, after: Labels): Promise<void> {
    await this.flush(db);
    const rows = await db
      .selectFrom("status_counts")
      .select(["sync_status", "health", "applications"])
      .where("scope", "=", "cluster")
      .where("subject", "=", String(clusterKey))
      .execute();
    const move = (labels: Labels, other: Labels, sign: 1 | -1) => {
      for (const [label, value] of Object.entries(labels)) {
        if (other[label] === value) continue;
        for (const row of rows) {
          const state = { syncStatus: row.sync_status, health: row.health };
          this.#add({ scope: "label", subject: label, value }, state, sign * row.applications);
        }
      }
    };
    move(before, after, -1);
    move(after, before, 1);
  }

  /** Writes what was noted and starts anew. */
  async flush(db: Db): Promise<void> {
    await this.#spread(db);
    await this.#writeStates(db);
    await this.#writeClusters(db);
  }

  #note(counted: CountedApplication, delta: number): void {
    const { clusterKey, set, syncStatus, health } = counted;
    const key = `${clusterKey ?? ""}\n${syncStatus}\n${health}\n${set ?? ""}`;
    const noted = this.#applications.get(key) ?? { counted, delta: 0 };
    noted.delta += delta;
    this.#applications.set(key, noted);
  }

  #add(place: Place, state: State, delta: number): void {
    const key = `${place.scope}\n${place.subject}\n${place.value}\n${state.syncStatus}\n${state.health}`;
    const noted = this.#states.get(key) ?? { place, state, delta: 0 };
    noted.delta += delta;
    this.#states.set(key, noted);
  }

  /** From applications to every place one is counted in. */
  async #spread(db: Db): Promise<void> {
    const moved = [...this.#applications.values()].filter(({ delta }) => delta !== 0);
    this.#applications.clear();
    const labels = await this.#labelsOf(
      db,
      new Set(moved.flatMap(({ counted }) => counted.clusterKey ?? [])),
    );
    for (const { counted, delta } of moved) {
      this.#add({ scope: "fleet", subject: "", value: "" }, counted, delta);
      if (counted.set !== undefined)
        this.#add({ scope: "set", subject: counted.set, value: "" }, counted, delta);
      if (counted.clusterKey === undefined) continue;
      const subject = String(counted.clusterKey);
      this.#add({ scope: "cluster", subject, value: "" }, counted, delta);
      for (const { label, value } of labels.get(counted.clusterKey) ?? [])
        this.#add({ scope: "label", subject: label, value }, counted, delta);
    }
  }

  async #labelsOf(
    db: Db,
    clusterKeys: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, readonly ClusterLabel[]>> {
    const labels = new Map<number, ClusterLabel[]>();
    const keys = [...clusterKeys].map((key) => ({ cluster_key: key }));
    for (const row of await this.#statements.labelsOf(db, keys)) {
      const own = labels.get(row.cluster_key) ?? [];
      own.push(row);
      labels.set(row.cluster_key, own);
    }
    return labels;
  }

  async #writeStates(db: Db): Promise<void> {
    const changed = [...this.#states.values()].filter(({ delta }) => delta !== 0);
    this.#states.clear();
    await this.#statements.addStates(
      db,
      changed.map(({ place: { scope, subject, value }, state, delta }) => ({
        scope,
        subject,
        value,
        sync_status: state.syncStatus,
        health: state.health,
        applications: delta,
      })),
    );
    const shrunk = new Map(
      changed
        .filter(({ delta }) => delta < 0)
        .map(({ place }) => [`${place.scope}\n${place.subject}\n${place.value}`, place]),
    );
    for (const place of shrunk.values()) await this.#statements.dropEmptyStates(db, place);
  }

  async #writeClusters(db: Db): Promise<void> {
    const changed = [...this.#clusters.values()].filter(
      ({ clusters, attached }) => clusters !== 0 || attached !== 0,
    );
    this.#clusters.clear();
    await this.#statements.addClusters(db, changed);
    for (const { label, value, clusters } of changed)
      if (clusters < 0) await this.#statements.dropEmptyClusters(db, { label, value });
  }
}

type CountStatements = ReturnType<typeof prepareCounts>;

type ClusterLabel = {
  readonly cluster_key: number;
  readonly label: string;
  readonly value: string;
};

/** What ledgers write with. */
export function prepareCounts(db: Db) {
  return {
    labelsOf: preparedRows<{ cluster_key: number }, ClusterLabel>((rows) =>
      db
        .selectFrom("cluster_labels")
        .select(["cluster_key", "label", "value"])
        .where(
          "cluster_key",
          "in",
          rows.map((row) => row.cluster_key),
        ),
    ),
    addStates: preparedRows((rows: readonly Tables["status_counts"][]) =>
      db
        .insertInto("status_counts")
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .columns(["scope", "subject", "value", "sync_status", "health"])
            .doUpdateSet((of) => ({
              applications: of("status_counts.applications", "+", of.ref("excluded.applications")),
            })),
        ),
    ),
    dropEmptyStates: prepared<Place, unknown>((parameter) =>
      db
        .deleteFrom("status_counts")
        .where("scope", "=", parameter("scope"))
        .where("subject", "=", parameter("subject"))
        .where("value", "=", parameter("value"))
        .where("applications", "=", 0),
    ),
    addClusters: preparedRows((rows: readonly Tables["cluster_counts"][]) =>
      db
        .insertInto("cluster_counts")
        .values(rows)
        .onConflict((conflict) =>
          conflict.columns(["label", "value"]).doUpdateSet((of) => ({
            clusters: of("cluster_counts.clusters", "+", of.ref("excluded.clusters")),
            attached: of("cluster_counts.attached", "+", of.ref("excluded.attached")),
          })),
        ),
    ),
    dropEmptyClusters: prepared<{ label: string; value: string }, unknown>((parameter) =>
      db
        .deleteFrom("cluster_counts")
        .where("label", "=", parameter("label"))
        .where("value", "=", parameter("value"))
        .where("clusters", "=", 0),
    ),
  };
}

/** How many are in one state, as a row says. */
export type StateCount = {
  readonly sync_status: SyncStatus;
  readonly health: HealthState;
  readonly applications: number;
};

export function statusCounts(rows: Iterable<StateCount>): StatusCounts {
  const sync: Partial<Record<SyncStatus, number>> = {};
  const health: Partial<Record<HealthState, number>> = {};
  let total = 0;
  for (const row of rows) {
    if (row.applications === 0) continue;
    total += row.applications;
    sync[row.sync_status] = (sync[row.sync_status] ?? 0) + row.applications;
    health[row.health] = (health[row.health] ?? 0) + row.applications;
  }
  return { total, sync, health };
}

/** The counts of several subjects of one scope; a subject without applications is absent. */
export async function countsOf(
  db: Db,
  scope: "cluster" | "set",
  subjects: readonly string[],
): Promise<ReadonlyMap<string, StatusCounts>> {
  const rowsBySubject = new Map<string, StateCount[]>();
  for (const some of pieces(subjects)) {
    const rows = await db
      .selectFrom("status_counts")
      .select(["subject", "sync_status", "health", "applications"])
      .where("scope", "=", scope)
      .where("subject", "in", some)
      .execute();
    for (const row of rows) {
      const own = rowsBySubject.get(row.subject) ?? [];
      own.push(row);
      rowsBySubject.set(row.subject, own);
    }
  }
  return new Map([...rowsBySubject].map(([subject, rows]) => [subject, statusCounts(rows)]));
}

export const noApplications: StatusCounts = { total: 0, sync: {}, health: {} };
