import type { FleetEvent, FleetEventDraft } from "../domain/records.ts";
import { prepared, type Database, type Db } from "./database.ts";
import type { Events } from "./store.ts";

export type InsertEvents = (
  writing: { readonly db: Db; readonly breathe: () => Promise<void> },
  appended: readonly { readonly event: FleetEventDraft; readonly atMs: number }[],
) => Promise<void>;

/** Inside a transaction: sequences are given in the order of the list. */
export function inserterOfEvents(db: Db): InsertEvents {
  const insert = prepared<FleetEventDraft & { readonly at_ms: number }, unknown>((parameter) =>
    db.insertInto("events").values({
      at_ms: parameter("at_ms"),
      kind: parameter("kind"),
      subject: parameter("subject"),
      cluster: parameter("cluster"),
      message: parameter("message"),
    }),
  );
  return async (writing, appended) => {
    for (const { event, atMs } of appended) {
      await insert(writing.db, { ...event, at_ms: atMs });
      await writing.breathe();
    }
  };
}

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
