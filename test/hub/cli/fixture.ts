import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../../hub/cli/main.ts";
import { defaultListenLimits, listen, type ListenSettings } from "../../../hub/http/listen.ts";
import { systemClock } from "../../../proto/kit/clock.ts";
import { silentLog } from "../../../proto/kit/log.ts";
import { nowMs, openFixture, type Fixture } from "../http/fixture.ts";

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type CliOptions = {
  /** Added to the environment; `undefined` takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Whether somebody sits there. */
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Told of standard output as it comes. */
  readonly onOutput?: (text: string) => void;
};

export type CliFixture = {
  readonly hub: Fixture;
  readonly url: string;
  readonly folder: string;
  readonly configFile: string;
  readonly run: (words: readonly string[], options?: CliOptions) => Promise<Run>;
  readonly close: () => Promise<void>;
};

/** The command line against a hub on a real socket, as an admin, at a time that stands still. */
export async function openCli(
  more: { readonly tls?: ListenSettings["tls"] } = {},
): Promise<CliFixture> {
  const hub = await openFixture();
  const ending = new AbortController();
  const needs = { clock: systemClock, log: silentLog };
  const settings = {
    host: "127.0.0.1",
    port: 0,
    tls: more.tls,
    ...defaultListenLimits,
    drainMs: 100,
  };
  const listening = await listen(hub.app.fetch, settings, needs, ending.signal);
  const running = listening.run(ending.signal);
  const folder = mkdtempSync(join(tmpdir(), "wheelhouse-cli-"));
  const configFile = join(folder, "config", "config.json");
  return {
    hub,
    url: listening.url,
    folder,
    configFile,
    run: (words, options = {}) =>
      runWith(words, options, {
        WH_CONFIG: configFile,
        WH_SERVER: listening.url,
        WH_TOKEN: hub.tokens.write,
      }),
    close: async () => {
      hub.life.abort();
      ending.abort(new Error("over"));
      await running;
      hub.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a command line against whatever the environment says. */
export async function runWith(
  words: readonly string[],
  options: CliOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Run> {
  let stdout = "";
  let stderr = "";
  const isTTY = options.terminal === true;
  async function* stdin(): AsyncGenerator<string> {
    yield options.stdin ?? "";
  }
  const code = await runCli(words, {
    environment: { ...environment, ...options.environment },
    homeFolder: "/nowhere",
    stdin: Object.assign(stdin(), { isTTY }),
    stdout: {
      isTTY,
      columns: options.columns ?? 100,
      write: (text) => {
        stdout += text;
        options.onOutput?.(text);
      },
    },
    stderr: { isTTY, write: (text) => (stderr += text) },
    // Time stands still, and waiting for it takes next to none.
    clock: {
      nowMs: () => nowMs,
      sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
    },
    random: () => 1,
    version: "0.1.0-test",
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}
