import { Trouble } from "./trouble.ts";
import { unlessAborted } from "./unless-aborted.ts";

/** As much of a stream of objects as writing needs. */
export type MessageSink<T> = {
  readonly destroyed: boolean;
  readonly write: (message: T, taken: (error?: Error | null) => void) => unknown;
  readonly once: (event: "close", listener: () => void) => unknown;
  readonly off: (event: "close", listener: () => void) => unknown;
};

/**
 * Writes one message and resolves once the transport has taken it.
 *
 * Stronger than waiting for `drain`: a stream of objects counts messages, not bytes, and would take
 * sixteen large ones before it says so. Throws Trouble when the stream has ended, what broke it, or the
 * signal's reason; the message may have been sent even then.
 */
export async function writeTo<T>(
  stream: MessageSink<T>,
  message: T,
  signal: AbortSignal,
): Promise<void> {
  const taken = Promise.withResolvers<void>();
  if (stream.destroyed) throw new Trouble("the stream has ended");
  const onClose = () => taken.reject(new Trouble("the stream has ended"));
  stream.once("close", onClose);
  try {
    stream.write(message, (error) => (error ? taken.reject(error) : taken.resolve()));
    await unlessAborted(taken.promise, signal);
  } finally {
    stream.off("close", onClose);
  }
}
