import { zoneAbbreviation } from "./zone-abbreviations.ts";

/** What clocks of a place show at a moment. */
export type ZoneMoment = {
  /** Seconds east of Greenwich. */
  readonly offset: number;
  /** What it is called there and then; empty when it has no name but its offset, `undefined` when not known here. */
  readonly name: string | undefined;
};

export type Zone = (seconds: bigint) => ZoneMoment;

const greenwich: ZoneMoment = { offset: 0, name: "UTC" };

export const utc: Zone = () => greenwich;

export function fixedZone(name: string, offset: number): Zone {
  const moment = { offset, name };
  return () => moment;
}

/**
 * A zone by its name in the time zone database. `Local` is UTC, as in the containers Argo CD runs in: where a
 * hub stands must not change what it generates. A name that nobody knows is UTC too, as sprig has it.
 */
export function zoneNamed(name: string): Zone {
  if (!isZoneName(name)) return utc;
  const known = zones.get(name);
  if (known !== undefined) return known;
  const made = databaseZone(name);
  // Only names of the database come here: there are some six hundred.
  zones.set(name, made);
  return made;
}

const zones = new Map<string, Zone>();

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

function databaseZone(name: string): Zone {
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
  return (seconds) => {
    const offset = offsetAt(seconds);
    return { offset, name: zoneAbbreviation(name, offset, seconds) };
  };
}

/** `GMT`, `GMT+05:30`, `GMT-00:19:32`. */
function offsetOf(text: string): number {
  const [, sign, hours, minutes, seconds] =
    /^GMT([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/.exec(text) ?? [];
  const size = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return sign === "-" ? -size : size;
}
