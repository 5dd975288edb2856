export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

type Write = (event: string, fields?: Fields) => void;

/** Events are constant phrases in the past tense; everything that varies is a field. */
export type Log = {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** The same log with `fields` on every line. */
  readonly with: (fields: Fields) => Log;
};

export const logLevels = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof logLevels)[number];

const ignore: Write = () => {};

/** Says nothing; for tests and one-off commands. */
export const silentLog: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  with: () => silentLog,
};
