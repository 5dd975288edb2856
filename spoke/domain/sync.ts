import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Generation } from "../../proto/words/ids.ts";
import type { OperationReport } from "../../proto/words/report.ts";

/** Why an application is synced. */
export type SyncReason = "generation" | "drift" | "command" | "tombstone";

export type Attempt = {
  readonly generation: Generation;
  readonly reason: SyncReason;
  /** An operator asked for it with prune. */
  readonly confirmed: boolean;
  readonly startedAtMs: number;
  /** Failures in a row, this generation's retries included. */
  readonly failures: number;
};

/**
 * How far an attempt has come. It goes through these in order, and may go back to applying after a sync wave
 * settled.
 */
export type SyncState =
  | { readonly kind: "idle"; readonly last: OperationReport | undefined }
  | { readonly kind: "fetching"; readonly attempt: Attempt }
  | { readonly kind: "applying"; readonly attempt: Attempt }
  /** Nothing to do until something in the cluster moves; holds no worker. */
  | { readonly kind: "settling"; readonly attempt: Attempt; readonly waitingFor: string }
  | { readonly kind: "pruning"; readonly attempt: Attempt; readonly waitingFor: string }
  | {
      readonly kind: "waiting";
      readonly attempt: Attempt;
      readonly retryAtMs: number;
      readonly last: OperationReport;
    };

export type SyncEvent =
  | {
      readonly kind: "wanted";
      readonly generation: Generation;
      readonly reason: SyncReason;
      readonly confirmed: boolean;
      /** What a running attempt is for is wanted no more, whatever its generation. */
      readonly isReplaced: boolean;
    }
  /** Every blob of the bundle is at hand. */
  | { readonly kind: "fetched" }
  | { readonly kind: "held-up"; readonly waitingFor: string }
  /** All is applied and healthy; what is left is to remove what is no longer wanted. */
  | { readonly kind: "removing"; readonly waitingFor: string }
  | { readonly kind: "done"; readonly message: string }
  /** `retryAtMs` undefined: only a newer generation or an operator can help. */
  | {
      readonly kind: "problem";
      readonly message: string;
      readonly retryAtMs: number | undefined;
    }
  | { readonly kind: "tick" }
  /** What a failed attempt met has moved. */
  | { readonly kind: "hurry" };

/** What the loop must do now. */
export type SyncEffect =
  /** Take (or keep) a turn and carry the attempt on, from whatever the cluster holds. */
  | { readonly kind: "carry-out" }
  | { readonly kind: "wake"; readonly atMs: number }
  /** The attempt ended, well or not; a retry is another attempt. */
  | { readonly kind: "ended"; readonly operation: OperationReport; readonly attempt: Attempt };

export type Step = { readonly state: SyncState; readonly effects: readonly SyncEffect[] };

export const idle: SyncState = { kind: "idle", last: undefined };

/** One step of the sync machine. An event that means nothing in a state leaves it as it is. */
export function stepSync(state: SyncState, event: SyncEvent, nowMs: number): Step {
  switch (event.kind) {
    case "wanted":
      return onWanted(state, event, nowMs);
    case "fetched":
      return state.kind === "fetching"
        ? to({ kind: "applying", attempt: state.attempt })
        : to(state);
    case "held-up":
      return isRunning(state)
        ? to({ kind: "settling", attempt: state.attempt, waitingFor: event.waitingFor })
        : to(state);
    case "removing":
      return isRunning(state)
        ? to({ kind: "pruning", attempt: state.attempt, waitingFor: event.waitingFor })
        : to(state);
    case "done":
      return isRunning(state) ? onDone(state.attempt, event.message, nowMs) : to(state);
    case "problem":
      if (isRunning(state)) return onProblem(state.attempt, event, nowMs);
      // What waits has ended already, and is not tried again.
      return state.kind === "waiting" && event.retryAtMs === undefined
        ? to({ kind: "idle", last: state.last })
        : to(state);
    case "tick":
      return onTick(state, nowMs);
    case "hurry":
      return state.kind === "waiting" ? again(state.attempt, nowMs) : onTick(state, nowMs);
    default:
      return unreachable(event, "sync event");
  }
}

