import { unreachable } from "../../proto/kit/unreachable.ts";
import type { Epoch } from "../../proto/words/ids.ts";
import type { GoAwayReason } from "../../proto/words/link-messages.ts";

/** How a spoke stands with its hub. Whatever it is, the spoke keeps its cluster as the hub last wanted it. */
export type LinkState =
  | {
      readonly kind: "offline";
      /** Dials in a row that led to no lasting session. */
      readonly failures: number;
      readonly retryAtMs: number;
    }
  | { readonly kind: "dialing"; readonly failures: number }
  | {
      readonly kind: "attached";
      readonly session: string;
      readonly epoch: Epoch;
      readonly failures: number;
      readonly sinceMs: number;
      readonly heardAtMs: number;
      /** A hub from which nothing comes for longer than this is gone. */
      readonly silenceLimitMs: number;
    }
  /** The hub does not take this identity. Dialing again with the same one cannot help. */
  | { readonly kind: "refused"; readonly problem: LinkProblem; readonly lookAgainAtMs: number };

/** What is wrong, for people: a stable code and a sentence. */
export type LinkProblem = { readonly code: string; readonly sentence: string };

export type LinkEvent =
  | { readonly kind: "tick"; readonly nowMs: number }
  | {
      readonly kind: "welcomed";
      readonly session: string;
      readonly epoch: Epoch;
      readonly heartbeatMs: number;
      readonly nowMs: number;
    }
  | { readonly kind: "heard"; readonly nowMs: number }
  | { readonly kind: "lost"; readonly nowMs: number }
  | {
      readonly kind: "told-to-leave";
      readonly reason: Exclude<GoAwayReason, "untrusted">;
      readonly reconnectAfterMs: number;
      readonly nowMs: number;
    }
  | { readonly kind: "refused"; readonly problem: LinkProblem; readonly nowMs: number }
  | { readonly kind: "identity-changed"; readonly nowMs: number };

export type LinkEffect = "dial" | "hang-up" | "compare-roots" | "look-for-identity";

export type LinkStep = { readonly state: LinkState; readonly effects: readonly LinkEffect[] };

export type LinkTiming = {
  readonly silenceLimitMs: (heartbeatMs: number) => number;
  /** Pause before dialing again after `failures` failures in a row; 0 after a session that lasted. */
  readonly retryMs: (failures: number) => number;
  /** A session shorter than this counts as a failure: a hub that welcomes and drops must not be hammered. */
  readonly steadyAfterMs: number;
  /** Pause after another spoke took the session over: two that share an identity must not fight. */
  readonly replacedPauseMs: () => number;
  /** Pause before the first look for another identity or token: there may be one already. */
  readonly firstLookMs: number;
  /** Pause between looks for another identity while this one is refused. */
  readonly lookAgainMs: () => number;
};

export const startOffline = (nowMs: number): LinkState => ({
  kind: "offline",
  failures: 0,
  retryAtMs: nowMs,
});

/**
 * What an event makes of the link, and what is to be done about it now.
 *
 * Every event may come in every state: what was under way when the link changed still reports its end. The
 * new state is to be taken over before its effects are carried out, since their own events build on it; an
 * event without use for the state changes nothing.
 */
export function stepLink(state: LinkState, event: LinkEvent, timing: LinkTiming): LinkStep {
  switch (event.kind) {
    case "tick":
      return onTick(state, event.nowMs, timing);
    case "welcomed":
      // Either side may have moved meanwhile; comparing roots shows it, whatever was lost.
      return {
        state: {
          kind: "attached",
          session: event.session,
          epoch: event.epoch,
          failures: failuresOf(state),
          sinceMs: event.nowMs,
          heardAtMs: event.nowMs,
          silenceLimitMs: timing.silenceLimitMs(event.heartbeatMs),
        },
        effects: ["compare-roots"],
      };
    case "heard":
      return stay(state.kind === "attached" ? { ...state, heardAtMs: event.nowMs } : state);
    case "lost":
      return stay(offlineAfter(state, event.nowMs, timing));
    case "told-to-leave":
      return onToldToLeave(state, event, timing);
    case "refused":
      return {
        state: {
          kind: "refused",
          problem: event.problem,
          lookAgainAtMs: event.nowMs + timing.firstLookMs,
        },
        effects: hangUp(state),
      };
    case "identity-changed":
      return { state: startOffline(event.nowMs), effects: hangUp(state) };
    default:
      return unreachable(event, "event of the link");
  }
}

function onTick(state: LinkState, nowMs: number, timing: LinkTiming): LinkStep {
  switch (state.kind) {
    case "offline":
      if (nowMs < state.retryAtMs) return stay(state);
      return { state: { kind: "dialing", failures: state.failures }, effects: ["dial"] };
    case "attached":
      if (nowMs - state.heardAtMs <= state.silenceLimitMs) return stay(state);
      return { state: offlineAfter(state, nowMs, timing), effects: ["hang-up"] };
    case "refused":
      if (nowMs < state.lookAgainAtMs) return stay(state);
      return {
        state: { ...state, lookAgainAtMs: nowMs + timing.lookAgainMs() },
        effects: ["look-for-identity"],
      };
    case "dialing":
      return stay(state);
    default:
      return unreachable(state, "state of the link");
  }
}

function onToldToLeave(
  state: LinkState,
  event: Extract<LinkEvent, { kind: "told-to-leave" }>,
  timing: LinkTiming,
): LinkStep {
  const pauseMs =
    event.reason === "replaced"
      ? Math.max(timing.replacedPauseMs(), event.reconnectAfterMs)
      : event.reconnectAfterMs;
  return {
    // A hub that says when to come back is not a failure.
    state: { kind: "offline", failures: 0, retryAtMs: event.nowMs + pauseMs },
    effects: hangUp(state),
  };
}

function offlineAfter(state: LinkState, nowMs: number, timing: LinkTiming): LinkState {
  if (state.kind === "offline" || state.kind === "refused") return state;
  const lasted = state.kind === "attached" && nowMs - state.sinceMs >= timing.steadyAfterMs;
  const failures = lasted ? 0 : failuresOf(state) + 1;
  return { kind: "offline", failures, retryAtMs: nowMs + timing.retryMs(failures) };
}

/** When `tick` would next do something; `undefined` while something else must happen first. */
export function nextTickAtMs(state: LinkState): number | undefined {
  switch (state.kind) {
    case "offline":
      return state.retryAtMs;
    case "attached":
      return state.heardAtMs + state.silenceLimitMs + 1;
    case "refused":
      return state.lookAgainAtMs;
    case "dialing":
      return undefined;
    default:
      return unreachable(state, "state of the link");
  }
}

const failuresOf = (state: LinkState): number => (state.kind === "refused" ? 0 : state.failures);

const hangUp = (state: LinkState): readonly LinkEffect[] =>
  state.kind === "attached" || state.kind === "dialing" ? ["hang-up"] : [];

const stay = (state: LinkState): LinkStep => ({ state, effects: [] });

/**
 * Why a dial or a session came to an end, as the hub or the network told it.
 *
 * `away`: waiting may help. `refused`: only another identity or token can. `replaced`: a newer session took over.
 */
export type Loss = {
  readonly kind: "away" | "refused" | "replaced";
  readonly problem: LinkProblem;
};
