import type { Selectable } from "kysely";
import { desiredRoot } from "../../proto/words/desired.ts";
import type { Digest } from "../../proto/words/digest.ts";
import type { ApplicationName, ClusterId } from "../../proto/words/ids.ts";
import {
  reportDigest,
  type ApplicationReport,
  type ResourceReport,
} from "../../proto/words/report.ts";
import { countedFromRow, statusToRow, unreported } from "./application-status.ts";
import {
  objectColumns,
  resourceColumns,
  resourceFromRow,
  type ResourceRow,
} from "./applications.ts";
import { findCluster, type KnownCluster } from "./cluster-keys.ts";
import { pieces, prepared, type Database, type Db, type Writing } from "./database.ts";
import { writeJson } from "./json.ts";
import type { Overtaking } from "../domain/overtaking.ts";
import type { StatusColumns, Tables } from "./tables.ts";

export type Reports = {
  /**
   * One transaction for the batch. A report of an application that is not offered to this cluster is ignored.
   * `application-status` is appended when the sync status or the health state changed. Returns where a report
   * tells of a newer generation than the hub ever gave out.
   */
  readonly record: (
    batch: readonly {
      readonly cluster: ClusterId;
      readonly applications: readonly ApplicationReport[];
      readonly gone: readonly ApplicationName[];
    }[],
    atMs: number,
    signal: AbortSignal,
  ) => Promise<readonly Overtaking[]>;
  /** `desiredRoot` over name → `reportDigest` of the reports held. */
  readonly statusRoot: (cluster: ClusterId, signal: AbortSignal) => Promise<Digest>;
};

type KnownApplication = Pick<
  Selectable<Tables["applications"]>,
  | "key"
  | "name"
  | "origin_kind"
  | "origin_name"
  | "cluster_key"
  | "sync_status"
  | "health"
  | "generation"
  | "report_digest"
>;

/** A resource as it is compared: equal text, equal resource. */
const asText = (resource: ResourceReport): string =>
  writeJson([
    resource.version,
    resource.syncStatus,
    resource.health ?? null,
    resource.message,
    resource.images,
    resource.awaitsPrune,
  ]);

