import { readFileSync } from "node:fs";

/** What a bench says on standard output, a figure a line, for `npm run bench` to lay out; talk is for standard error. */
export function printFigure(
  figure: string,
  value: number,
  unit: string,
  budget?: string | number,
): void {
  const line = [figure, value, unit, ...(budget === undefined ? [] : [budget])].join("\t");
  process.stdout.write(`${line}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `--name 5` of the words the bench was started with. */
export function wholeOption(name: string, fallback: number): number {
  const place = process.argv.indexOf(`--${name}`);
  return place === -1 ? fallback : Number(process.argv[place + 1]);
}

/** To two decimals. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

export const inSeconds = (ms: number): number => rounded(ms / 1_000);

/** The value below which this share of the values lies; of few values the next larger one. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export type Memory = {
  readonly residentMb: number;
  /** Without pages of files, which other processes share. */
  readonly anonymousMb: number;
  readonly mostMb: number;
};

/** What the kernel says of a running process. */
export function memoryOf(processId: number): Memory {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  const field = (name: string): number =>
    rounded(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1_024);
  return { residentMb: field("VmRSS"), anonymousMb: field("RssAnon"), mostMb: field("VmHWM") };
}

/** What a running process has used of the processor since it began. */
export function cpuMsOf(processId: number): number {
  const [, after = ""] = readFileSync(`/proc/${processId}/stat`, "utf8").split(") ");
  const fields = after.split(" ");
  // In ticks, of which Linux has a hundred a second wherever it runs.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
