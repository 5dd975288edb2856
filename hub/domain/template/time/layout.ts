/** One piece of a layout of Go's package time: text as it is, or an element of the reference time. */
export type LayoutPiece =
  | { readonly kind: "text"; readonly written: string }
  | { readonly kind: LayoutElement; readonly written: string }
  | {
      readonly kind: "fraction";
      readonly written: string;
      readonly digits: number;
      /** Whether zeros at the end are left out. */
      readonly trims: boolean;
    };

export type LayoutElement =
  | "month-name"
  | "month-short-name"
  | "month"
  | "month-padded"
  | "weekday-name"
  | "weekday-short-name"
  | "day"
  | "day-spaced"
  | "day-padded"
  | "year-day-spaced"
  | "year-day-padded"
  | "hour"
  | "hour-of-half-day"
  | "hour-of-half-day-padded"
  | "minute"
  | "minute-padded"
  | "second"
  | "second-padded"
  | "year"
  | "year-short"
  | "half-day"
  | "half-day-small"
  | "zone-name"
  | "offset";

const elements: ReadonlyMap<string, LayoutElement> = new Map<string, LayoutElement>([
  ["January", "month-name"],
  ["Jan", "month-short-name"],
  ["1", "month"],
  ["01", "month-padded"],
  ["Monday", "weekday-name"],
  ["Mon", "weekday-short-name"],
  ["2", "day"],
  ["_2", "day-spaced"],
  ["02", "day-padded"],
  ["__2", "year-day-spaced"],
  ["002", "year-day-padded"],
  ["15", "hour"],
  ["3", "hour-of-half-day"],
  ["03", "hour-of-half-day-padded"],
  ["4", "minute"],
  ["04", "minute-padded"],
  ["5", "second"],
  ["05", "second-padded"],
  ["2006", "year"],
  ["06", "year-short"],
  ["PM", "half-day"],
  ["pm", "half-day-small"],
  ["MST", "zone-name"],
]);

/** `_2006` is an underscore before a year, `Janus` no month, `.0001` no fraction. */
const element =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|[345]|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?![0-9])/g;

/** How many digits of a fraction Go counts before it begins anew. */
const digitsWrap = 4096;

/** Takes a layout apart, in time that grows with its length. */
export function readLayout(layout: string): readonly LayoutPiece[] {
  const pieces: LayoutPiece[] = [];
  let at = 0;
  for (const found of layout.matchAll(element)) {
    const [written] = found;
    if (found.index > at) pieces.push({ kind: "text", written: layout.slice(at, found.index) });
    at = found.index + written.length;
    const kind = elements.get(written);
    if (kind !== undefined) pieces.push({ kind, written });
    else if (/^[-Z]/.test(written)) pieces.push({ kind: "offset", written });
    else
      pieces.push({
        kind: "fraction",
        written,
        digits: (written.length - 1) % digitsWrap,
        trims: written.endsWith("9"),
      });
  }
  if (at < layout.length) pieces.push({ kind: "text", written: layout.slice(at) });
  return pieces;
}
