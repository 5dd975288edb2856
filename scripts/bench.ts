import { spawn } from "node:child_process";
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * `npm run bench -- NAME …`: runs test/bench/NAME.ts and prints its figures beside those of the last kept run.
 *
 * A bench prints lines of `figure<TAB>value<TAB>unit[<TAB>budget]` on standard output and talks on standard error.
 * Figures are ratios, counts, or times of one run on one machine: compare them within a run, not across machines.
 */

const root = join(import.meta.dirname, "..");
const known = globSync("test/bench/*.ts", { cwd: root }).map((file) => basename(file, ".ts"));
const [name, ...words] = process.argv.slice(2);
if (name === undefined || !known.includes(name)) {
  console.error(`usage: npm run bench -- ${known.join("|")} [options]`);
  process.exit(2);
}

type Figure = {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: string;
};

const child = spawn(
  process.execPath,
  ["--disable-warning=ExperimentalWarning", join(root, "test/bench", `${name}.ts`), ...words],
  { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
);
let output = "";
child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
const code = await new Promise<number>((resolve) => {
  child.on("close", (status) => resolve(status ?? 1));
});

const figures = output.split("\n").flatMap((line): Figure[] => {
  const [figure = "", value = "", unit = "", budget = ""] = line.split("\t");
  return value === "" ? [] : [{ figure, value: Number(value), unit, budget }];
});
const history = join(root, ".cache/bench", `${name}.jsonl`);
const last = lastRun(history);
const width = Math.max(10, ...figures.map(({ figure }) => figure.length));
for (const { figure, value, unit, budget } of figures) {
  const before = last.find((one) => one.figure === figure);
  const notes = [
    budget === "" ? "" : `budget ${budget}`,
    before === undefined ? "" : `last ${before.value}`,
  ].filter((note) => note !== "");
  console.log(
    `${figure.padEnd(width)}  ${String(value).padStart(10)} ${unit.padEnd(6)} ${notes.join(", ")}`,
  );
}
if (code === 0) {
  mkdirSync(join(root, ".cache/bench"), { recursive: true });
  appendFileSync(history, `${JSON.stringify({ at: new Date().toISOString(), words, figures })}\n`);
}
process.exit(code);

function lastRun(file: string): readonly Figure[] {
  if (!existsSync(file)) return [];
  const line = readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "";
  return line === "" ? [] : (JSON.parse(line) as { readonly figures: readonly Figure[] }).figures;
}
