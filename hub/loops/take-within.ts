import type { Clock } from "../../proto/kit/clock.ts";
import type { Mailbox } from "../../proto/kit/mailbox.ts";

/**
 * Takes the oldest value of a mailbox, or `undefined` once `waitMs` have passed without one.
 *
 * Throws the signal's reason when it aborts. Leaves neither timer nor waiter behind.
 */
export async function takeWithin<K, V>(
  mailbox: Mailbox<K, V>,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<V | undefined> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const over = Symbol("over");
  try {
    const timer = clock.sleep(waitMs, either).then(
      () => over,
      () => over,
    );
    const taken = mailbox.take(either).catch((error: unknown) => {
      // A waiter that was called off because the time was up is no failure.
      if (signal.aborted || !done.signal.aborted) throw error;
      return over;
    });
    const first = await Promise.race([taken, timer]);
    if (first === over) {
      done.abort(over);
      const late = await taken;
      signal.throwIfAborted();
      return typeof late === "symbol" ? undefined : late[1];
    }
    return typeof first === "symbol" ? undefined : first[1];
  } finally {
    done.abort(over);
  }
}
