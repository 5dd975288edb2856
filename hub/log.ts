import { pino, type DestinationStream, type Logger } from "pino";
import type { Log, LogLevel } from "../proto/kit/log.ts";
import { oneJsonLine, redactFields } from "../proto/kit/redact.ts";

/**
 * JSON lines by pino behind the kit's `Log`: `{"level":"info","time":"…","event":"…", …fields}`.
 *
 * Writes to standard output unless given a destination, each line at once, so that the last words before a
 * crash are not lost. What looks like a credential is masked, by name and by shape.
 */
export function jsonLog({
  level,
  destination = pino.destination({ fd: 1, sync: true }),
}: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Log {
  const options = {
    level,
    base: null,
    messageKey: "event",
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const lines: DestinationStream = { write: (line) => destination.write(oneJsonLine(line)) };
  return logOver(pino(options, lines));
}

function logOver(logger: Logger): Log {
  const at =
    (level: LogLevel): Log["info"] =>
    (event, fields = {}) => {
      // Most lines are of a level that nobody asked for.
      if (logger.isLevelEnabled(level)) logger[level](redactFields(fields), event);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => logOver(logger.child(redactFields(fields))),
  };
}
