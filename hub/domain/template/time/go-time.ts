import { FunctionError, takes, takesMany, type TemplateFunction } from "../function.ts";
import { GoInteger, GoObject, type StructField } from "../value.ts";
import { daysSinceEpoch } from "./calendar.ts";
import { formatTime, shown, type Moment, type Shown } from "./format-time.ts";
import { saturated } from "./go-duration.ts";
import { type GoLocation, local, utc } from "./location.ts";
import { NamedDay } from "./names.ts";
import { quoteBytes } from "./quote-bytes.ts";

const textLayout = "2006-01-02 15:04:05.999999999 -0700 MST";
const jsonLayout = "2006-01-02T15:04:05.999999999Z07:00";

const billion = 1_000_000_000n;
const daySeconds = 86_400;

/** Go counts from the first of January of year 1. */
const goEpochSeconds = -62_135_596_800n;

/** Go's `time.Time`, without a monotonic clock. */
export class GoTime extends GoObject {
  readonly type = "time.Time";
  readonly moment: Moment;

  constructor(moment: Moment) {
    super();
    this.moment = moment;
  }

  /** Throws UnknownAbbreviation. */
  get text(): string {
    return formatTime(this.moment, textLayout);
  }

  /** RFC 3339 has years of four digits and offsets of less than a day. */
  get json(): string | undefined {
    const { year, zone } = shown(this.moment);
    return year >= 0 && year <= 9999 && Math.abs(zone.offset) < daySeconds
      ? formatTime(this.moment, jsonLayout)
      : undefined;
  }

  get fields(): readonly StructField[] {
    const { nanoseconds, seconds, location } = this.moment;
    return [
      { name: "wall", kind: "unsigned", value: BigInt(nanoseconds) },
      { name: "ext", kind: "signed", value: seconds - goEpochSeconds },
      location === utc
        ? { name: "loc", kind: "nowhere", type: location.type }
        : { name: "loc", kind: "somewhere" },
    ];
  }

  get nanoseconds(): bigint {
    return this.moment.seconds * billion + BigInt(this.moment.nanoseconds);
  }

  method(name: string): TemplateFunction | undefined {
    return methods.get(name)?.(this);
  }

  equals(other: GoObject): boolean {
    return (
      other instanceof GoTime &&
      this.nanoseconds === other.nanoseconds &&
      this.moment.location === other.moment.location
    );
  }

  deepEquals(other: GoObject): boolean {
    if (!(other instanceof GoTime) || this.nanoseconds !== other.nanoseconds) return false;
    const [mine, its] = [this.moment.location, other.moment.location];
    // A time in UTC has no location at all.
    return mine === its || (mine !== utc && its !== utc && mine.deepEquals(its));
  }

  /** How `%#v` writes it. */
  get goSyntax(): string {
    const at = shown(this.moment);
    const month = new NamedDay("time.Month", at.month).text;
    const clock = [at.day, at.hour, at.minute, at.second, at.nanoseconds].join(", ");
    return `time.Date(${at.year}, time.${month}, ${clock}, ${locationSyntax(this.moment.location)})`;
  }
}

const locationSyntax = (location: GoLocation): string => {
  if (location === utc) return "time.UTC";
  return location === local ? "time.Local" : `time.Location(${quoteBytes(location.text)})`;
};

export function later({ moment }: GoTime, nanoseconds: bigint): GoTime {
  const total = moment.seconds * billion + BigInt(moment.nanoseconds) + nanoseconds;
  const fraction = floorMod(total, billion);
  return new GoTime({
    seconds: (total - fraction) / billion,
    nanoseconds: Number(fraction),
    location: moment.location,
  });
}

const floorMod = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;

/** How far from year 0 a date may be moved. */
const yearsMost = 1_000_000_000;

/** The same clock on another date; what is too many days for a month runs into the next. */
function withDateAdded(time: GoTime, years: bigint, months: bigint, days: bigint): GoTime {
  const at = shown(time.moment);
  const month = BigInt(at.month - 1) + months;
  const ofYear = floorMod(month, 12n);
  const year = BigInt(at.year) + years + (month - ofYear) / 12n;
  const bounds = [year, year + days / 365n];
  if (bounds.some((one) => one > yearsMost || one < -yearsMost))
    throw new FunctionError(`wants a date within ${yearsMost} years`);
  const first = daysSinceEpoch({ year: Number(year), month: Number(ofYear) + 1, day: 1 });
  const clock = at.hour * 3600 + at.minute * 60 + at.second;
  const wall = (BigInt(first + at.day - 1) + days) * BigInt(daySeconds) + BigInt(clock);
  return new GoTime({ ...time.moment, seconds: wall - BigInt(at.zone.offset) });
}

