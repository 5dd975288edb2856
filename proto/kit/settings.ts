import { fail, ok, type Result } from "./result.ts";

export type SettingSources = {
  /** Words after the command, as typed. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The parsed settings file: camelCase names to text, numbers, booleans. `undefined` when there is none. */
  readonly file: Readonly<Record<string, unknown>> | undefined;
};

/**
 * Collects typed settings by name and every problem on the way.
 *
 * One name has three spellings: the flag `--poll-ms`, the variable `WHEELHOUSE_POLL_MS`, and `pollMs` in
 * the settings file. The first found wins, in that order. Read all settings, then call `finish`: it
 * reports all problems together, one sentence each, and objects to flags and file entries nobody read.
 */
export class SettingsReader {
  readonly #flags: ReadonlyMap<string, string>;
  readonly #environment: SettingSources["environment"];
  readonly #file: Readonly<Record<string, unknown>>;
  readonly #problems: string[] = [];
  readonly #known = new Set<string>();

  constructor(sources: SettingSources) {
    const flags = readFlags(sources.words);
    this.#flags = flags.values;
    this.#problems.push(...flags.problems);
    this.#environment = sources.environment;
    this.#file = sources.file ?? {};
  }

  /** The text as given, or `undefined` when the setting was not given at all. */
  text(name: string): string | undefined {
    this.#known.add(name);
    const fromFile = this.#file[camelCase(name)];
    if (fromFile !== undefined && !isScalar(fromFile)) {
      this.#problems.push(`${name}: the file must hold text, a number or true/false`);
      return undefined;
    }
    return (
      this.#flags.get(name) ??
      this.#environment[variableName(name)] ??
      (fromFile === undefined ? undefined : String(fromFile))
    );
  }

  textOr(name: string, fallback: string): string {
    return this.text(name) ?? fallback;
  }

  required(name: string): string {
    const value = this.text(name)?.trim() ?? "";
    if (value === "") {
      this.#problems.push(
        `${name} is required (--${name}, ${variableName(name)} or ${camelCase(name)} in the file)`,
      );
    }
    return value;
  }

  /** A whole number within `least` and `most`, both included. */
  wholeNumber(name: string, fallback: number, least: number, most: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    this.#problems.push(
      `${name} must be a whole number from ${least} to ${most}, got ${JSON.stringify(text)}`,
    );
    return fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (text === "true" || text === "false") return text === "true";
    this.#problems.push(`${name} must be true or false, got ${JSON.stringify(text)}`);
    return fallback;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === text);
    if (found !== undefined) return found;
    this.#problems.push(
      `${name} must be one of ${allowed.join(", ")}, got ${JSON.stringify(text)}`,
    );
    return fallback;
  }

  /** An entry of the file that is not a scalar, for settings that are lists or maps. */
  structure(name: string): unknown {
    this.#known.add(name);
    if (this.#flags.has(name) || this.#environment[variableName(name)] !== undefined)
      this.#problems.push(`${name} can only be given in the settings file, as ${camelCase(name)}`);
    return this.#file[camelCase(name)];
  }

  addProblem(problem: string): void {
    this.#problems.push(problem);
  }

  finish<T>(settings: T): Result<T, readonly string[]> {
    const fileNames = new Set([...this.#known].map(camelCase));
    const unknown = [
      ...[...this.#flags.keys()]
        .filter((name) => !this.#known.has(name))
        .map((name) => `there is no setting --${name}`),
      ...Object.keys(this.#file)
        .filter((name) => !fileNames.has(name))
        .map((name) => `there is no setting ${name} (settings file)`),
    ];
    const problems = [...this.#problems, ...unknown];
    return problems.length === 0 ? ok(settings) : fail(problems);
  }
}

const camelCase = (name: string): string =>
  name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const variableName = (name: string): string =>
  `WHEELHOUSE_${name.toUpperCase().replaceAll("-", "_")}`;

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/** Reads `--name value`, `--name=value` and a bare `--name`, which means true. */
function readFlags(words: readonly string[]): {
  readonly values: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
} {
  const values = new Map<string, string>();
  const problems: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const flag = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    if (flag === null) {
      problems.push(`unexpected word ${JSON.stringify(word)}; settings are given as --name value`);
      continue;
    }
    const name = flag[1] ?? "";
    const next = words[index + 1];
    if (values.has(name)) problems.push(`${name} is given twice`);
    if (flag[2] !== undefined) {
      values.set(name, flag[2]);
    } else if (next !== undefined && !next.startsWith("--")) {
      values.set(name, next);
      index += 1;
    } else {
      values.set(name, "true");
    }
  }
  return { values, problems };
}
