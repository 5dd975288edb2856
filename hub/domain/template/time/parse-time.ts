import { fail, ok, type Result } from "../../../../proto/kit/result.ts";
import { unreachable } from "../../../../proto/kit/unreachable.ts";
import {
  daysBeforeMonth,
  daysOfMonth,
  daysSinceEpoch,
  isLeapYear,
  monthNames,
  weekdayNames,
} from "./calendar.ts";
import type { Moment } from "./format-time.ts";
import { readLayout, type LayoutElement, type LayoutPiece } from "./layout.ts";
import { quoteBytes } from "./quote-bytes.ts";
import { fixedZone, local, utc } from "./location.ts";

/** Reads a time by a layout of Go's reference time; what names no zone is local. Fails with Go's sentence. */
export function parseTime(layout: string, text: string): Result<Moment, string> {
  try {
    return ok(new Reader(layout, text).read());
  } catch (error) {
    if (error instanceof Unreadable)
      return fail(`parsing time ${quoteBytes(text)}${error.message}`);
    throw error;
  }
}

class Unreadable extends Error {}

/** The value of an element is none. */
class BadValue extends Error {}

const outOfRange = (what: string): Unreadable => new Unreadable(`: ${what} out of range`);

class Reader {
  readonly #layout: string;
  /** What is left of the text. */
  #rest: string;
  #year = 0;
  #month: number | undefined;
  #day: number | undefined;
  #yearDay: number | undefined;
  #hour = 0;
  #minute = 0;
  #second = 0;
  #nanoseconds = 0;
  #halfDay: "AM" | "PM" | undefined;
  #isUtc = false;
  #offset: number | undefined;
  #zoneName = "";

  constructor(layout: string, text: string) {
    this.#layout = layout;
    this.#rest = text;
  }

