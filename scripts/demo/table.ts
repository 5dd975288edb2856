import { stripVTControlCharacters, styleText } from "node:util";

/** One cluster as the table shows it. */
export type ClusterLine = {
  readonly name: string;
  readonly environment: string;
  readonly attached: boolean;
  readonly applications: number;
  readonly synced: number;
  readonly healthy: number;
};

type Row = {
  readonly name: string;
  readonly environment: string;
  readonly link: string;
  readonly lines: readonly ClusterLine[];
};

/** More clusters than this are shown a line per environment. */
const linesMost = 24;

/**
 * The fleet as text, a line per cluster, or per environment when there are many.
 *
 * `columns` is the width of the terminal; no line is wider.
 */
export function fleetTable(
  clusters: readonly ClusterLine[],
  elapsedMs: number,
  { columns, colour }: { readonly columns: number; readonly colour: boolean },
): readonly string[] {
  const paint = (style: "green" | "yellow" | "dim" | "bold", text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const rows = clusters.length > linesMost ? byEnvironment(clusters) : clusters.map(rowOf);
  const nameWidth = Math.max(7, ...rows.map((row) => row.name.length));
  const header = `${"CLUSTER".padEnd(nameWidth)}  ENV      LINK      SYNCED   HEALTHY`;
  const body = rows.map((row) => {
    const count = (of: (line: ClusterLine) => number): number =>
      row.lines.reduce((sum, line) => sum + of(line), 0);
    const all = count((line) => line.applications);
    const share = (done: number): string => {
      const text = `${done}/${all}`.padEnd(8);
      return paint(done === all && all > 0 ? "green" : "yellow", text);
    };
    const synced = share(count((line) => line.synced));
    const healthy = share(count((line) => line.healthy));
    return `${row.name.padEnd(nameWidth)}  ${row.environment.padEnd(8)} ${row.link.padEnd(9)} ${synced} ${healthy}`;
  });
  const seconds = `${(elapsedMs / 1_000).toFixed(1)} s`;
  return [paint("dim", header), ...body, paint("dim", seconds)].map((line) => cut(line, columns));
}

const rowOf = (line: ClusterLine): Row => ({
  name: line.name,
  environment: line.environment,
  link: line.attached ? "attached" : "waiting",
  lines: [line],
});

function byEnvironment(clusters: readonly ClusterLine[]): readonly Row[] {
  const groups = Map.groupBy(clusters, (line) => line.environment);
  return [...groups].map(([environment, lines]) => ({
    name: `${lines.length} clusters`,
    environment,
    link: `${lines.filter((line) => line.attached).length}/${lines.length}`,
    lines,
  }));
}

/** Styled text is cut only when it really is too wide; then its style goes. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : plain.slice(0, columns);
}

/** Draws blocks of lines over each other on a terminal; on anything else only says what is new. */
export class LiveBlock {
  readonly #output: NodeJS.WriteStream;
  #drawn = 0;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    if (!this.#output.isTTY) return;
    const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A`;
    this.#output.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join("")}`);
    this.#drawn = lines.length;
  }
}