/** What is left of a time beyond the last multiple of a duration since year 1. */
const beyondMultiple = (time: GoTime, unit: bigint): bigint =>
  floorMod(time.nanoseconds - goEpochSeconds * billion, unit);

type Method = (time: GoTime) => TemplateFunction;

const shownInt =
  (of: (at: Shown) => number): Method =>
  (time) =>
    takes([], () => BigInt(of(shown(time.moment))));

const int64 =
  (of: (time: GoTime) => bigint): Method =>
  (time) =>
    takes([], () => new GoInteger("int64", BigInt.asIntN(64, of(time))));

const inLocation = ({ moment }: GoTime, location: GoLocation): GoTime =>
  new GoTime({ ...moment, location });

const compare = (a: GoTime, b: GoTime): number =>
  a.nanoseconds === b.nanoseconds ? 0 : a.nanoseconds < b.nanoseconds ? -1 : 1;

/** A method that no template can call, and why. */
const refused =
  (why: string): Method =>
  () =>
    takesMany([], "any", () => {
      throw new FunctionError(why);
    });

const pair = refused("it gives two values, and a template takes one");
const triple = refused("it gives three values, and a template takes one");
const bytes = refused("it gives bytes, which are no value of a template here: Format gives text");

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["Year", shownInt(({ year }) => year)],
  ["Month", (time) => takes([], () => new NamedDay("time.Month", shown(time.moment).month))],
  ["Day", shownInt(({ day }) => day)],
  ["Weekday", (time) => takes([], () => new NamedDay("time.Weekday", shown(time.moment).weekday))],
  ["YearDay", shownInt(({ yearDay }) => yearDay)],
  ["Hour", shownInt(({ hour }) => hour)],
  ["Minute", shownInt(({ minute }) => minute)],
  ["Second", shownInt(({ second }) => second)],
  ["Nanosecond", shownInt(({ nanoseconds }) => nanoseconds)],
  ["Unix", int64(({ moment }) => moment.seconds)],
  ["UnixMilli", int64((time) => floorDivided(time.nanoseconds, 1_000_000n))],
  ["UnixMicro", int64((time) => floorDivided(time.nanoseconds, 1000n))],
  ["UnixNano", int64((time) => time.nanoseconds)],
  ["IsZero", (time) => takes([], () => time.nanoseconds === goEpochSeconds * billion)],
  // Only places of the time zone database have it, and no time in a template is read in one.
  ["IsDST", () => takes([], () => false)],
  ["String", (time) => takes([], () => time.text)],
  ["GoString", (time) => takes([], () => time.goSyntax)],
  ["Format", (time) => takes(["string"], ([layout]) => formatTime(time.moment, layout))],
  ["After", (time) => takes(["time"], ([other]) => compare(time, other) > 0)],
  ["Before", (time) => takes(["time"], ([other]) => compare(time, other) < 0)],
  ["Equal", (time) => takes(["time"], ([other]) => compare(time, other) === 0)],
  ["Compare", (time) => takes(["time"], ([other]) => BigInt(compare(time, other)))],
  ["Sub", (time) => takes(["time"], ([other]) => saturated(time.nanoseconds - other.nanoseconds))],
  ["Add", (time) => takes(["duration"], ([duration]) => later(time, duration.value))],
  [
    "AddDate",
    (time) =>
      takes(["int", "int", "int"], ([years, months, days]) =>
        withDateAdded(time, years, months, days),
      ),
  ],
  [
    "Truncate",
    (time) =>
      takes(["duration"], ([{ value }]) =>
        value <= 0n ? time : later(time, -beyondMultiple(time, value)),
      ),
  ],
  [
    "Round",
    (time) =>
      takes(["duration"], ([{ value }]) => {
        if (value <= 0n) return time;
        const beyond = beyondMultiple(time, value);
        return later(time, beyond * 2n < value ? -beyond : value - beyond);
      }),
  ],
  ["UTC", (time) => takes([], () => inLocation(time, utc))],
  ["Local", (time) => takes([], () => inLocation(time, local))],
  [
    "In",
    (time) =>
      takes(["location"], ([location]) => {
        if (location === null) throw new FunctionError("time: missing Location in call to Time.In");
        return inLocation(time, location);
      }),
  ],
  ["Location", (time) => takes([], () => time.moment.location)],
  ["ISOWeek", pair],
  ["Zone", pair],
  ["ZoneBounds", pair],
  ["Clock", triple],
  ["Date", triple],
  ["AppendBinary", bytes],
  ["AppendFormat", bytes],
  ["AppendText", bytes],
  ["GobEncode", bytes],
  ["MarshalBinary", bytes],
  ["MarshalJSON", bytes],
  ["MarshalText", bytes],
]);

const floorDivided = (value: bigint, by: bigint): bigint => (value - floorMod(value, by)) / by;
