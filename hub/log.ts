import { pino, type DestinationStream, type Logger } from "pino";
import type { Log, LogLevel } from "../proto/kit/log.ts";

/**
 * JSON lines by pino behind the kit's `Log`: `{"level":"info","time":"…","event":"…", …fields}`.
 *
 * Writes to standard output unless given a destination, each line at once, so that the last words before a
 * crash are not lost.
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
  return logOver(pino(options, destination));
}

function logOver(logger: Logger): Log {
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
    with: (fields) => logOver(logger.child(fields)),
  };
}
