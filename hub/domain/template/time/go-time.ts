import { GoInteger, GoObject, type GoValue } from "../value.ts";
import { formatTime, shown, type Moment } from "./format-time.ts";
import { monthNames, weekdayNames } from "./calendar.ts";

const textLayout = "2006-01-02 15:04:05.999999999 -0700 MST";
const jsonLayout = "2006-01-02T15:04:05.999999999Z07:00";

/** Go's `time.Time` with the methods that need no argument. Throws UnknownAbbreviation. */
export class GoTime extends GoObject {
  readonly moment: Moment;

  constructor(moment: Moment) {
    const year = shown(moment).year;
    super(
      "time.Time",
      methodsOf(moment),
      formatTime(moment, textLayout),
      year >= 0 && year <= 9999 ? formatTime(moment, jsonLayout) : undefined,
    );
    this.moment = moment;
  }
}

function methodsOf(moment: Moment): ReadonlyMap<string, GoValue> {
  const at = shown(moment);
  const int64 = (value: bigint): GoInteger => new GoInteger("int64", BigInt.asIntN(64, value));
  const { seconds, nanoseconds } = moment;
  const fraction = BigInt(nanoseconds);
  const monthName = monthNames[at.month - 1] ?? "";
  const weekdayName = weekdayNames[at.weekday] ?? "";
  const isZero = seconds === -62_135_596_800n && nanoseconds === 0;
  return new Map<string, GoValue>([
    ["Year", BigInt(at.year)],
    ["Month", new GoObject("time.Month", new Map(), monthName, monthName)],
    ["Day", BigInt(at.day)],
    ["Weekday", new GoObject("time.Weekday", new Map(), weekdayName, weekdayName)],
    ["YearDay", BigInt(at.yearDay)],
    ["Hour", BigInt(at.hour)],
    ["Minute", BigInt(at.minute)],
    ["Second", BigInt(at.second)],
    ["Nanosecond", fraction],
    ["Unix", int64(seconds)],
    ["UnixMilli", int64(seconds * 1000n + fraction / 1_000_000n)],
    ["UnixMicro", int64(seconds * 1_000_000n + fraction / 1000n)],
    ["UnixNano", int64(seconds * 1_000_000_000n + fraction)],
    ["IsZero", isZero],
  ]);
}
