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

export function unary<Q, A>(
  server: Server,
  method: MethodDefinition<Q, A>,
  stopping: AbortSignal,
  log: Log,
  handler: { readonly answer: (call: ServerUnaryCall<Q, A>, signal: AbortSignal) => Promise<A> },
): void {
  server.register<Q, A>(
    method.path,
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
      const signal = signalOf(call, stopping);
      handler.answer(call, signal).then(
        (answer) => callback(null, answer),
        (error: unknown) => callback(signal.aborted ? goneEnd : endOf(error, method.path, log)),
      );
    },
    method.responseSerialize,
    method.requestDeserialize,
    "unary",
  );
}

export function stream<Q, A>(
  server: Server,
  method: MethodDefinition<Q, A>,
  stopping: AbortSignal,
  log: Log,
  handler: {
    readonly serve: (call: ServerWritableStream<Q, A>, signal: AbortSignal) => Promise<void>;
  },
): void {
  server.register<Q, A>(
    method.path,
    (call: ServerWritableStream<Q, A>) => finish(call, handler.serve, method.path, stopping, log),
    method.responseSerialize,
    method.requestDeserialize,
    "serverStream",
  );
}

export function duplex<Q, A>(
  server: Server,
  method: MethodDefinition<Q, A>,
  stopping: AbortSignal,
  log: Log,
  handler: {
    readonly serve: (call: ServerDuplexStream<Q, A>, signal: AbortSignal) => Promise<void>;
  },
): void {
  server.register<Q, A>(
    method.path,
    (call: ServerDuplexStream<Q, A>) => finish(call, handler.serve, method.path, stopping, log),
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
  stopping: AbortSignal,
  log: Log,
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
