import type { Answer } from "./answer.ts";
import { cutTo, oneLine, paint, widthOf, type Colour, type Look } from "./terminal.ts";

export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

export type Column = {
  readonly header: string;
  /** The header where a sign is clear enough. */
  readonly sign?: string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  readonly align?: "right";
  readonly cell: (row: Answer, manner: TableManner) => Cell;
  /** What to sort by; the text as printed when left out. */
  readonly order?: (row: Answer) => number | string;
};

export type TableManner = {
  readonly look: Look;
  readonly nowMs: number;
  readonly wide: boolean;
  readonly headers: boolean;
};

/** Columns that keep their width, so that rows printed later stand under rows printed before. */
export type TablePrinter = { readonly print: (rows: readonly Answer[]) => string };

export function tablePrinter(columns: readonly Column[], manner: TableManner): TablePrinter {
  const shown = columns.filter(({ wide }) => wide !== true || manner.wide);
  let widths: readonly number[] = shown.map(() => 0);
  let printed = false;
  return {
    print: (rows) => {
      const cells = rows.map((row) => shown.map(({ cell }) => cleaned(cell(row, manner))));
      const lines =
        manner.headers && !printed
          ? [shown.map((column) => headerOf(column, manner)), ...cells]
          : cells;
      widths = widths.map((width, index) =>
        Math.max(width, ...lines.map((line) => widthOf(line[index]?.text ?? ""))),
      );
      printed = true;
      return lines.map((line) => `${lineText(line, shown, widths, manner)}\n`).join("");
    },
  };
}

type CleanCell = { readonly text: string; readonly colour: Colour | undefined };

const cleaned = (cell: Cell): CleanCell =>
  typeof cell === "string"
    ? { text: dashed(oneLine(cell)), colour: undefined }
    : { text: dashed(oneLine(cell.text)), colour: cell.colour };

const dashed = (text: string): string => (text === "" ? "-" : text);

const headerOf = ({ header, sign }: Column, { look }: TableManner): CleanCell => ({
  text: sign !== undefined && look.glyphs === "unicode" ? sign : header,
  colour: "bold",
});

function lineText(
  line: readonly CleanCell[],
  columns: readonly Column[],
  widths: readonly number[],
  { look, wide }: TableManner,
): string {
  const last = line.length - 1;
  let used = 0;
  const shown = line.map(({ text, colour }, index) => {
    const width = widths[index] ?? 0;
    const pad = " ".repeat(Math.max(0, width - widthOf(text)));
    if (columns[index]?.align === "right") {
      used += width + gap.length;
      return pad + paint(text, colour, look);
    }
    if (index !== last) {
      used += width + gap.length;
      return paint(text, colour, look) + pad;
    }
    // Only the last column is ever cut, and never when asked for everything or when nobody looks.
    const room = look.columns === undefined || wide ? undefined : Math.max(16, look.columns - used);
    return paint(room === undefined ? text : cutTo(text, room, look), colour, look);
  });
  return shown.join(gap);
}

const gap = "   ";

/** Sorted by one column, named by its header in any case; `-` in front turns the order round. */
export function sortRows(
  rows: readonly Answer[],
  columns: readonly Column[],
  by: string,
  manner: TableManner,
): readonly Answer[] | undefined {
  const descending = by.startsWith("-");
  const wanted = plainName(descending ? by.slice(1) : by);
  const column = columns.find(({ header }) => plainName(header) === wanted);
  if (column === undefined) return undefined;
  const orderOf = column.order ?? ((row: Answer) => cleaned(column.cell(row, manner)).text);
  const sign = descending ? -1 : 1;
  // Equals keep their order, which is by name, whichever way round.
  return rows.toSorted((a, b) => sign * compare(orderOf(a), orderOf(b)));
}

export const plainName = (header: string): string => header.toLowerCase().replaceAll(/[ _-]/g, "");

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
