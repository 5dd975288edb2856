import type { Command, CommandKind, CommandResult } from "../../proto/words/link-messages.ts";
import type { ApplicationName, ClusterId, ClusterName, Generation } from "../../proto/words/ids.ts";
import type { CommandRecord } from "../domain/command-record.ts";
import { findCluster } from "./cluster-keys.ts";
import { prepared, type Database } from "./database.ts";
import type { Tables } from "./tables.ts";
import { UnknownCluster } from "./trouble.ts";

export type Commands = {
  /** Appends `command-created`. */
  readonly create: (
    command: {
      readonly id: string;
      readonly order: CommandKind;
      readonly application: ApplicationName;
      readonly cluster: ClusterId;
      readonly generation: Generation;
      readonly prune: boolean;
      readonly actor: string;
      readonly createdAtMs: number;
      readonly expiresAtMs: number;
    },
    signal: AbortSignal,
  ) => Promise<void>;
  /** Oldest first, unexpired and unfinished. */
  readonly waiting: (
    cluster: ClusterId,
    nowMs: number,
    signal: AbortSignal,
  ) => Promise<readonly Command[]>;
  /** False: not this cluster's, or finished before. Appends `command-finished`. */
  readonly finish: (
    cluster: ClusterId,
    result: CommandResult,
    atMs: number,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Its state is "expired" from that time on, unless it finished before. */
  readonly find: (id: string, signal: AbortSignal) => Promise<CommandRecord | undefined>;
  /** Drops commands that expired before. Returns how many. */
  readonly forget: (expiredBeforeMs: number, signal: AbortSignal) => Promise<number>;
};

type CommandRow = Tables["commands"];

/** A command and the event that tells of it are one transaction; it finishes once. `nowMs` says which have expired. */
export function createCommands(database: Database, nowMs: () => number): Commands {
  const { db } = database;
  const clusterOf = findCluster(db);
  const waiting = prepared<{ cluster: number; nowMs: number }, CommandRow>((parameter) =>
    db
      .selectFrom("commands")
      .selectAll()
      .where("cluster_key", "=", parameter("cluster"))
      .where("finished_at_ms", "is", null)
      .where("expires_at_ms", ">", parameter("nowMs"))
      .orderBy("created_at_ms")
      .orderBy("id"),
  );

  return {
    create: (command, signal) =>
      database.write(async ({ db, append }) => {
        const cluster = await clusterOf(db, command.cluster);
        if (cluster === undefined) throw new UnknownCluster(command.cluster);
        await db
          .insertInto("commands")
          .values({
            id: command.id,
            order_kind: command.order,
            application: command.application,
            cluster_key: cluster.key,
            generation: command.generation,
            prune: command.prune ? 1 : 0,
            actor: command.actor,
            created_at_ms: command.createdAtMs,
            expires_at_ms: command.expiresAtMs,
            finished_at_ms: null,
            succeeded: null,
            message: "",
          })
          .execute();
        append(
          {
            kind: "command-created",
            subject: command.application,
            cluster: cluster.name,
            message: `${command.order} ordered by ${command.actor}`,
          },
          command.createdAtMs,
        );
      }, signal),

    waiting: (cluster, nowMs, signal) =>
      database.read(async (db) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return [];
        const rows = await waiting(db, { cluster: known.key, nowMs });
        return rows.map((row): Command => ({
          kind: "command",
          id: row.id,
          order: row.order_kind,
          application: row.application,
          generation: row.generation,
          prune: row.prune === 1,
          expiresAtMs: row.expires_at_ms,
        }));
      }, signal),

    finish: (cluster, result, atMs, signal) =>
      database.write(async ({ db, append }) => {
        const known = await clusterOf(db, cluster);
        if (known === undefined) return false;
        const finished = await db
          .updateTable("commands")
          .set({
            finished_at_ms: atMs,
            succeeded: result.succeeded ? 1 : 0,
            message: result.message,
          })
          .where("id", "=", result.id)
          .where("cluster_key", "=", known.key)
          .where("finished_at_ms", "is", null)
          .returning(["application", "order_kind"])
          .executeTakeFirst();
        if (finished === undefined) return false;
        const verdict = result.succeeded ? "succeeded" : "failed";
        append(
          {
            kind: "command-finished",
            subject: finished.application,
            cluster: known.name,
            message:
              `${finished.order_kind} ${verdict}` +
              (result.message === "" ? "" : `: ${result.message}`),
          },
          atMs,
        );
        return true;
      }, signal),

    find: (id, signal) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom("commands as o")
          .innerJoin("clusters as c", "c.key", "o.cluster_key")
          .selectAll("o")
          .select("c.name as cluster")
          .where("o.id", "=", id)
          .executeTakeFirst();
        return row === undefined ? undefined : commandFromRow(row, nowMs());
      }, signal),

    forget: (expiredBeforeMs, signal) =>
      database.write(async ({ db }) => {
        const { numDeletedRows } = await db
          .deleteFrom("commands")
          .where("expires_at_ms", "<", expiredBeforeMs)
          .executeTakeFirstOrThrow();
        return Number(numDeletedRows);
      }, signal),
  };
}

function commandFromRow(
  row: CommandRow & { readonly cluster: ClusterName },
  nowMs: number,
): CommandRecord {
  return {
    id: row.id,
    order: row.order_kind,
    application: row.application,
    cluster: row.cluster,
    generation: row.generation,
    prune: row.prune === 1,
    actor: row.actor,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    state: stateOf(row, nowMs),
    message: row.message,
    finishedAtMs: row.finished_at_ms ?? undefined,
  };
}

function stateOf(row: CommandRow, nowMs: number): CommandRecord["state"] {
  if (row.finished_at_ms !== null) return row.succeeded === 1 ? "succeeded" : "failed";
  return nowMs >= row.expires_at_ms ? "expired" : "waiting";
}
