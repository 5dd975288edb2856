import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import {
  Kysely,
  SqliteDialect,
  type Compilable,
  type SqliteDatabase,
  type SqliteStatement,
} from "kysely";
import { Migrator } from "kysely/migration";
import { silentLog, type Log } from "../../proto/kit/log.ts";
import { describeError } from "../../proto/kit/trouble.ts";
import type { FleetEventDraft } from "../domain/records.ts";
import { CountLedger, prepareCounts } from "./counts.ts";
import { inserterOfEvents } from "./events.ts";
import { migrations } from "./migrations/all.ts";
import type { Tables } from "./tables.ts";
import { StoreUnavailable, StoreUnusable } from "./trouble.ts";

/** Queries go through here: the whole database, or one transaction of it. */
export type Db = Kysely<Tables>;

/** One transaction that writes. */
export type Writing = {
  readonly db: Db;
  /** Kept counts; what is noted here is added to them before the commit. */
  readonly counts: CountLedger;
  /** Appends an event before the commit; listeners hear of it after. */
  readonly append: (event: FleetEventDraft, atMs: number) => void;
  /** To be awaited once per step of long work: lets the process breathe, and nothing else into the transaction. */
  readonly breathe: () => Promise<void>;
};

export type Database = {
  /** For single statements and for building queries. */
  readonly db: Db;
  /** Several reads of one moment. `work` waits for nothing but the store. */
  readonly read: <T>(work: (db: Db) => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** All of `work` or nothing, on disk when this resolves. `work` waits for nothing but the store. */
  readonly write: <T>(work: (writing: Writing) => Promise<T>, signal: AbortSignal) => Promise<T>;
  readonly onAppend: (listener: () => void) => () => void;
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
  readonly close: () => void;
};

export type DatabaseSettings = {
  /** Where the database lies; made when it is missing. One process at a time. */
  readonly folder: string;
  /** Reads the whole file for damage first: about a second per gigabyte. */
  readonly checkIntegrity?: boolean;
  /** Told of every statement after it ran: for finding out what a question costs. */
  readonly onStatement?: (text: string, parameters: readonly unknown[]) => void;
};

export const databaseFile = "hub.sqlite";

/** WAL databases could be corrupted by an older SQLite (a reset during a checkpoint, fixed in 3.51.3). */
const sqliteVersionLeast = "3.51.3";

/** Opens the database of a folder and brings it to the newest shape. Throws `StoreUnusable` for a stranger's. */
export async function openDatabase(
  settings: DatabaseSettings,
  log: Log = silentLog,
): Promise<Database> {
  const { onStatement } = settings;
  try {
    return await open(settings, onStatement, log);
  } catch (error) {
    throw isDamage(error) ? damaged(settings, describeError(error)) : error;
  }
}

async function open(
  settings: DatabaseSettings,
  onStatement: DatabaseSettings["onStatement"],
  log: Log,
): Promise<Database> {
  const sqlite = openSqlite(settings);
  try {
    checkSqliteVersion(sqlite);
    if (settings.checkIntegrity === true) checkIntegrity(sqlite, settings);
    const db: Db = new Kysely<Tables>({
      dialect: new SqliteDialect({ database: rememberingStatements(sqlite) }),
      ...(onStatement === undefined
        ? {}
        : { log: ({ query }) => onStatement(query.sql, query.parameters) }),
    });
    refuseNewer(sqlite);
    await migrate(db, log);
    return connected(sqlite, db);
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

function openSqlite(settings: DatabaseSettings): Sqlite.Database {
  try {
    mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
    const sqlite = new Sqlite(join(settings.folder, databaseFile));
    try {
      sqlite.pragma("busy_timeout = 5000");
      sqlite.pragma("journal_mode = WAL");
      sqlite.pragma("foreign_keys = ON");
      // Each commit reaches the disk before it is acknowledged. NORMAL would survive kill -9 but no power cut.
      sqlite.pragma("synchronous = FULL");
      // Fewer, larger checkpoints: 500-row commits take half the time (performance.md, 2.4).
      sqlite.pragma("wal_autocheckpoint = 8000");
      sqlite.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
      sqlite.pragma("cache_size = -32000");
      sqlite.pragma("temp_store = MEMORY");
      return sqlite;
    } catch (error) {
      sqlite.close();
      throw error;
    }
  } catch (error) {
    throw new StoreUnavailable("opened", error);
  }
}

function checkSqliteVersion(sqlite: Sqlite.Database): void {
  const found = String(sqlite.prepare("select sqlite_version()").pluck().get());
  if (compareVersions(found, sqliteVersionLeast) < 0)
    throw new StoreUnusable(`SQLite is ${found}, must be ${sqliteVersionLeast} or newer`);
}

/** By number, part by part: negative when `left` is older. */
export function compareVersions(left: string, right: string): number {
  const rights = right.split(".").map(Number);
  for (const [index, part] of left.split(".").map(Number).entries()) {
    const difference = part - (rights[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function checkIntegrity(sqlite: Sqlite.Database, settings: DatabaseSettings): void {
  const found = String(sqlite.prepare("pragma quick_check(1)").pluck().get());
  if (found !== "ok") throw damaged(settings, found);
}

/** A damaged file stays as it is: it may hold what the newest backup does not. */
const damaged = (settings: DatabaseSettings, how: string): StoreUnusable =>
  new StoreUnusable(
    `${join(settings.folder, databaseFile)} is damaged (${how}); restore a backup in its place ` +
      `and remove ${databaseFile}-wal and ${databaseFile}-shm beside it`,
  );

/** Search tables have no code of their own for it. */
const searchDamage = /^invalid fts5 file format\b/;

/** Whether SQLite says so, of this error or of what caused it. */
function isDamage(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") return true;
  if (error instanceof Error && searchDamage.test(error.message)) return true;
  return error instanceof Error && error.cause !== undefined && isDamage(error.cause);
}

/** A newer program's tables may mean something else by the same name. */
function refuseNewer(sqlite: Sqlite.Database): void {
  const table = sqlite
    .prepare(
      "select count(*) from sqlite_schema where type = 'table' and name = 'kysely_migration'",
    )
    .pluck()
    .get();
  if (table === 0) return;
  const done = sqlite.prepare("select name from kysely_migration order by name").pluck().all();
  const unknown = done.map(String).filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0)
    throw new StoreUnusable(
      `the database was written by a newer version (${unknown.join(", ")} is unknown here); ` +
        `run that version or restore a backup made before the upgrade`,
    );
}

async function migrate(db: Db, log: Log): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === "Error")?.migrationName;
    throw new StoreUnavailable(`migrated${failed === undefined ? "" : ` (${failed})`}`, error);
  }
  for (const { migrationName } of results ?? [])
    log.info("store migrated", { migration: migrationName });
}

function connected(sqlite: Sqlite.Database, db: Db): Database {
  const listeners = new Set<() => void>();
  const insertEvents = inserterOfEvents(db);
  const countStatements = prepareCounts(db);

  async function transaction<T>(
    doing: string,
    work: (db: Db) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted();
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      throw isOutside(error) || !sqlite.open ? new StoreUnavailable(doing, error) : error;
    }
  }

  return {
    db,
    read: (work, signal) => transaction("read", work, signal),
    write: async (work, signal) => {
      const appended: { readonly event: FleetEventDraft; readonly atMs: number }[] = [];
      const result = await transaction(
        "written",
        async (db) => {
          const counts = new CountLedger(countStatements);
          const breathe = breathing();
          const value = await work({
            db,
            counts,
            append: (event, atMs) => appended.push({ event, atMs }),
            breathe,
          });
          await breathe();
          await counts.flush(db);
          await insertEvents({ db, breathe }, appended);
          return value;
        },
        signal,
      );
      if (appended.length > 0) for (const listener of listeners) listener();
      return result;
    },
    onAppend: (listener) => {
      // Wrapped, so that one function given twice is two subscriptions.
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    checkReady: async (signal) => {
      signal.throwIfAborted();
      try {
        sqlite.prepare("select count(*) from hub_settings").get();
      } catch (error) {
        throw new StoreUnavailable("read", error);
      }
    },
    close: () => {
      // Leaves one file. No statistics are gathered: without them a plan that was tested never changes.
      sqlite.close();
    },
  };
}

/** Work on the disk runs on the event loop here; this gives other work its turn every few milliseconds. */
export function breathing(): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < 8) return;
    await nextTurn();
    sinceMs = performance.now();
  };
}

