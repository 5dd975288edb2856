import type { FleetEvent, FleetEventDraft } from "../domain/records.ts";
import { pieces, prepared, type Database, type Db } from "./database.ts";
import { preparedRows } from "./prepared-rows.ts";

export type Events = {
  /** Those after `sequence`, oldest first. */
  readonly since: (
    sequence: number,
    most: number,
    signal: AbortSignal,
  ) => Promise<readonly FleetEvent[]>;
  /** The highest sequence; 0 for none. */
  readonly latest: (signal: AbortSignal) => Promise<number>;
  /** The lowest sequence still held; 0 for none. */
  readonly oldest: (signal: AbortSignal) => Promise<number>;
  /** Drops events from before, except the newest of all. Returns how many. */
  readonly forget: (olderThanMs: number, signal: AbortSignal) => Promise<number>;
  /** A hint, in this process, after each commit that appended something. Returns how to stop it. */
  readonly onAppend: (listener: () => void) => () => void;
};

type EventRow = FleetEventDraft & { readonly at_ms: number };

export type InsertEvents = (
  writing: { readonly db: Db; readonly breathe: () => Promise<void> },
  appended: readonly { readonly event: FleetEventDraft; readonly atMs: number }[],
) => Promise<void>;

/** Inside a transaction: sequences are given in the order of the list. */
export function inserterOfEvents(db: Db): InsertEvents {
  const insert = preparedRows((rows: readonly EventRow[]) => db.insertInto("events").values(rows));
  return async (writing, appended) => {
    for (const some of pieces(appended)) {
      await insert(
        writing.db,
        some.map(({ event: { kind, subject, cluster, message }, atMs }) => ({
          at_ms: atMs,
          kind,
          subject,
          cluster,
          message,
        })),
      );
      await writing.breathe();
    }
  };
}

/** Writes append events inside their own transactions: what an event tells of has happened, and is told in order. */
export function createEvents(database: Database): Events {
  const { db } = database;
  const after = prepared<
    { sequence: number; most: number },
    Omit<FleetEvent, "atMs"> & { at_ms: number }
  >((parameter) =>
    db
      .selectFrom("events")
      .select(["sequence", "at_ms", "kind", "subject", "cluster", "message"])
      .where("sequence", ">", parameter("sequence"))
      .orderBy("sequence")
      .limit(parameter("most")),
  );
  const edge = (which: "min" | "max") => {
    const query = prepared<object, { sequence: number | null }>(() =>
      db.selectFrom("events").select((of) => of.fn[which]("sequence").as("sequence")),
    );
    return (signal: AbortSignal) =>
      database.read(async (db) => (await query(db, {}))[0]?.sequence ?? 0, signal);
  };

  return {
    since: (sequence, most, signal) =>
      database.read(
        async (db) =>
          (await after(db, { sequence, most })).map(({ at_ms, ...event }) => ({
            ...event,
            atMs: at_ms,
          })),
        signal,
      ),
    latest: edge("max"),
    oldest: edge("min"),
    forget: (olderThanMs, signal) =>
      database.write(async ({ db }) => {
        // The newest stays, so that `latest` never goes back.
        const { numDeletedRows } = await db
          .deleteFrom("events")
          .where("at_ms", "<", olderThanMs)
          .where("sequence", "<", (query) =>
            query.selectFrom("events").select((of) => of.fn.max("sequence").as("newest")),
          )
          .executeTakeFirstOrThrow();
        return Number(numDeletedRows);
      }, signal),
    onAppend: database.onAppend,
  };
}
