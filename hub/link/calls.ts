import {
  status,
  type MethodDefinition,
  type sendUnaryData,
  type Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import type { Log } from "../../proto/kit/log.ts";
import { redact } from "../../proto/kit/redact.ts";
import { describeError, Trouble } from "../../proto/kit/trouble.ts";
import { CallRefused } from "./call-refused.ts";

// grpc-js has one way to answer for each kind of call, and none that knows promises. These give every
// kind the same one: an async function with a signal, whose failure becomes the call's status.

/** What calls are served with. A failure inside is told to `log`; every call's signal aborts with `stopping`. */
export type CallHost = {
  readonly server: Server;
  readonly log: Log;
  readonly stopping: AbortSignal;
};

type Ended = { readonly code: status; readonly details: string };

/** What a failed call is answered with. Only refusals speak; what went wrong inside stays in the log. */
function endOf(error: unknown, path: string, log: Log): Ended {
  if (error instanceof CallRefused) return { code: error.status, details: redact(error.message) };
  if (error instanceof Trouble) {
    log.warn("call failed", { path, problem: describeError(error) });
    return { code: status.UNAVAILABLE, details: "the hub cannot serve this now" };
  }
  log.error("call failed", { path, problem: describeError(error) });
  return { code: status.INTERNAL, details: "the hub made a mistake; its log says which" };
}

type Call = {
  readonly cancelled: boolean;
  readonly on: (event: "cancelled", listener: () => void) => unknown;
};

/** Aborts when the caller is gone, or when the whole link stops. */
function signalOf(call: Call, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  call.on("cancelled", () => gone.abort(new Error("the caller is gone")));
  return AbortSignal.any([stopping, gone.signal]);
}

/**
 * Serves a method of one question and one answer.
 *
 * The signal aborts when the caller is gone too. What `answer` throws becomes the call's status: cancelled once
 * the signal aborted, else what a refusal says, and no word of anything else.
 */
export function unary<Q, A>(
  host: CallHost,
  method: MethodDefinition<Q, A>,
  handler: { readonly answer: (call: ServerUnaryCall<Q, A>, signal: AbortSignal) => Promise<A> },
): void {
  host.server.register<Q, A>(
    method.path,
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
      const signal = signalOf(call, host.stopping);
      handler.answer(call, signal).then(
        (answer) => callback(null, answer),
        (error: unknown) =>
          callback(signal.aborted ? goneEnd : endOf(error, method.path, host.log)),
      );
    },
    method.responseSerialize,
    method.requestDeserialize,
    "unary",
  );
}

/**
 * Serves a method of one question and many answers, which `serve` writes to the call in their order.
 *
 * The call ends when `serve` is done, or fails with the status of what it throws, as in `unary`; a refusal is
 * told even after the signal aborted. `serve` waits for a slow reader itself.
 */
export function stream<Q, A>(
  host: CallHost,
  method: MethodDefinition<Q, A>,
  handler: {
    readonly serve: (call: ServerWritableStream<Q, A>, signal: AbortSignal) => Promise<void>;
  },
): void {
  host.server.register<Q, A>(
    method.path,
    (call: ServerWritableStream<Q, A>) => finish(call, handler.serve, method.path, host),
    method.responseSerialize,
    method.requestDeserialize,
    "serverStream",
  );
}

/** Serves a method where both sides go on talking, and ends it as `stream` does. */
export function duplex<Q, A>(
  host: CallHost,
  method: MethodDefinition<Q, A>,
  handler: {
    readonly serve: (call: ServerDuplexStream<Q, A>, signal: AbortSignal) => Promise<void>;
  },
): void {
  host.server.register<Q, A>(
    method.path,
    (call: ServerDuplexStream<Q, A>) => finish(call, handler.serve, method.path, host),
    method.responseSerialize,
    method.requestDeserialize,
    "bidi",
  );
}

const goneEnd: Ended = { code: status.CANCELLED, details: "the call ended early" };

type StreamingCall = Call & {
  readonly on: (event: "error", listener: () => void) => unknown;
  readonly emit: (event: "error", error: Ended) => unknown;
  readonly end: () => unknown;
};

/** Serves a streaming call and ends it: with OK, or with the status that says what happened. */
function finish<C extends StreamingCall>(
  call: C,
  serve: (call: C, signal: AbortSignal) => Promise<void>,
  path: string,
  { log, stopping }: CallHost,
): void {
  const signal = signalOf(call, stopping);
  // Destroyed streams complain; whoever was using one has been told by its signal.
  call.on("error", () => {});
  serve(call, signal).then(
    () => call.end(),
    (error: unknown) => {
      const isRefusal = error instanceof CallRefused;
      call.emit("error", signal.aborted && !isRefusal ? goneEnd : endOf(error, path, log));
    },
  );
}