/** A batch is one transaction, with the counts and events that follow from it. */
export function createReports(database: Database): Reports {
  const { db } = database;
  const clusterOf = findCluster(db);
  const applicationOf = prepared<{ name: ApplicationName }, KnownApplication>((parameter) =>
    db
      .selectFrom("applications")
      .select([
        "key",
        "name",
        "origin_kind",
        "origin_name",
        "cluster_key",
        "sync_status",
        "health",
        "generation",
        "report_digest",
      ])
      .where("name", "=", parameter("name")),
  );
  const setStatus = prepared<StatusColumns & { key: number }, unknown>((parameter) =>
    db
      .updateTable("applications")
      .set({
        sync_status: parameter("sync_status"),
        sync_rank: parameter("sync_rank"),
        health: parameter("health"),
        health_rank: parameter("health_rank"),
        health_message: parameter("health_message"),
        stored_generation: parameter("stored_generation"),
        applied_generation: parameter("applied_generation"),
        healthy_generation: parameter("healthy_generation"),
        applied_revision: parameter("applied_revision"),
        operation: parameter("operation"),
        conditions: parameter("conditions"),
        reported_at_ms: parameter("reported_at_ms"),
        report_digest: parameter("report_digest"),
      })
      .where("key", "=", parameter("key")),
  );
  const resourcesOf = prepared<{ application: ApplicationName }, ResourceRow>((parameter) =>
    db
      .selectFrom("resources")
      .select(resourceColumns)
      .where("application", "=", parameter("application")),
  );
  const digestsOf = prepared<{ cluster: number }, { name: string; report_digest: Digest | null }>(
    (parameter) =>
      db
        .selectFrom("applications")
        .select(["name", "report_digest"])
        .where("cluster_key", "=", parameter("cluster")),
  );
  const removalOf = prepared<
    { cluster: number; application: ApplicationName },
    { generation: number }
  >((parameter) =>
    db
      .selectFrom("tombstones")
      .select("generation")
      .where("cluster_key", "=", parameter("cluster"))
      .where("application", "=", parameter("application"))
      .where("carried_out_at_ms", "is", null),
  );
  const seen = prepared<{ cluster: number; atMs: number }, unknown>((parameter) =>
    db
      .updateTable("clusters")
      .set({ last_seen_at_ms: parameter("atMs") })
      .where("key", "=", parameter("cluster")),
  );

  /** Writes a status, counts it, and says so when a state changed. */
  async function write(
    { db, counts, append }: Writing,
    cluster: KnownCluster,
    known: KnownApplication,
    status: StatusColumns,
    atMs: number,
  ): Promise<void> {
    await setStatus(db, { ...status, key: known.key });
    if (known.sync_status === status.sync_status && known.health === status.health) return;
    counts.application(countedFromRow(known), countedFromRow({ ...known, ...status }));
    append(
      {
        kind: "application-status",
        subject: known.name,
        cluster: cluster.name,
        message:
          `${status.sync_status} and ${status.health}, ` +
          `was ${known.sync_status} and ${known.health}`,
      },
      atMs,
    );
  }

  /** Makes the resources held equal to those reported; touches only what differs. */
  async function writeResources(
    db: Db,
    cluster: KnownCluster,
    { application, resources }: Pick<ApplicationReport, "application" | "resources">,
  ): Promise<void> {
    const held = new Map(
      (await resourcesOf(db, { application })).map((row) => [
        row.object,
        asText(resourceFromRow(row)),
      ]),
    );
    const reported = new Map(resources.map((resource) => [resource.key, resource]));
    const changed = [...reported.values()].filter(
      (resource) => held.get(resource.key) !== asText(resource),
    );
    const stale = [
      ...[...held.keys()].filter((key) => !reported.has(key)),
      ...changed.map(({ key }) => key).filter((key) => held.has(key)),
    ];
    // Images go with their resource, so that a changed one is deleted and written anew.
    for (const some of pieces(stale)) {
      await db
        .deleteFrom("resources")
        .where("application", "=", application)
        .where("object", "in", some)
        .execute();
    }
    for (const some of pieces(changed)) {
      await db
        .insertInto("resources")
        .values(
          some.map((resource) => ({
            application,
            object: resource.key,
            cluster_key: cluster.key,
            ...objectColumns(resource.key),
            version: resource.version,
            sync_status: resource.syncStatus,
            health: resource.health ?? null,
            message: resource.message,
            images: writeJson(resource.images),
            awaits_prune: resource.awaitsPrune ? 1 : 0,
          })),
        )
        .execute();
    }
    const images = changed.flatMap(({ key, images }) =>
      [...new Set(images)].map((image) => ({ image, application, object: key })),
    );
    for (const some of pieces(images))
      await db
        .insertInto("resource_images")
        .values([...some])
        .execute();
  }

  async function overtakenBy(
    db: Db,
    cluster: KnownCluster,
    known: KnownApplication | undefined,
    { application, storedGeneration }: ApplicationReport,
  ): Promise<Overtaking["what"] | undefined> {
    if (known !== undefined) return storedGeneration > known.generation ? "offer" : undefined;
    const [removal] = await removalOf(db, { cluster: cluster.key, application });
    return removal !== undefined && storedGeneration >= removal.generation ? "removal" : undefined;
  }

  return {
    record: (batch, atMs, signal) =>
      database.write(async (writing) => {
        const { db, breathe } = writing;
        const overtakings: Overtaking[] = [];
        for (const { cluster: id, applications, gone } of batch) {
          const cluster = await clusterOf(db, id);
          if (cluster === undefined) continue;
          await seen(db, { cluster: cluster.key, atMs });
          const ownedHere = async (name: ApplicationName) => {
            const [known] = await applicationOf(db, { name });
            return known?.cluster_key === cluster.key ? known : undefined;
          };
          for (const report of applications) {
            const known = await ownedHere(report.application);
            const what = await overtakenBy(db, cluster, known, report);
            if (what !== undefined)
              overtakings.push({
                what,
                cluster: id,
                application: report.application,
                generation: report.storedGeneration,
              });
            const digest = reportDigest(report);
            if (known === undefined || known.report_digest === digest) continue;
            const status = statusToRow(report, digest, known.generation, atMs);
            await write(writing, cluster, known, status, atMs);
            await writeResources(db, cluster, report);
            await breathe();
          }
          for (const name of gone) {
            const known = await ownedHere(name);
            if (known === undefined || known.report_digest === null) continue;
            await write(writing, cluster, known, unreported, atMs);
            await db.deleteFrom("resources").where("application", "=", name).execute();
          }
        }
        return overtakings;
      }, signal),

    statusRoot: (cluster, signal) =>
      database.read(async (db) => {
        const known = await clusterOf(db, cluster);
        return rootOfReports(
          known === undefined ? [] : await digestsOf(db, { cluster: known.key }),
        );
      }, signal),
  };
}

export function rootOfReports(
  rows: readonly { readonly name: string; readonly report_digest: Digest | null }[],
): Digest {
  return desiredRoot(
    new Map(
      rows.flatMap(({ name, report_digest: digest }): readonly [string, Digest][] =>
        digest === null ? [] : [[name, digest]],
      ),
    ),
  );
}
