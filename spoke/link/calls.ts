import {
  Metadata,
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type MethodDefinition,
} from "@grpc/grpc-js";
import { unlessAborted } from "../../proto/kit/unless-aborted.ts";

export const deadlineIn = (ms: number): CallOptions => ({ deadline: Date.now() + ms });

/** The messages of a stream. Aborting cancels the call and throws the signal's reason; so does stopping early. */
export async function* responses<A>(
  call: ClientReadableStream<A> | ClientDuplexStream<never, A>,
  signal: AbortSignal,
): AsyncGenerator<A> {
  // A stream that nobody reads at the moment still reports its end.
  call.on("error", () => {});
  const messages: AsyncIterator<A> = call.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      // After a cancel the stream may stay silent for ever: the signal is what ends the wait.
      const next = await unlessAborted(messages.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    call.cancel();
  }
}

/** One question and its answer. Throws what the call failed with, or the signal's reason. */
export async function unary<Q, A>(
  client: Client,
  method: MethodDefinition<Q, A>,
  request: Q,
  limitMs: number,
  signal: AbortSignal,
): Promise<A> {
  const answered = Promise.withResolvers<A>();
  const call = client.makeUnaryRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    new Metadata(),
    deadlineIn(limitMs),
    (error, answer) => {
      if (error !== null) answered.reject(error);
      else if (answer === undefined) answered.reject(new TypeError("the call gave no answer"));
      else answered.resolve(answer);
    },
  );
  // Once aborted, nobody waits for the rejection that the cancel brings.
  answered.promise.catch(() => {});
  try {
    return await unlessAborted(answered.promise, signal);
  } catch (error) {
    call.cancel();
    throw error;
  }
}
