import { stripVTControlCharacters, styleText } from "node:util";
import type { CliWorld } from "./world.ts";

export type Colour = "red" | "green" | "yellow" | "blue" | "dim" | "bold";

/** How things are shown: what the terminal can do and what the user wants. */
export type Look = {
  readonly colour: boolean;
  /** `none` when nobody looks: a pipe gets words. */
  readonly glyphs: "unicode" | "ascii" | "none";
  /** Columns of the terminal; `undefined` when lines may be any length. */
  readonly columns: number | undefined;
};

export function lookOf(
  world: CliWorld,
  wish: { readonly color?: boolean | undefined; readonly ascii?: boolean | undefined },
): Look {
  const isTerminal = world.stdout.isTTY === true;
  const plain = wish.color === false || (world.environment["NO_COLOR"] ?? "") !== "";
  const glyphs = wish.ascii === true ? "ascii" : isTerminal && !plain ? "unicode" : "none";
  return {
    colour: isTerminal && !plain && world.environment["TERM"] !== "dumb",
    glyphs,
    columns: isTerminal ? world.stdout.columns : undefined,
  };
}

export const paint = (text: string, colour: Colour | undefined, look: Look): string =>
  colour === undefined || !look.colour || text === ""
    ? text
    : // The stream was judged by `lookOf`, also when it is not the process's own.
      styleText(colour, text, { validateStream: false });

/**
 * Text from elsewhere made safe to print on one line: escape sequences are removed, controls and
 * direction marks with them, line ends become spaces.
 */
export const oneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\r\n\t]+/g, " ")
    .replace(unprintable, "");

/** The same for text of several lines. */
export const manyLines = (text: string): string => text.split(/\r?\n/).map(oneLine).join("\n");

const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The same for every text inside a value, for printers that do not escape. */
export function withoutControls(value: unknown): unknown {
  if (typeof value === "string") return manyLines(value);
  if (Array.isArray(value)) return value.map(withoutControls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [oneLine(key), withoutControls(inner)]),
  );
}

/** JSON that a terminal cannot be driven by: what JSON leaves bare is escaped too. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(
    unprintableInJson,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

// Without the line ends and tabs that the indentation is made of; JSON escapes its own.
const unprintableInJson = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/** How many columns a text takes. Exact for what we print, near enough for what others named. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(letter)) continue;
    width += wide.test(letter) ? 2 : 1;
  }
  return width;
}

/** Cuts a text to so many columns, with an ellipsis where it was cut. */
export function cutTo(text: string, columns: number, look: Look): string {
  if (widthOf(text) <= columns) return text;
  const ellipsis = look.glyphs === "unicode" ? "…" : "...";
  const room = columns - ellipsis.length;
  let kept = "";
  let width = 0;
  for (const letter of text) {
    width += widthOf(letter);
    if (width > room) break;
    kept += letter;
  }
  return `${kept}${ellipsis}`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A duration in its largest fitting unit: `12s`, `11m`, `5h`, `263d`. */
export function shortDuration(ms: number): string {
  const past = Math.max(0, ms);
  if (past < minuteMs) return `${Math.floor(past / 1000)}s`;
  if (past < 2 * hourMs) return `${Math.floor(past / minuteMs)}m`;
  if (past < 2 * dayMs) return `${Math.floor(past / hourMs)}h`;
  return `${Math.floor(past / dayMs)}d`;
}

/** How long ago; `-` for never. */
export const shortAge = (atMs: number | undefined, nowMs: number): string =>
  atMs === undefined ? "-" : shortDuration(nowMs - atMs);

/** A moment for people, in UTC and saying so. */
export const moment = (atMs: number): string =>
  `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")}Z`;

export const timeOfDay = (atMs: number): string => `${new Date(atMs).toISOString().slice(11, 19)}Z`;

/** `90s`, `15m`, `1h`, `30d`, or milliseconds as a bare number with `ms`; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const unitMs = { ms: 1, s: 1000, m: minuteMs, h: hourMs, d: dayMs }[unit] ?? 1;
  return Math.round(Number(amount) * unitMs);
}