/** Full disk, broken disk, locked file: waiting may help. A broken rule of the tables is a bug of ours. */
function isOutside(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code?.startsWith("SQLITE_") === true &&
    !code.startsWith("SQLITE_CONSTRAINT") &&
    !["SQLITE_ERROR", "SQLITE_MISMATCH", "SQLITE_RANGE", "SQLITE_MISUSE"].includes(code)
  );
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;

const statementsMost = 500;

/**
 * Prepares each text once. Preparing costs more than running for most of our statements; kysely's driver
 * prepares at every query. The oldest unused statement goes first when there are too many texts.
 */
function rememberingStatements(sqlite: Sqlite.Database): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  // SQLite itself rolls back on some failures; a second rollback would hide what went wrong.
  const rollback: SqliteStatement = {
    reader: false,
    all: () => [],
    run: () => {
      if (sqlite.inTransaction) sqlite.exec("rollback");
      return { changes: 0, lastInsertRowid: 0 };
    },
    iterate: () => [].values(),
  };
  return {
    close: () => sqlite.close(),
    prepare: (text) => {
      if (text === "rollback") return rollback;
      const known = statements.get(text);
      const statement = known ?? sqlite.prepare(text);
      if (known !== undefined) statements.delete(text);
      statements.set(text, statement);
      if (statements.size > statementsMost) {
        for (const oldest of statements.keys()) {
          statements.delete(oldest);
          break;
        }
      }
      return statement;
    },
  };
}

