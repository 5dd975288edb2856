import type { Answer } from "./answer.ts";
import { usage } from "./exit-codes.ts";
import { tablePrinter, type Column, type TableManner } from "./table.ts";
import { safeJson, withoutControls } from "./terminal.ts";
import type { CliWorld } from "./world.ts";

const formats = ["table", "wide", "json", "jsonl", "yaml", "name"] as const;

export type Format = (typeof formats)[number];

/** The name of the shapes that `-o json` prints: they only grow within it. */
export const shapeVersion = "cli.wheelhouse/v1";

export function parseFormat(word: string): Format {
  const found = formats.find((format) => format === word);
  if (found === undefined)
    throw usage(`-o ${JSON.stringify(word)} is none of ${formats.join(", ")}`);
  return found;
}

export type Printable = {
  /** `apps`, `clusters`, …: the kind in `-o json`. */
  readonly kind: string;
  readonly columns: readonly Column[];
  /** `app/web`: what `-o name` prints, and other commands take. */
  readonly referenceOf: (row: Answer) => string;
};

/** Prints rows in the format asked for. */
export async function printRows(
  world: CliWorld,
  printable: Printable,
  rows: readonly Answer[],
  format: Format,
  manner: TableManner,
): Promise<void> {
  switch (format) {
    case "table":
    case "wide":
      world.stdout.write(tablePrinter(printable.columns, manner).print(rows));
      return;
    case "name":
      for (const row of rows) world.stdout.write(`${printable.referenceOf(row)}\n`);
      return;
    case "jsonl":
      for (const row of rows) world.stdout.write(`${safeJson(row)}\n`);
      return;
    default:
      await printValue(
        world,
        { apiVersion: shapeVersion, kind: printable.kind, items: rows },
        format,
      );
  }
}

/** Prints one value as JSON or YAML. */
export async function printValue(
  world: CliWorld,
  value: unknown,
  format: "json" | "jsonl" | "yaml",
): Promise<void> {
  if (format === "yaml") world.stdout.write(await yamlOf(value));
  else world.stdout.write(`${safeJson(value, format === "json" ? 2 : undefined)}\n`);
}

/** Whether a format shows a value whole, rather than for people. */
export const isWhole = (format: Format): format is "json" | "jsonl" | "yaml" =>
  format === "json" || format === "jsonl" || format === "yaml";

/** One YAML document, without a line end inside any plain text. */
export async function yamlOf(value: unknown): Promise<string> {
  // Loaded when asked for: most commands print tables.
  const { stringify } = await import("yaml");
  return stringify(withoutControls(value), { lineWidth: 0, aliasDuplicateObjects: false });
}
