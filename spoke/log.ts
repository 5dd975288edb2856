import { oneJsonLine, redactFields } from "../proto/kit/redact.ts";
import { logLevels, type Fields, type Log, type LogLevel } from "../proto/kit/log.ts";

/**
 * JSON lines: `{"time":"…","level":"info","event":"…",…fields}`, one call of `writeLine` each, without the
 * line's end. Lines below `level` are not made.
 *
 * What looks like a credential is masked, by name and by shape.
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
      const line = { ...own, ...redactFields(bound), ...redactFields(fields), ...own };
      writeLine(oneJsonLine(JSON.stringify(line)));
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
