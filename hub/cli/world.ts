import type { Clock } from "../../proto/kit/clock.ts";

export type Output = {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean | undefined };

/** Everything a command touches besides the hub, so that tests can stand in for all of it. */
export type CliWorld = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  readonly stdin: Input;
  /** Data, and nothing else. */
  readonly stdout: Output;
  /** Talk: progress, notes, errors. */
  readonly stderr: Output;
  readonly clock: Clock;
  readonly random: () => number;
  readonly version: string;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
};
