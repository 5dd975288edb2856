import { apiClient, type ApiClient } from "./client.ts";
import { chooseContext } from "./config.ts";
import { usage } from "./exit-codes.ts";
import { parseFormat, type Format } from "./output.ts";
import type { TableManner } from "./table.ts";
import { lookOf, parseDuration, type Look } from "./terminal.ts";
import type { CliWorld } from "./world.ts";

/** Options every command takes. */
export type GlobalOptions = {
  readonly context?: string;
  readonly output?: string;
  readonly selector?: string;
  readonly watch?: boolean;
  readonly timeout?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly yes?: boolean;
  readonly color?: boolean;
  readonly ascii?: boolean;
  readonly headers?: boolean;
};

/** One run of one command. */
export type Session = {
  readonly world: CliWorld;
  readonly options: GlobalOptions;
  readonly look: Look;
  readonly format: Format;
  /** As given with --timeout. */
  readonly timeoutMs: number | undefined;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  /** Logs in on first use. */
  readonly client: () => Promise<ApiClient>;
  readonly manner: () => TableManner;
  /** Says something on standard error, unless told to be quiet. */
  readonly say: (line: string) => void;
  readonly close: () => void;
};

const requestMs = 30_000;

export function openSession(world: CliWorld, options: GlobalOptions): Session {
  const look = lookOf(world, options);
  const format = parseFormat(options.output ?? "table");
  const timeoutMs = readTimeout(options.timeout);
  let opened: Promise<ApiClient> | undefined;
  let closing: (() => void) | undefined;
  const connect = async (): Promise<ApiClient> => {
    const context = await chooseContext(world, options.context);
    const manner = {
      requestMs: Math.min(timeoutMs ?? requestMs, 600_000),
      clock: world.clock,
      random: world.random,
      userAgent: `wheelhouse/${world.version}`,
    };
    const client = apiClient(context, manner, world.signal);
    if (options.verbose === true) world.stderr.write(`hub: ${client.server}\n`);
    closing = client.close;
    return client;
  };
  return {
    world,
    options,
    look,
    format,
    timeoutMs,
    signal: world.signal,
    client: () => (opened ??= connect()),
    manner: () => ({
      look,
      nowMs: world.clock.nowMs(),
      wide: format === "wide",
      headers: options.headers !== false,
    }),
    say: (line) => {
      if (options.quiet !== true) world.stderr.write(`${line}\n`);
    },
    close: () => closing?.(),
  };
}

function readTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeoutMs = parseDuration(text);
  if (timeoutMs === undefined || timeoutMs === 0)
    throw usage(`--timeout ${JSON.stringify(text)} is not a duration`, "like 30s, 5m or 1h");
  return timeoutMs;
}
