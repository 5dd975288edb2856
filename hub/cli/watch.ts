import { Mailbox } from "../../proto/kit/mailbox.ts";
import { runTogether } from "../../proto/kit/run-together.ts";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";
import { text } from "./answer.ts";
import type { ApiClient } from "./client.ts";
import { CliFailure, exitCodes } from "./exit-codes.ts";
import type { Session } from "./session.ts";

/** Events come in bursts; what they are about is read once per burst. */
const gatherMs = 250;

/**
 * Calls `look` once, and again after every change that `isTouching` admits, until interrupted.
 *
 * The stream is open before the first look, so nothing falls between. With --timeout it ends after that, as
 * a timeout does.
 */
export async function lookAgain(
  session: Session,
  client: ApiClient,
  isTouching: (eventKind: string) => boolean,
  look: () => Promise<void>,
): Promise<never> {
  const changes = new Mailbox<"change", true>();
  const open = Promise.withResolvers<void>();
  const pump = async (signal: AbortSignal): Promise<void> => {
    for await (const event of client.events(undefined, {}, troubleTeller(session), signal)) {
      open.resolve();
      if (event.kind === "resync") session.say("# changes were missed; read everything again");
      const touches = event.kind === "change" && isTouching(text(event.event, "kind"));
      if (event.kind === "resync" || touches) changes.put("change", true);
    }
  };
  const looking = async (signal: AbortSignal): Promise<void> => {
    await unlessAborted(open.promise, signal);
    for (;;) {
      await look();
      await changes.take(signal);
      await session.world.clock.sleep(gatherMs, signal);
      await clear(changes);
    }
  };
  return untilTimeout(session, (signal) => runTogether([pump, looking], signal));
}

async function clear(changes: Mailbox<"change", true>): Promise<void> {
  const never = new AbortController();
  if (changes.size > 0) await changes.takeMany(changes.size, never.signal);
}

export const troubleTeller =
  (session: Session) =>
  (problem: string, waitMs: number): void =>
    session.say(`# connection lost (${problem}); trying again in ${(waitMs / 1000).toFixed(1)} s`);

/** Runs what only ends by abort; the user's interrupt and --timeout are such ends. */
export async function untilTimeout(
  session: Session,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<never> {
  const deadline =
    session.timeoutMs === undefined ? undefined : AbortSignal.timeout(session.timeoutMs);
  const signal = AbortSignal.any([session.signal, ...(deadline === undefined ? [] : [deadline])]);
  try {
    await run(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  session.signal.throwIfAborted();
  throw new CliFailure(exitCodes.timeout, `stopped after ${session.options.timeout ?? ""}`);
}
