import type { ClusterId, Epoch, Version } from "../../proto/words/ids.ts";
import { findCluster, labelsOfCluster, type KnownCluster } from "./cluster-keys.ts";
import { prepared, type Database, type Writing } from "./database.ts";
import type { Digest } from "../../proto/words/digest.ts";
import { markStored } from "./desired-sets.ts";
import { rootOfReports } from "./reports.ts";
import { UnknownCluster } from "./trouble.ts";

export type Sessions = {
  /**
   * Bumps the cluster's epoch to more than both its own and `epochSeen`. A `heldVersion` beyond ours means
   * that this hub was restored from an older copy: our version moves beyond it and no delta is offered.
   * A `heldVersion` behind what was stored means that the spoke lost its disk, and is believed.
   * Throws `UnknownCluster` for one that is not registered (any more).
   */
  readonly open: (
    session: {
      readonly cluster: ClusterId;
      readonly sessionId: string;
      readonly epochSeen: number;
      readonly heldVersion: number;
      readonly spokeVersion: string;
      readonly kubernetesVersion: string;
      readonly atMs: number;
    },
    signal: AbortSignal,
  ) => Promise<{
    readonly epoch: Epoch;
    readonly desiredVersion: Version;
    readonly desiredRoot: Digest;
    readonly statusRoot: Digest;
  }>;
  /** No effect when a newer session is open. */
  readonly close: (
    cluster: ClusterId,
    sessionId: string,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<void>;
  /** At start-up: nobody is attached yet. */
  readonly closeAll: (atMs: number, signal: AbortSignal) => Promise<void>;
};

/** Epochs are given inside one transaction: no two sessions of a cluster share one, and the later has the higher. */
export function createSessions(database: Database): Sessions {
  const { db } = database;
  const clusterOf = findCluster(db);
  const digestsOf = prepared<{ cluster: number }, { name: string; report_digest: Digest | null }>(
    (parameter) =>
      db
        .selectFrom("applications")
        .select(["name", "report_digest"])
        .where("cluster_key", "=", parameter("cluster")),
  );
  type Opened = {
    key: number;
    epoch: number;
    version: number;
    retained: number;
    stored: number;
    sinceMs: number;
    sessionId: string;
    spokeVersion: string;
    kubernetesVersion: string;
    atMs: number;
  };
  const opened = prepared<Opened, unknown>((parameter) =>
    db
      .updateTable("clusters")
      .set({
        epoch: parameter("epoch"),
        desired_version: parameter("version"),
        retained_from_version: parameter("retained"),
        stored_version: parameter("stored"),
        connection: "attached",
        connection_since_ms: parameter("sinceMs"),
        session_id: parameter("sessionId"),
        spoke_version: parameter("spokeVersion"),
        kubernetes_version: parameter("kubernetesVersion"),
        last_seen_at_ms: parameter("atMs"),
      })
      .where("key", "=", parameter("key")),
  );

  return {
    open: (session, signal) =>
      database.write(async ({ db, counts, append }) => {
        const known = await clusterOf(db, session.cluster);
        if (known === undefined) throw new UnknownCluster(session.cluster);
        const { key, connection, desired_version: ours, stored_version: stored } = known;
        const held = session.heldVersion;
        const restored = held > ours;
        const version = restored ? held + 1 : ours;
        if (held < stored) {
          // The spoke is at less than it once had: whatever came later is not on its disk any more.
          await db
            .deleteFrom("stored_bundles")
            .where("cluster_key", "=", key)
            .where("version", ">", held)
            .execute();
        } else if (!restored) {
          // Its acknowledgement was lost on the way.
          await markStored(db, key, stored, held);
        }
        const epoch = Math.max(known.epoch, session.epochSeen) + 1;
        await opened(db, {
          key,
          epoch,
          version,
          retained: restored ? version : known.retained_from_version,
          stored: held,
          sinceMs: session.atMs,
          sessionId: session.sessionId,
          spokeVersion: session.spokeVersion,
          kubernetesVersion: session.kubernetesVersion,
          atMs: session.atMs,
        });
        if (connection !== "attached") {
          counts.clusters(labelsOfCluster(known), 0, 1);
          append(
            {
              kind: "cluster-attached",
              subject: known.name,
              cluster: known.name,
              message: `spoke ${session.spokeVersion} attached`,
            },
            session.atMs,
          );
        }
        return {
          epoch,
          desiredVersion: version,
          desiredRoot: known.desired_root,
          statusRoot: rootOfReports(await digestsOf(db, { cluster: key })),
        };
      }, signal),

    close: (cluster, sessionId, atMs, signal) =>
      database.write(async (writing) => {
        const known = await clusterOf(writing.db, cluster);
        if (known?.session_id === sessionId)
          await detach(writing, known, "spoke detached", atMs, atMs);
      }, signal),

    closeAll: (atMs, signal) =>
      database.write(async (writing) => {
        const attached = await writing.db
          .selectFrom("clusters")
          .select("id")
          .where("connection", "=", "attached")
          .where("removed_at_ms", "is", null)
          .execute();
        for (const { id } of attached) {
          const known = await clusterOf(writing.db, id);
          if (known !== undefined) await detach(writing, known, "hub started", atMs, undefined);
          await writing.breathe();
        }
      }, signal),
  };
}

async function detach(
  { db, counts, append }: Writing,
  cluster: KnownCluster,
  message: string,
  atMs: number,
  seenAtMs: number | undefined,
): Promise<void> {
  await db
    .updateTable("clusters")
    .set({
      connection: "detached",
      connection_since_ms: atMs,
      session_id: null,
      ...(seenAtMs === undefined ? {} : { last_seen_at_ms: seenAtMs }),
    })
    .where("key", "=", cluster.key)
    .execute();
  counts.clusters(labelsOfCluster(cluster), 0, -1);
  append({ kind: "cluster-detached", subject: cluster.name, cluster: cluster.name, message }, atMs);
}
