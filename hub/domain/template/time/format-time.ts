import { unreachable } from "../../../../proto/kit/unreachable.ts";
import { dayOf, daysBeforeMonth, monthNames, weekdayNames, weekdayOf } from "./calendar.ts";
import { readLayout, type LayoutElement } from "./layout.ts";
import type { GoLocation, ZoneMoment } from "./location.ts";

/** A point in time, and the place its clock is read in. */
export type Moment = {
  /** Since 1970-01-01T00:00:00Z. */
  readonly seconds: bigint;
  /** From 0, below a thousand million. */
  readonly nanoseconds: number;
  readonly location: GoLocation;
};

/** A layout asks for the abbreviation of a zone, and it is not known here. */
export class UnknownAbbreviation extends Error {}

/** What calendar and clock show. */
export type Shown = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly yearDay: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanoseconds: number;
  readonly zone: ZoneMoment;
};

const daySeconds = 86_400n;

export function shown({ seconds, nanoseconds, location }: Moment): Shown {
  const moment = location.at(seconds);
  const local = seconds + BigInt(moment.offset);
  const ofDay = Number(((local % daySeconds) + daySeconds) % daySeconds);
  const days = Number((local - BigInt(ofDay)) / daySeconds);
  const { year, month, day } = dayOf(days);
  return {
    year,
    month,
    day,
    yearDay: daysBeforeMonth(month, year) + day,
    weekday: weekdayOf(days),
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
    nanoseconds,
    zone: moment,
  };
}

/** Writes a moment by a layout of Go's reference time. Throws UnknownAbbreviation. */
export function formatTime(moment: Moment, layout: string): string {
  const at = shown(moment);
  let text = "";
  for (const piece of readLayout(layout)) {
    switch (piece.kind) {
      case "text":
        text += piece.written;
        break;
      case "fraction":
        text += fractionText(at.nanoseconds, piece.written.slice(0, 1), piece.digits, piece.trims);
        break;
      default:
        text += elementText(piece.kind, piece.written, at);
    }
  }
  return text;
}

function elementText(element: LayoutElement, written: string, at: Shown): string {
  const month = monthNames[at.month - 1] ?? "";
  const weekday = weekdayNames[at.weekday] ?? "";
  const halfDayHour = at.hour % 12 === 0 ? 12 : at.hour % 12;
  switch (element) {
    case "year":
      return padded(at.year, 4);
    case "year-short":
      return padded(Math.abs(at.year) % 100, 2);
    case "month-name":
      return month;
    case "month-short-name":
      return month.slice(0, 3);
    case "month":
      return String(at.month);
    case "month-padded":
      return padded(at.month, 2);
    case "weekday-name":
      return weekday;
    case "weekday-short-name":
      return weekday.slice(0, 3);
    case "day":
      return String(at.day);
    case "day-spaced":
      return String(at.day).padStart(2);
    case "day-padded":
      return padded(at.day, 2);
    case "year-day-spaced":
      return String(at.yearDay).padStart(3);
    case "year-day-padded":
      return padded(at.yearDay, 3);
    case "hour":
      return padded(at.hour, 2);
    case "hour-of-half-day":
      return String(halfDayHour);
    case "hour-of-half-day-padded":
      return padded(halfDayHour, 2);
    case "minute":
      return String(at.minute);
    case "minute-padded":
      return padded(at.minute, 2);
    case "second":
      return String(at.second);
    case "second-padded":
      return padded(at.second, 2);
    case "half-day":
      return at.hour >= 12 ? "PM" : "AM";
    case "half-day-small":
      return at.hour >= 12 ? "pm" : "am";
    case "zone-name":
      return zoneText(at.zone);
    case "offset":
      return offsetText(at.zone.offset, written);
    default:
      return unreachable(element, "layout element");
  }
}

function padded(value: number, width: number): string {
  const digits = String(Math.abs(value)).padStart(width, "0");
  return value < 0 ? `-${digits}` : digits;
}

function zoneText({ name, offset }: ZoneMoment): string {
  if (name === undefined)
    throw new UnknownAbbreviation(
      "the abbreviation of this time zone at this time is not known here, use -0700 in the layout",
    );
  return name === "" ? offsetText(offset, "-0700") : name;
}

/** `written` is how the layout spells seven hours west: `-0700`, `Z07:00` and so on. */
function offsetText(offset: number, written: string): string {
  if (offset === 0 && written.startsWith("Z")) return "Z";
  const size = Math.abs(offset);
  const colon = written.includes(":") ? ":" : "";
  const parts = [padded(Math.floor(size / 3600), 2)];
  if (written.length > 3) parts.push(padded(Math.floor(size / 60) % 60, 2));
  if (written.replaceAll(":", "").length > 5) parts.push(padded(size % 60, 2));
  // Less than a minute west of Greenwich counts as east.
  return (offset <= -60 ? "-" : "+") + parts.join(colon);
}

function fractionText(
  nanoseconds: number,
  separator: string,
  digits: number,
  trims: boolean,
): string {
  if (trims && (digits === 0 || nanoseconds === 0)) return "";
  const written = separator + padded(nanoseconds, 9).slice(0, Math.min(digits, 9));
  return trims ? written.replace(/[.,]?0*$/, "") : written;
}
