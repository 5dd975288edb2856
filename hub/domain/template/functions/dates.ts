import { FunctionError, takes, type TemplateFunction } from "../function.ts";
import { parseDuration, printDuration, roundDuration } from "../time/duration.ts";
import { formatTime, UnknownAbbreviation, type Moment } from "../time/format-time.ts";
import { GoTime, later } from "../time/go-time.ts";
import { parseTime } from "../time/parse-time.ts";
import { locationNamed, utc } from "../time/location.ts";
import { GoInteger, typeName, type GoValue } from "../value.ts";

/**
 * Dates and durations, by Go's layouts. None asks a clock: where sprig takes what is no time for now, these
 * refuse it. The local zone is UTC.
 */
export const dateFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ["date", takes(["string", "any"], ([layout, value]) => written(layout, value, "Local"))],
  ...["dateInZone", "date_in_zone"].map((name): [string, TemplateFunction] => [
    name,
    takes(["string", "any", "string"], ([layout, value, zone]) => written(layout, value, zone)),
  ]),
  ["htmlDate", takes(["any"], ([value]) => written(htmlLayout, value, "Local"))],
  ["htmlDateInZone", takes(["any", "string"], ([value, zone]) => written(htmlLayout, value, zone))],
  ...["dateModify", "date_modify"].map((name): [string, TemplateFunction] => [
    name,
    takes(["string", "time"], ([text, time]) => {
      const duration = parseDuration(text);
      return duration.ok ? later(time, duration.value) : time;
    }),
  ]),
  ...["mustDateModify", "must_date_modify"].map((name): [string, TemplateFunction] => [
    name,
    takes(["string", "time"], ([text, time]) => {
      const duration = parseDuration(text);
      if (!duration.ok) throw new FunctionError(duration.problem);
      return later(time, duration.value);
    }),
  ]),
  [
    "toDate",
    takes(["string", "string"], ([layout, text], { charge }) => {
      charge(layout.length + text.length);
      const read = parseTime(layout, text);
      return new GoTime(read.ok ? read.value : zeroTime);
    }),
  ],
  [
    "mustToDate",
    takes(["string", "string"], ([layout, text], { charge }) => {
      charge(layout.length + text.length);
      const read = parseTime(layout, text);
      if (!read.ok) throw new FunctionError(read.problem);
      return new GoTime(read.value);
    }),
  ],
  ["unixEpoch", takes(["time"], ([time]) => time.moment.seconds.toString())],
  ["duration", takes(["any"], ([seconds]) => printDuration(secondsOf(seconds) * billion))],
  ["durationRound", takes(["any"], ([value]) => rounded(value))],
];

const billion = 1_000_000_000n;
const htmlLayout = "2006-01-02";

/** Go's zero time, the first of January of year 1. */
const zeroTime: Moment = { seconds: -62_135_596_800n, nanoseconds: 0, location: utc };

function written(layout: string, value: GoValue, zone: string): string {
  const { seconds, nanoseconds } = momentOf(value);
  try {
    return formatTime({ seconds, nanoseconds, location: locationNamed(zone) }, layout);
  } catch (error) {
    if (error instanceof UnknownAbbreviation) throw new FunctionError(error.message);
    throw error;
  }
}

/** A time, or seconds since 1970. */
function momentOf(value: GoValue): Moment {
  if (value instanceof GoTime) return value.moment;
  if (typeof value === "bigint") return { seconds: value, nanoseconds: 0, location: utc };
  if (value instanceof GoInteger && (value.type === "int64" || value.type === "int32"))
    return { seconds: value.value, nanoseconds: 0, location: utc };
  // Numbers of params are float64, so this is met: `int64` makes seconds of them.
  throw new FunctionError(
    `wants a time, or seconds since 1970 as an int, got ${typeName(value)}; there is no current time to fall back to`,
  );
}

const int64Most = (1n << 63n) - 1n;

/** Only text and int64 count; an int does not, as sprig has it. Text beyond an int64 is the last one there is. */
function secondsOf(value: GoValue): bigint {
  if (typeof value === "string") {
    if (!/^[+-]?[0-9]+$/.test(value)) return 0n;
    const digits = value.replace(/^[+-]?0*/, "");
    const size = digits.length > 19 ? int64Most + 1n : BigInt(digits === "" ? "0" : digits);
    if (value.startsWith("-")) return size > int64Most ? -int64Most - 1n : -size;
    return size > int64Most ? int64Most : size;
  }
  return value instanceof GoInteger && value.type === "int64" ? value.value : 0n;
}

function rounded(value: GoValue): string {
  if (value instanceof GoTime)
    throw new FunctionError(
      "wants a duration; how long ago a time was would be another answer every time",
    );
  if (typeof value !== "string")
    return roundDuration(value instanceof GoInteger && value.type === "int64" ? value.value : 0n);
  const duration = parseDuration(value);
  return roundDuration(duration.ok ? duration.value : 0n);
}
