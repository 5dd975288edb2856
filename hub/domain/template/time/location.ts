import type { Json } from "../../../../proto/words/digest.ts";
import { takes, type TemplateFunction } from "../function.ts";
import { GoObject } from "../value.ts";
import { zoneAbbreviation } from "./zone-abbreviations.ts";

/** What clocks of a place show at a moment. */
export type ZoneMoment = {
  /** Seconds east of Greenwich. */
  readonly offset: number;
  /** What it is called there and then; empty when it has no name but its offset, `undefined` when not known here. */
  readonly name: string | undefined;
};

/** Go's `*time.Location`. Two are equal when they are the same one, as pointers are. */
export class GoLocation extends GoObject {
  readonly type = "*time.Location";
  readonly text: string;
  // It has no field that JSON would see.
  readonly json: Json = {};
  readonly fields = undefined;
  readonly at: (seconds: bigint) => ZoneMoment;

  constructor(name: string, at: (seconds: bigint) => ZoneMoment) {
    super();
    this.text = name;
    this.at = at;
  }

  method(name: string): TemplateFunction | undefined {
    return name === "String" ? takes([], () => this.text) : undefined;
  }

  equals(other: GoObject): boolean {
    return this === other;
  }

  deepEquals(other: GoObject): boolean {
    if (this === other) return true;
    if (!(other instanceof GoLocation)) return false;
    // Greenwich has no table of offsets; all other places have.
    if (isGreenwich(this) || isGreenwich(other)) return isGreenwich(this) && isGreenwich(other);
    return this.text === other.text && this.at(0n).offset === other.at(0n).offset;
  }
}

const always = (locationName: string, moment: ZoneMoment): GoLocation =>
  new GoLocation(locationName, () => moment);

export const utc = always("UTC", { offset: 0, name: "UTC" });

/**
 * UTC by another identity, as in the containers Argo CD runs in: where a hub stands must not change what it
 * generates.
 */
export const local = always("UTC", { offset: 0, name: "UTC" });

const isGreenwich = (location: GoLocation): boolean => location === utc || location === local;

/** A place with one offset. Those without a name and with whole hours are made once, as Go has them. */
export function fixedZone(name: string, offset: number): GoLocation {
  const hour = offset / 3600;
  if (name !== "" || !Number.isInteger(hour) || hour < -12 || hour > 14)
    return always(name, { offset, name });
  const known = wholeHours.get(hour);
  if (known !== undefined) return known;
  const made = always(name, { offset, name });
  wholeHours.set(hour, made);
  return made;
}

const wholeHours = new Map<number, GoLocation>();

/** A place by its name in the time zone database. A name that nobody knows is UTC, as sprig has it. */
export function locationNamed(name: string): GoLocation {
  if (name === "Local") return local;
  if (!isZoneName(name)) return utc;
  const known = locations.get(name);
  if (known !== undefined) return known;
  const made = databaseLocation(name);
  // Only names of the database come here: there are some six hundred.
  locations.set(name, made);
  return made;
}

const locations = new Map<string, GoLocation>();

/** Intl knows more names than the database, and does not mind capitals. */
const isZoneName = (name: string): boolean =>
  plainNames.has(name) ||
  (/^[A-Z][A-Za-z]+(?:\/[A-Z][A-Za-z0-9_+-]*)+$/.test(name) && !name.startsWith("SystemV/"));

const plainNames = new Set(
  (
    "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong " +
    "Iceland Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland " +
    "Portugal ROC ROK Singapore Turkey UCT Universal W-SU WET Zulu"
  ).split(" "),
);

/** Where JavaScript's dates end, in seconds. */
const dateSecondsMost = 8_640_000_000_000n;

function databaseLocation(name: string): GoLocation {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch {
    return utc;
  }
  const offsetAt = (seconds: bigint): number => {
    const most = seconds > dateSecondsMost ? dateSecondsMost : seconds;
    const within = most < -dateSecondsMost ? -dateSecondsMost : most;
    const parts = format.formatToParts(Number(within) * 1000);
    return offsetOf(parts.find(({ type }) => type === "timeZoneName")?.value ?? "");
  };
  return new GoLocation(name, (seconds) => {
    const offset = offsetAt(seconds);
    return { offset, name: zoneAbbreviation(name, offset, seconds) };
  });
}

/** `GMT`, `GMT+05:30`, `GMT-00:19:32`. */
function offsetOf(text: string): number {
  const [, sign, hours, minutes, seconds] =
    /^GMT([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/.exec(text) ?? [];
  const size = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return sign === "-" ? -size : size;
}
