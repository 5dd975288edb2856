import { fail, ok, type Result } from "../../proto/kit/result.ts";

export type DemoOptions = {
  readonly clusters: number;
  /** On real control planes instead of simulated clusters. */
  readonly real: boolean;
  /** Of the HTTP API; 0 takes a free one. */
  readonly port: number;
  /** Converge, say so, and end. */
  readonly once: boolean;
  /** With `once`: one line of JSON and nothing else on standard output. */
  readonly json: boolean;
};

export const demoUsage = `usage: npm run demo -- [options]
  --clusters N   how many clusters, 1 to 200 (6: 2 dev, 2 staging, 2 prod)
  --real         real API servers, controllers and schedulers instead of simulated clusters, 1 to 12 (3);
                 needs the programs that "npm run tools" builds, and about 600 MB of memory each
  --port N       port of the HTTP API (8080, or a free one when it is taken)
  --once         converge once and end; exit 0 only if everything is Synced and Healthy
  --json         with --once: print one line of JSON`;

const defaults: DemoOptions = { clusters: 0, real: false, port: 8080, once: false, json: false };
const simulatedUsually = 6;
const realUsually = 3;
const realMost = 12;

/** Reads the words after `demo`. Fails with every problem, one sentence each. */
export function readDemoOptions(words: readonly string[]): Result<DemoOptions, readonly string[]> {
  let options = defaults;
  const problems: string[] = [];
  const number = (name: string, text: string | undefined, least: number, most: number): number => {
    const value = text === undefined || text === "" ? Number.NaN : Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    problems.push(
      `${name} must be a whole number from ${least} to ${most}, got ${JSON.stringify(text ?? "")}`,
    );
    return least;
  };
  for (let index = 0; index < words.length; index += 1) {
    const [name = "", inline] = (words[index] ?? "").split("=", 2);
    const value = (): string | undefined => {
      if (inline !== undefined) return inline;
      index += 1;
      return words[index];
    };
    switch (name) {
      case "--clusters":
        options = { ...options, clusters: number(name, value(), 1, 200) };
        break;
      case "--port":
        options = { ...options, port: number(name, value(), 0, 65_535) };
        break;
      case "--real":
        options = { ...options, real: true };
        break;
      case "--once":
        options = { ...options, once: true };
        break;
      case "--json":
        options = { ...options, json: true };
        break;
      default:
        problems.push(`there is no option ${JSON.stringify(words[index])}`);
    }
  }
  if (options.real && options.clusters > realMost)
    problems.push(`--clusters must be at most ${realMost} with --real, got ${options.clusters}`);
  if (options.clusters === 0)
    options = { ...options, clusters: options.real ? realUsually : simulatedUsually };
  if (options.json && !options.once) problems.push("--json goes with --once");
  return problems.length === 0 ? ok(options) : fail(problems);
}