class Parameter {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

type Placeholders<P> = <K extends keyof P>(name: K) => P[K];

/**
 * A query compiled once, to be run with ever new values.
 *
 * Building and compiling a query costs ten times what running it does; hot ones are built when the store opens.
 * `build` gets a function that stands a parameter's name in its value's place.
 */
export function prepared<P extends object, R>(
  build: (parameter: Placeholders<P>) => Compilable<R>,
): (db: Db, values: P) => Promise<R[]> {
  // The builder never looks into a value: it only carries it to the list of parameters, where we find it again.
  const compiled = build((name) => new Parameter(name) as never).compile();
  const names = compiled.parameters.map((parameter) =>
    parameter instanceof Parameter ? parameter : { value: parameter },
  );
  return async (db, values) => {
    const parameters = names.map((parameter) =>
      parameter instanceof Parameter ? values[parameter.name as keyof P] : parameter.value,
    );
    const { rows } = await db.executeQuery<R>({ ...compiled, parameters });
    return rows;
  };
}

/** Rows of one piece of a long reading: they take about ten milliseconds. */
export const rowsAtOnce = 200;

/**
 * Goes through any number of rows by name, `rowsAtOnce` at a time, so that a long reading holds nobody up.
 * `read` gives those after a name, in order; `see` says which name a row has.
 */
export async function eachPiece<Row>(
  read: (after: string) => Promise<readonly Row[]>,
  see: (row: Row) => string,
): Promise<void> {
  const breathe = breathing();
  for (let after = ""; ;) {
    const rows = await read(after);
    for (const row of rows) after = see(row);
    if (rows.length < rowsAtOnce) return;
    await breathe();
  }
}

/** `values` in pieces that fit a statement's parameters. */
export function* pieces<T>(values: readonly T[], most = 200): Iterable<readonly T[]> {
  for (let start = 0; start < values.length; start += most) yield values.slice(start, start + most);
}