  read(): Moment {
    const pieces = readLayout(this.#layout);
    for (const [index, piece] of pieces.entries()) {
      const before = this.#rest;
      try {
        // Go looks for the fraction of a second behind any text, which is one piece.
        const isText = pieces[index + 1]?.kind === "text";
        this.#piece(piece, pieces[isText ? index + 2 : index + 1]);
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        // In plain text what was read of it is left out of the sentence.
        const from = piece.kind === "text" ? this.#rest : before;
        throw new Unreadable(
          ` as ${quoteBytes(this.#layout)}: cannot parse ${quoteBytes(from)} as ${quoteBytes(piece.written)}`,
        );
      }
    }
    if (this.#rest !== "") throw new Unreadable(`: extra text: ${quoteBytes(this.#rest)}`);
    return this.#moment();
  }

  #piece(piece: LayoutPiece, next: LayoutPiece | undefined): void {
    switch (piece.kind) {
      case "text":
        return this.#plain(piece.written);
      case "fraction":
        return this.#fraction(piece.digits, piece.trims);
      default:
        return this.#element(piece.kind, piece.written, next);
    }
  }

  /** One space or more stands for any number of them. */
  #plain(written: string): void {
    for (const part of written.match(/ +|[^ ]/g) ?? []) {
      if (part.startsWith(" ")) {
        if (this.#rest !== "" && !this.#rest.startsWith(" ")) throw new BadValue();
        this.#rest = this.#rest.replace(/^ +/, "");
      } else if (this.#rest.startsWith(part)) this.#rest = this.#rest.slice(part.length);
      else throw new BadValue();
    }
  }

  #element(element: LayoutElement, written: string, next: LayoutPiece | undefined): void {
    switch (element) {
      case "year":
        this.#year = Number(this.#take(/^[0-9]{4}/));
        return;
      case "year-short": {
        // A sign and a digit will do, as they do in Go.
        const year = Number(this.#take(/^(?:[0-9]{2}|[+-][0-9])/));
        this.#year = year + (year >= 69 ? 1900 : 2000);
        return;
      }
      case "month-name":
        this.#month = this.#name(monthNames) + 1;
        return;
      case "month-short-name":
        this.#month = this.#name(monthNames.map(short)) + 1;
        return;
      case "month":
      case "month-padded":
        this.#month = this.#number(element === "month-padded");
        if (this.#month < 1 || this.#month > 12) throw outOfRange("month");
        return;
      case "weekday-name":
        this.#name(weekdayNames);
        return;
      case "weekday-short-name":
        this.#name(weekdayNames.map(short));
        return;
      case "day":
      case "day-spaced":
      case "day-padded":
        if (element === "day-spaced") this.#rest = this.#rest.replace(/^ /, "");
        this.#day = this.#number(element === "day-padded");
        return;
      case "year-day-spaced":
      case "year-day-padded":
        if (element === "year-day-spaced") this.#rest = this.#rest.replace(/^ {1,2}/, "");
        this.#yearDay = Number(
          this.#take(element === "year-day-padded" ? /^[0-9]{3}/ : /^[0-9]{1,3}/),
        );
        return;
      case "hour":
        this.#hour = this.#number(false);
        if (this.#hour > 23) throw outOfRange("hour");
        return;
      case "hour-of-half-day":
      case "hour-of-half-day-padded":
        this.#hour = this.#number(element === "hour-of-half-day-padded");
        if (this.#hour > 12) throw outOfRange("hour");
        return;
      case "minute":
      case "minute-padded":
        this.#minute = this.#number(element === "minute-padded");
        if (this.#minute > 59) throw outOfRange("minute");
        return;
      case "second":
      case "second-padded":
        this.#second = this.#number(element === "second-padded");
        if (this.#second > 59) throw outOfRange("second");
        // A fraction may follow that the layout does not name.
        if (next?.kind !== "fraction" && /^[.,][0-9]/.test(this.#rest))
          this.#nanoseconds = nanosecondsOf(this.#take(/^[.,][0-9]+/));
        return;
      case "half-day":
        this.#halfDay = this.#take(/^(?:AM|PM)/) as "AM" | "PM";
        return;
      case "half-day-small":
        this.#halfDay = this.#take(/^(?:am|pm)/).toUpperCase() as "AM" | "PM";
        return;
      case "zone-name":
        if (this.#rest.startsWith("UTC")) {
          this.#rest = this.#rest.slice(3);
          this.#isUtc = true;
        } else this.#zoneName = this.#take(zoneName);
        return;
      case "offset":
        return this.#readOffset(written);
      default:
        return unreachable(element, "layout element");
    }
  }

  #take(pattern: RegExp): string {
    const [found] = pattern.exec(this.#rest) ?? [];
    if (found === undefined) throw new BadValue();
    this.#rest = this.#rest.slice(found.length);
    return found;
  }

  /** Two digits, or one where a second one is not wanted. */
  #number(isPadded: boolean): number {
    return Number(this.#take(isPadded ? /^[0-9]{2}/ : /^[0-9]{1,2}/));
  }

  /** The index of the name that comes next, in any capitals. */
  #name(names: readonly string[]): number {
    const index = names.findIndex(
      (name) => this.#rest.slice(0, name.length).toLowerCase() === name.toLowerCase(),
    );
    if (index === -1) throw new BadValue();
    this.#rest = this.#rest.slice(names[index]?.length);
    return index;
  }

  #fraction(digits: number, trims: boolean): void {
    if (trims) {
      if (/^[.,][0-9]/.test(this.#rest))
        this.#nanoseconds = nanosecondsOf(this.#take(/^[.,][0-9]+/));
      return;
    }
    const length = digits + 1;
    const written = this.#rest.slice(0, length);
    if (written.length < length) throw new BadValue();
    this.#rest = this.#rest.slice(length);
    // Beyond nine digits Go does not look.
    if (!/^[.,](?:[+-]?[0-9]+)$/.test(written.slice(0, 10))) throw new BadValue();
    const value = nanosecondsOf(written);
    if (value < 0) throw outOfRange("fractional second");
    this.#nanoseconds = value;
  }

  #readOffset(written: string): void {
    if (written.startsWith("Z") && this.#rest.startsWith("Z")) {
      this.#rest = this.#rest.slice(1);
      this.#isUtc = true;
      return;
    }
    const shape = offsetShapes.get(written.slice(1));
    const [found, sign, hours = "", minutes = "00", seconds = "00"] = shape?.exec(this.#rest) ?? [];
    if (found === undefined) throw new BadValue();
    this.#rest = this.#rest.slice(found.length);
    if (Number(hours) > 24) throw outOfRange("time zone offset hour");
    if (Number(minutes) > 60) throw outOfRange("time zone offset minute");
    if (Number(seconds) > 60) throw outOfRange("time zone offset second");
    if (sign !== "+" && sign !== "-") throw new BadValue();
    const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    this.#offset = sign === "-" ? -size : size;
  }

  #moment(): Moment {
    if (this.#halfDay === "PM" && this.#hour < 12) this.#hour += 12;
    if (this.#halfDay === "AM" && this.#hour === 12) this.#hour = 0;
    if (this.#yearDay !== undefined) this.#placeYearDay(this.#yearDay);
    const date = { year: this.#year, month: this.#month ?? 1, day: this.#day ?? 1 };
    if (date.day < 1 || date.day > daysOfMonth(date.month, date.year)) throw outOfRange("day");
    const clock = this.#hour * 3600 + this.#minute * 60 + this.#second;
    const seconds = BigInt(daysSinceEpoch(date) * 86_400 + clock);
    const nanoseconds = this.#nanoseconds;
    if (this.#isUtc) return { seconds, nanoseconds, location: utc };
    // Go keeps -1 for an offset that was not given: one second west is one too.
    if (this.#offset !== undefined && this.#offset !== -1) {
      const isLocal = this.#offset === 0 && (this.#zoneName === "" || this.#zoneName === "UTC");
      const location = isLocal ? local : fixedZone(this.#zoneName, this.#offset);
      return { seconds: seconds - BigInt(this.#offset), nanoseconds, location };
    }
    if (this.#zoneName === "") return { seconds, nanoseconds, location: local };
    // A name tells its offset only when it has it in it. The clock is taken for Greenwich's all the same.
    const hours = /^GMT([+-]?[0-9]+)$/.exec(this.#zoneName)?.[1] ?? "0";
    return {
      seconds,
      nanoseconds,
      location: fixedZone(this.#zoneName, Number(hours) * 3600),
    };
  }

  #placeYearDay(yearDay: number): void {
    const yearDays = isLeapYear(this.#year) ? 366 : 365;
    if (yearDay < 1 || yearDay > yearDays) throw outOfRange("day-of-year");
    let month = 12;
    while (daysBeforeMonth(month, this.#year) >= yearDay) month -= 1;
    const day = yearDay - daysBeforeMonth(month, this.#year);
    if (this.#month !== undefined && this.#month !== month)
      throw new Unreadable(": day-of-year does not match month");
    if (this.#day !== undefined && this.#day !== day)
      throw new Unreadable(": day-of-year does not match day");
    this.#month = month;
    this.#day = day;
  }
}

const short = (name: string): string => name.slice(0, 3);

/** `.5` is 500 million. Nine digits count. */
const nanosecondsOf = (written: string): number => {
  const digits = written.slice(1, 10);
  return Number(digits) * 10 ** (9 - digits.length);
};

/** How an offset is written, by the layout's way to write seven hours. Any character may stand for the sign. */
const offsetShapes: ReadonlyMap<string, RegExp> = new Map([
  ["07:00", /^([^])([0-9]{2}):([0-9]{2})/],
  ["07", /^([^])([0-9]{2})/],
  ["07:00:00", /^([^])([0-9]{2}):([0-9]{2}):([0-9]{2})/],
  ["070000", /^([^])([0-9]{2})([0-9]{2})([0-9]{2})/],
  ["0700", /^([^])([0-9]{2})([0-9]{2})/],
]);

/** Three capitals, or four and five that end in T, and some that are like no other. */
const zoneName =
  /^(?:ChST|MeST|GMT(?:[+-](?:0*(?:1?[0-9]|2[0-3]))(?![0-9]))?|[+-](?:0*(?:1?[0-9]|2[0-3]))(?![0-9])|[A-Z]{4}T(?![A-Z])|(?:[A-Z]{3}T|WITA)(?![A-Z])|[A-Z]{3}(?![A-Z]))/;