type Running = Exclude<SyncState, { readonly kind: "idle" | "waiting" }>;

export const isRunning = (state: SyncState): state is Running =>
  state.kind !== "idle" && state.kind !== "waiting";

const to = (state: SyncState, ...effects: readonly SyncEffect[]): Step => ({ state, effects });

function onWanted(
  state: SyncState,
  wanted: Extract<SyncEvent, { kind: "wanted" }>,
  nowMs: number,
): Step {
  const { generation, reason, confirmed, isReplaced } = wanted;
  const running = state.kind === "idle" || isReplaced ? undefined : state.attempt;
  const isOrder = reason === "command";
  // An older generation never takes over; the same one only when somebody asks for it.
  if (running !== undefined && !isOrder && generation <= running.generation) return to(state);
  const sameGeneration = running?.generation === generation;
  const attempt: Attempt = {
    generation,
    reason,
    confirmed: confirmed || (sameGeneration && running.confirmed),
    startedAtMs: nowMs,
    failures: 0,
  };
  return to({ kind: "fetching", attempt }, { kind: "carry-out" });
}

function onDone(attempt: Attempt, message: string, nowMs: number): Step {
  const operation = ended(attempt, "Succeeded", message, nowMs);
  return to({ kind: "idle", last: operation }, { kind: "ended", operation, attempt });
}

function onProblem(
  attempt: Attempt,
  { message, retryAtMs }: Extract<SyncEvent, { kind: "problem" }>,
  nowMs: number,
): Step {
  const operation = ended(attempt, "Failed", message, nowMs);
  const end: SyncEffect = { kind: "ended", operation, attempt };
  if (retryAtMs === undefined) return to({ kind: "idle", last: operation }, end);
  const failed = { ...attempt, failures: attempt.failures + 1 };
  return to({ kind: "waiting", attempt: failed, retryAtMs, last: operation }, end, {
    kind: "wake",
    atMs: retryAtMs,
  });
}

function onTick(state: SyncState, nowMs: number): Step {
  switch (state.kind) {
    case "idle":
      return to(state);
    case "waiting": {
      if (nowMs < state.retryAtMs) return to(state, { kind: "wake", atMs: state.retryAtMs });
      return again(state.attempt, nowMs);
    }
    case "fetching":
    case "applying":
    case "settling":
    case "pruning":
      return to(state, { kind: "carry-out" });
    default:
      return unreachable(state, "sync state");
  }
}

const again = (attempt: Attempt, nowMs: number): Step =>
  to({ kind: "fetching", attempt: { ...attempt, startedAtMs: nowMs } }, { kind: "carry-out" });

const ended = (
  attempt: Attempt,
  phase: "Succeeded" | "Failed",
  message: string,
  nowMs: number,
): OperationReport => ({
  phase,
  generation: attempt.generation,
  message,
  startedAtMs: attempt.startedAtMs,
  finishedAtMs: nowMs,
});

/** The last operation as the hub should hear of it. */
export function operationOf(state: SyncState): OperationReport | undefined {
  switch (state.kind) {
    case "idle":
      return state.last;
    case "waiting":
      return state.last;
    case "fetching":
      return runningOperation(state.attempt, "reading the bundle");
    case "applying":
      return runningOperation(state.attempt, "applying");
    case "settling":
    case "pruning":
      return runningOperation(state.attempt, state.waitingFor);
    default:
      return unreachable(state, "sync state");
  }
}

const runningOperation = (attempt: Attempt, message: string): OperationReport => ({
  phase: "Running",
  generation: attempt.generation,
  message,
  startedAtMs: attempt.startedAtMs,
  finishedAtMs: undefined,
});
