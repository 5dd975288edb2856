import { describeError } from "../../proto/kit/trouble.ts";

/** What the command says to scripts when it ends. `docs/cli.md` has the table. */
export const exitCodes = {
  done: 0,
  /** A difference was found, or a condition did not hold. */
  different: 1,
  usage: 2,
  /** Not logged in, or not allowed. */
  forbidden: 3,
  notFound: 4,
  conflict: 5,
  timeout: 6,
  unreachable: 7,
  /** Some of it was done; standard output says what. */
  partly: 8,
  /** A guard of the hub refused. */
  guarded: 9,
  bug: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with a sentence on standard error. Everything else that is thrown is a bug. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: ExitCode;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** The hub's code, when it was the hub that refused. */
  readonly problemCode: string | undefined;

  constructor(
    exitCode: ExitCode,
    message: string,
    more: {
      readonly hint?: string | undefined;
      readonly problemCode?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.exitCode = exitCode;
    this.hint = more.hint;
    this.problemCode = more.problemCode;
  }
}

export const usage = (message: string, hint?: string, cause?: unknown): CliFailure =>
  new CliFailure(exitCodes.usage, message, { hint, cause });

/** Of a file that the user named. */
export const unreadable = (what: string, cause: unknown): CliFailure =>
  usage(`${what} cannot be read: ${describeError(cause)}`, undefined, cause);
