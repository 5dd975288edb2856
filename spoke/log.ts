import { logLevels, type Fields, type Log, type LogLevel } from "../proto/kit/log.ts";

/**
 * JSON lines: `{"time":"…","level":"info","event":"…",…fields}`, one call of `writeLine` each, without the
 * line's end. Lines below `level` are not made.
 *
 * Fields whose names speak of credentials are masked, as the last guard and not the first.
 */
export function jsonLog(
  writeLine: (line: string) => void,
  nowMs: () => number,
  level: LogLevel,
  bound: Fields = {},
): Log {
  const least = logLevels.indexOf(level);
  function at(lineLevel: LogLevel): Log["info"] {
    if (logLevels.indexOf(lineLevel) < least) return () => {};
    return (event, fields = {}) => {
      const time = new Date(nowMs()).toISOString();
      const own = { time, level: lineLevel, event };
      // Ours come first for the eye and last for the meaning: no field may pose as the event.
      writeLine(JSON.stringify({ ...own, ...bound, ...fields, ...own }, masked));
    };
  }
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => jsonLog(writeLine, nowMs, level, { ...bound, ...fields }),
  };
}

const secretName = /token|password|secret|privatekey|authorization/i;

const masked = (name: string, value: unknown): unknown =>
  typeof value === "string" && secretName.test(name) ? "(masked)" : value;
